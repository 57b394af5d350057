/**
 * `protocol-flags` and `key-derivation`: the pushed options that switch features of the protocol on
 * (spec/negotiation.md).
 *
 * A server pushes a flag only where the client announced the matching bit and the server has it too. A client takes the
 * flags it knows and reports the others; a future server's flag is no reason to fail.
 */
import type { KeyDerivation } from './negotiation.ts'
import { type IvProtoBit, IvProto, type PeerInfo, peerHas } from './peer-info.ts'

/** Flags of `protocol-flags`. */
export type ProtocolFlag = 'cc-exit' | 'tls-ekm' | 'dyn-tls-crypt' | 'aead-epoch'

/** What the two options switch on together. */
export interface ProtocolFeatures {
  readonly keyDerivation: KeyDerivation
  /** Farewells as control messages. */
  readonly ccExit: boolean
  /** Later negotiations are wrapped with a key from the exporter. */
  readonly dynamicTlsCrypt: boolean
  /** Data packets in the epoch format. */
  readonly epoch: boolean
}

/** Nothing switched on. */
export const NO_FEATURES: ProtocolFeatures = {
  keyDerivation: 'openvpn-prf',
  ccExit: false,
  dynamicTlsCrypt: false,
  epoch: false,
}

const FLAGS: ReadonlyMap<string, ProtocolFlag> = new Map([
  ['cc-exit', 'cc-exit'],
  ['tls-ekm', 'tls-ekm'],
  ['dyn-tls-crypt', 'dyn-tls-crypt'],
  ['aead-epoch', 'aead-epoch'],
])

/** The known flags among `words`, and the others. NEG-18 */
export function readProtocolFlags(words: readonly string[]): {
  readonly known: readonly ProtocolFlag[]
  readonly unknown: readonly string[]
} {
  const known: ProtocolFlag[] = []
  const unknown: string[] = []
  for (const word of words) {
    const flag = FLAGS.get(word)
    if (flag === undefined) unknown.push(word)
    else if (!known.includes(flag)) known.push(flag)
  }
  return { known, unknown }
}

/** The features behind flags and an optional `key-derivation`. */
export function featuresOf(flags: readonly ProtocolFlag[], keyDerivation?: KeyDerivation): ProtocolFeatures {
  return {
    keyDerivation: flags.includes('tls-ekm') || keyDerivation === 'tls-ekm' ? 'tls-ekm' : 'openvpn-prf',
    ccExit: flags.includes('cc-exit'),
    dynamicTlsCrypt: flags.includes('dyn-tls-crypt'),
    epoch: flags.includes('aead-epoch'),
  }
}

/** What a server settles for one client. */
export interface ServerFeatureChoice {
  readonly features: ProtocolFeatures
  /** Option lines to push, in the reference's order after `cipher`. */
  readonly push: readonly string[]
}

/**
 * The features a server switches on for a client, and how it says so. NEG-19, NEG-20
 *
 * @param own - bits that are true on this side.
 * @param aead - whether the chosen data cipher is an AEAD.
 */
export function chooseServerFeatures(
  own: readonly IvProtoBit[],
  peerInfo: PeerInfo,
  aead: boolean,
): ServerFeatureChoice {
  const both = (bit: IvProtoBit): boolean => own.includes(bit) && peerHas(peerInfo, bit)
  const exporter = both('tlsKeyExport')
  if (!both('ccExit')) {
    // NEG-20: a client that does not know `protocol-flags` can still be told of the exporter.
    const push = exporter ? ['key-derivation tls-ekm'] : []
    return { features: featuresOf(exporter ? ['tls-ekm'] : []), push }
  }
  const flags: ProtocolFlag[] = ['cc-exit']
  if (exporter) {
    flags.push('tls-ekm')
    if (both('dynamicTlsCrypt')) flags.push('dyn-tls-crypt')
    if (aead && both('dataV2') && both('dataEpoch')) flags.push('aead-epoch')
  }
  return { features: featuresOf(flags), push: [`protocol-flags ${flags.join(' ')}`] }
}

/** The `IV_PROTO` number of a set of bits. */
export function protoNumber(bits: readonly IvProtoBit[]): number {
  let value = 0
  for (const bit of bits) value |= IvProto[bit]
  return value
}
