/**
 * The options string: a comma list in which each side of a key exchange writes down the settings that both must share
 * (spec/negotiation.md).
 *
 * It decides nothing between current peers, with two exceptions: a peer without cipher negotiation is known by the
 * `cipher` in it, and old servers look for `comp-lzo`. So it is built exactly as the reference does, including a packet
 * size ("link-mtu") that counts overhead no packet has had for years, and comparing it gives differences as data.
 */
import { HASH_LENGTH, type HashName } from '../crypto/index.ts'
import { cipherByName, type CipherFacts, cipherFacts, type DataCipher } from './ciphers.ts'

/** Compression framing as the options string sees it: both v2 framings cost no byte, the others one. */
export type OptionsFraming = 'none' | 'v1' | 'v2'

/** What the options string is made of. */
export interface OptionsStringInput {
  /** Our TLS role. */
  readonly role: 'client' | 'server'
  /** True for a peer-to-peer pair (neither pull nor server mode). */
  readonly pointToPoint: boolean
  readonly device: 'tun' | 'tap'
  readonly transport: 'udp' | 'tcp'
  /** `tun-mtu`. */
  readonly tunMtu: number
  /** The configured `cipher`, or what stands for it: BF-CBC where nothing is configured. */
  readonly cipher: DataCipher | 'none' | undefined
  /** `data-ciphers`; the cipher is shown only when it is among them, or in a pair, or when it is none. */
  readonly dataCiphers: readonly DataCipher[]
  readonly auth: HashName | 'none'
  readonly framing?: OptionsFraming
  /** `fragment` is on. */
  readonly fragment?: boolean
  /** UDP through a SOCKS proxy. */
  readonly socks?: boolean
  /** Control packets are protected by tls-auth. */
  readonly tlsAuth?: boolean
  /** Static-key mode: no TLS, long packet ids, no opcode. Always a pair. */
  readonly staticKey?: boolean
  /** `key-direction`; shown wherever it is set. */
  readonly keyDirection?: 0 | 1 | undefined
  /** Our `ifconfig` of a peer-to-peer pair: address, then peer address or netmask. */
  readonly ifconfig?: readonly [local: string, remoteOrNetmask: string] | undefined
  /** Our `ifconfig-ipv6` of a peer-to-peer pair is set. */
  readonly ifconfigIpv6?: boolean
}

/** What the reference assumes where no `cipher` is configured. */
const UNCONFIGURED: DataCipher = 'BF-CBC'
/** Extra room that a tap device counts. */
const TAP_EXTRA = 32
const PACKET_ID = 4
const LONG_PACKET_ID = 8
const OPCODE = 1
const AEAD_TAG = 16

/** Our own options string. NEG-21 */
export function writeOptionsString(input: OptionsStringInput): string {
  return compose(input, input.role, input.keyDirection, input.ifconfig)
}

/** The options string we expect from a peer that is set up to match. NEG-22 */
export function expectedOptionsString(input: OptionsStringInput): string {
  const direction = input.keyDirection === undefined ? undefined : input.keyDirection === 0 ? 1 : 0
  const [local, remote] = input.ifconfig ?? []
  const swap = local !== undefined && remote !== undefined && !remote.startsWith('255.')
  return compose(
    input,
    input.role === 'client' ? 'server' : 'client',
    direction,
    swap ? [remote, local] : input.ifconfig,
  )
}

function compose(
  input: OptionsStringInput,
  role: 'client' | 'server',
  direction: 0 | 1 | undefined,
  ifconfig: OptionsStringInput['ifconfig'],
): string {
  const cipher = factsOf(input)
  const parts = ['V4', `dev-type ${input.device}`, `link-mtu ${linkMtu(input)}`, `tun-mtu ${input.tunMtu}`]
  parts.push(`proto ${input.transport === 'udp' ? 'UDPv4' : role === 'client' ? 'TCPv4_CLIENT' : 'TCPv4_SERVER'}`)
  if (input.pointToPoint) {
    if (input.ifconfigIpv6 === true) parts.push('tun-ipv6')
    // The line tells the other end's view: who wrote it has the second address.
    if (ifconfig !== undefined) parts.push(`ifconfig ${ifconfigView(input, ifconfig)}`)
  }
  if ((input.framing ?? 'none') !== 'none') parts.push('comp-lzo')
  if (input.fragment === true) parts.push('mtu-dynamic')
  if (direction !== undefined) parts.push(`keydir ${direction}`)
  const listed = input.dataCiphers.some((name) => name === cipher.name)
  const shown = input.pointToPoint || listed || input.cipher === 'none' // NEG-27
  if (shown) parts.push(`cipher ${cipher.name}`)
  parts.push(`auth ${cipher.aead || input.auth === 'none' ? '[null-digest]' : input.auth}`)
  parts.push(`keysize ${cipher.keyLength * 8}`)
  if (input.tlsAuth === true) parts.push('tls-auth')
  if (input.staticKey === true) parts.push('secret')
  else parts.push('key-method 2', `tls-${role}`)
  return parts.join(',')
}

/** What stands for `cipher none`. */
const NO_CIPHER = { name: '[null-cipher]', aead: false, keyLength: 0, ivLength: 0, blockLength: 0 } as const

function factsOf({ cipher }: OptionsStringInput): CipherFacts | typeof NO_CIPHER {
  return cipher === 'none' ? NO_CIPHER : cipherFacts(cipher ?? UNCONFIGURED)
}

/** A pair's addresses: the peer's first; a subnet is named by its network and netmask. */
function ifconfigView(input: OptionsStringInput, [local, second]: readonly [string, string]): string {
  if (input.device !== 'tap' && !second.startsWith('255.')) return `${second} ${local}`
  const mask = second.split('.').map(Number)
  const network = local.split('.').map((part, index) => Number(part) & (mask[index] ?? 0))
  return `${network.join('.')} ${second}`
}

/**
 * The largest packet as old releases counted it: every byte a data packet may need in DATA_V1, plus for AEAD ciphers
 * the IV and a block that are not on the wire. NEG-23
 */
export function linkMtu(input: OptionsStringInput): number {
  const cipher = factsOf(input)
  const head = input.staticKey === true ? LONG_PACKET_ID : OPCODE + PACKET_ID // NEG-25
  let size = input.tunMtu + head + cipher.ivLength + cipher.blockLength
  if (cipher.aead) size += AEAD_TAG
  else if (input.auth !== 'none') size += HASH_LENGTH[input.auth]
  if (input.device === 'tap') size += TAP_EXTRA
  if (input.transport === 'tcp') size += 2
  if (input.framing === 'v1') size += 1
  if (input.fragment === true) size += 4
  if (input.socks === true && input.transport === 'udp') size += 10
  return size
}

/** One setting in which two options strings differ. */
export interface OptionsDifference {
  /** The item's first word, for example `cipher` or `tun-mtu`. */
  readonly option: string
  /** Our expectation, as written; `undefined` where only the peer has it. */
  readonly expected: string | undefined
  /** The peer's item; `undefined` where only we have it. */
  readonly actual: string | undefined
  /**
   * `harmless`: negotiated elsewhere or informational only. `breaks`: packets of one side will not be understood by the
   * other unless pushed options mend it.
   */
  readonly weight: 'harmless' | 'breaks'
}

/** Items that differ without any consequence between current peers. NEG-24 */
const HARMLESS: ReadonlySet<string> = new Set([
  'V4',
  'link-mtu',
  'proto',
  'tun-ipv6',
  'keydir',
  'tls-auth',
  'key-method',
  'cipher',
  'auth',
  'keysize',
  'secret',
])
/** Most items of a peer's string that are compared. */
const MAX_ITEMS = 64

/**
 * What differs between the string we expected and the one that came, in the order of the items. NEG-24
 *
 * @param cipherNegotiated - true when the data cipher came from negotiation, so that `cipher`, `auth` and `keysize` have
 * no effect.
 */
export function compareOptionsStrings(
  expected: string,
  actual: string,
  cipherNegotiated: boolean,
): readonly OptionsDifference[] {
  const ours = itemsOf(expected)
  const theirs = itemsOf(actual)
  const differences: OptionsDifference[] = []
  const weigh = (option: string): 'harmless' | 'breaks' => {
    if (!cipherNegotiated && (option === 'cipher' || option === 'auth' || option === 'keysize')) return 'breaks'
    return HARMLESS.has(option) ? 'harmless' : 'breaks'
  }
  for (const [option, text] of ours) {
    const other = theirs.get(option)
    if (other !== text) differences.push({ option, expected: text, actual: other, weight: weigh(option) })
  }
  for (const [option, text] of theirs)
    if (!ours.has(option)) differences.push({ option, expected: undefined, actual: text, weight: weigh(option) })
  return differences
}

function itemsOf(text: string): Map<string, string> {
  const items = new Map<string, string>()
  for (const item of text.split(',', MAX_ITEMS)) {
    if (item === '') continue
    const space = item.indexOf(' ')
    const option = space < 0 ? item : item.slice(0, space)
    if (!items.has(option)) items.set(option, item)
  }
  return items
}

/**
 * The cipher a peer's options string shows, for peers that do not negotiate: the canonical name where it is known, else
 * the text; `undefined` when the string shows none. NEG-13
 */
export function optionsStringCipher(text: string): string | undefined {
  const item = itemsOf(text).get('cipher')
  if (item === undefined) return undefined
  const name = item.slice('cipher '.length)
  if (name === '' || name === '[null-cipher]') return undefined
  return cipherByName(name)?.name ?? name
}

/** Whether a peer's options string shows compression framing. */
export function optionsStringHasCompression(text: string): boolean {
  return itemsOf(text).has('comp-lzo')
}
