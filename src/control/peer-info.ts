/**
 * Peer info: the `KEY=VALUE` lines at the end of a key method message, in which a peer says what it can do
 * (spec/negotiation.md).
 *
 * Building takes the set of abilities as an argument, and every line and every bit of `IV_PROTO` is written only where
 * the ability is there: a server acts on these, so a bit too many breaks a session. Parsing treats the text as hostile:
 * unknown keys are opaque, names are limited to letters, digits and underscore, values lose everything that a shell or
 * a log could stumble over, the first line of a name wins, and both the number of names and the total size are capped.
 * The result is a `Map`, so no name can reach a prototype.
 */
import { UsageError } from '../bytes/index.ts'
import { isPlainAscii, parseDecimal } from './text.ts'

/** The bits of `IV_PROTO`. NEG-1 */
export const IvProto = {
  /** Understands DATA_V2 and peer-id. */
  dataV2: 1 << 1,
  /** A PUSH_REPLY may come before any PUSH_REQUEST. */
  requestPush: 1 << 2,
  /** Data keys by TLS exporter. */
  tlsKeyExport: 1 << 3,
  /** Reads keywords in AUTH_PENDING. */
  authPendingKeywords: 1 << 4,
  /** Negotiates the cipher without push. */
  ncpP2p: 1 << 5,
  /** First, obsolete form of the `dns` option. */
  dnsOption: 1 << 6,
  /** EXIT as control message, and `protocol-flags`. */
  ccExit: 1 << 7,
  /** AUTH_FAILED,TEMP. */
  authFailTemp: 1 << 8,
  /** Later negotiations wrapped with a tls-crypt key from the exporter. */
  dynamicTlsCrypt: 1 << 9,
  /** Epoch data format. */
  dataEpoch: 1 << 10,
  /** Final form of the `dns` option. */
  dnsOptionV2: 1 << 11,
  /** Reads PUSH_UPDATE. */
  pushUpdate: 1 << 12,
} as const

/** Name of a bit of `IV_PROTO`. */
export type IvProtoBit = keyof typeof IvProto

/** Compression framings, as the compression lines of peer info tell them. */
export interface CompressionAbilities {
  /** Decompresses LZO. */
  readonly lzo: boolean
  /** Decompresses LZ4, in both framings. */
  readonly lz4: boolean
  /** Reads the framings without compression (`stub`, `stub-v2`, and `comp-lzo no`). */
  readonly stubs: boolean
}

/** What this side can do, as far as peer info tells it. */
export interface PeerAbilities {
  /** Bits of `IV_PROTO` that are true here. */
  readonly proto: readonly IvProtoBit[]
  /** The `data-ciphers` list in canonical names. */
  readonly ciphers: readonly string[]
  /** Version to announce, for example `2.7.0`: servers look at it. */
  readonly version: string
  /** Platform word: `linux`, `win`, `mac`, `ios`, `android` … */
  readonly platform: string
  /** Largest tun MTU that a server may push; no line when `undefined`. */
  readonly mtu?: number | undefined
  /** No compression lines when `undefined`. */
  readonly compression?: CompressionAbilities | undefined
  /** `IV_SSO` methods that the host can carry out: `webauth`, `openurl`, `crtext`. */
  readonly sso?: readonly string[] | undefined
  /** `IV_GUI_VER`: product and version of the host. */
  readonly guiVersion?: string | undefined
  /** Told only with `push-peer-info`. */
  readonly hardwareAddress?: string | undefined
  /** Told only with `push-peer-info`: name of the TLS library. */
  readonly tlsLibrary?: string | undefined
  /** Told only with `push-peer-info`. */
  readonly platformVersion?: string | undefined
  /** Told only with `push-peer-info`: the host's own `UV_…` lines. */
  readonly userVariables?: ReadonlyMap<string, string> | undefined
  /** Peer-id that the other side shall use towards us (`ID=`), where asymmetric ids are wanted. */
  readonly peerId?: number | undefined
}

/**
 * How much is told: `none` by a server, `p2p` by a TLS peer without pull, `pull` by a client, `full` with
 * `push-peer-info`.
 */
export type PeerInfoDetail = 'none' | 'p2p' | 'pull' | 'full'

/** Bits that mean something only from a client that pulls. */
const PULL_ONLY: readonly IvProtoBit[] = ['requestPush', 'authPendingKeywords', 'authFailTemp']

/**
 * The peer info text for `abilities`.
 *
 * @throws UsageError when a value is not plain ASCII or a user variable's name is not `UV_` and letters, digits or
 * underscores.
 */
export function writePeerInfo(abilities: PeerAbilities, detail: PeerInfoDetail): string {
  const lines: string[] = []
  const line = (name: string, value: string | number): void => {
    const text = String(value)
    if (!isPlainAscii(text)) throw new UsageError(`${name} must be plain ASCII`)
    lines.push(`${name}=${text}\n`)
  }
  if (abilities.peerId !== undefined) line('ID', abilities.peerId.toString(16))
  if (detail === 'none') return lines.join('')
  const { ciphers } = abilities
  if (detail !== 'p2p') {
    line('IV_VER', abilities.version)
    line('IV_PLAT', abilities.platform)
    line('IV_TCPNL', 1)
    if (abilities.mtu !== undefined) line('IV_MTU', abilities.mtu)
    if (ciphers.includes('AES-128-GCM') && ciphers.includes('AES-256-GCM')) line('IV_NCP', 2) // NEG-3
  }
  if (ciphers.length > 0) line('IV_CIPHERS', ciphers.join(':'))
  line('IV_PROTO', ivProtoValue(abilities.proto, detail === 'p2p'))
  if (detail !== 'p2p') {
    for (const name of compressionLines(abilities.compression)) line(name, 1)
    if (detail === 'full') {
      if (abilities.hardwareAddress !== undefined) line('IV_HWADDR', abilities.hardwareAddress)
      if (abilities.tlsLibrary !== undefined) line('IV_SSL', abilities.tlsLibrary)
      if (abilities.platformVersion !== undefined) line('IV_PLAT_VER', abilities.platformVersion)
      for (const [name, value] of abilities.userVariables ?? []) {
        if (!name.startsWith('UV_') || !isName(name)) throw new UsageError('user variables are named UV_…')
        line(name, value)
      }
    }
    if (abilities.guiVersion !== undefined) line('IV_GUI_VER', abilities.guiVersion)
    if (abilities.sso !== undefined && abilities.sso.length > 0) line('IV_SSO', abilities.sso.join(','))
  }
  return lines.join('')
}

/** NEG-2: the number behind `IV_PROTO`, with the bits that fit the mode. */
function ivProtoValue(bits: readonly IvProtoBit[], p2p: boolean): number {
  let value = 0
  for (const bit of bits) {
    if (p2p ? PULL_ONLY.includes(bit) : bit === 'ncpP2p') continue
    value |= IvProto[bit]
  }
  return value
}

function compressionLines(abilities: CompressionAbilities | undefined): string[] {
  const names: string[] = []
  if (abilities === undefined) return names
  if (abilities.lz4) names.push('IV_LZ4', 'IV_LZ4v2')
  if (abilities.lzo) names.push('IV_LZO')
  else if (abilities.stubs) names.push('IV_LZO_STUB')
  if (abilities.stubs) names.push('IV_COMP_STUB', 'IV_COMP_STUBv2')
  return names
}

/** Most names kept of a peer's info. */
export const MAX_PEER_INFO_NAMES = 64
/** Most characters of a peer's info that are looked at. */
export const MAX_PEER_INFO_LENGTH = 2048

/** A peer's info, cleaned. */
export interface PeerInfo {
  /** All lines kept, in order. Values are safe to show and to put into an environment. */
  readonly values: ReadonlyMap<string, string>
  /** `IV_PROTO` as a number, 0 when absent or not a number. */
  readonly proto: number
  /** `IV_CIPHERS` split at colons; `undefined` when absent. */
  readonly ciphers: readonly string[] | undefined
  /** `IV_NCP` as a number, 0 when absent. */
  readonly ncp: number
  /** `IV_MTU`, where present and in range. */
  readonly mtu: number | undefined
  /** `ID=`: the peer-id to write into data packets sent to this peer. */
  readonly peerId: number | undefined
  /** Lines left out: malformed, repeated, or over a cap. */
  readonly dropped: number
}

/** Reads a peer's info. Never fails: what does not fit is dropped and counted. NEG-4 */
export function parsePeerInfo(text: string): PeerInfo {
  const values = new Map<string, string>()
  let dropped = text.length > MAX_PEER_INFO_LENGTH ? 1 : 0
  for (const line of text.slice(0, MAX_PEER_INFO_LENGTH).split('\n')) {
    if (line === '') continue
    const equals = line.indexOf('=')
    const name = line.slice(0, Math.max(equals, 0))
    if (!isName(name) || values.has(name) || values.size >= MAX_PEER_INFO_NAMES) {
      dropped++
      continue
    }
    values.set(name, cleanValue(line.slice(equals + 1)))
  }
  const peerIdText = values.get('ID')
  return {
    values,
    proto: parseDecimal(values.get('IV_PROTO') ?? '', 0, 0x7fffffff) ?? 0,
    ciphers: values.get('IV_CIPHERS')?.split(':'),
    ncp: parseDecimal(values.get('IV_NCP') ?? '', 0, 0x7fffffff) ?? 0,
    mtu: parseDecimal(values.get('IV_MTU') ?? '', 68, 65535),
    peerId: peerIdText !== undefined && /^[0-9a-fA-F]{1,6}$/.test(peerIdText) ? parseInt(peerIdText, 16) : undefined,
    dropped,
  }
}

/** True when the peer announced the bit. */
export function peerHas(info: PeerInfo, bit: IvProtoBit): boolean {
  return (info.proto & IvProto[bit]) !== 0
}

function isName(name: string): boolean {
  return /^[A-Za-z0-9_]{1,64}$/.test(name)
}

/** NEG-5: whatever is not visible ASCII, and what a shell would expand, becomes an underscore. */
function cleanValue(value: string): string {
  let out = ''
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    const harmless = code > 0x20 && code < 0x7f && code !== 0x24 && code !== 0x28 && code !== 0x60
    out += harmless ? value.charAt(i) : '_'
  }
  return out
}
