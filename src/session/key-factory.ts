/**
 * From a finished negotiation to a data key: derivation, channel, the words about it, and the dynamic control wrap
 * (spec/rekeying.md).
 */
import { wipe } from '../bytes/index.ts'
import type { TunnelOptions } from '../control/index.ts'
import {
  createDataChannel,
  type DataCipher,
  dataLayout,
  defaultMssfix,
  fragmentLimit,
  FRAMING_STYLES,
  isAead,
  mssLimit,
  restoreDataChannel,
  splitKey2,
} from '../data/index.ts'
import { createTlsCryptKeys, DYNAMIC_KEY_LABEL, mixDynamicKey } from '../wire/index.ts'
import type { Agreement } from './agreed.ts'
import type { SessionContext } from './context.ts'
import type { ControlChannel } from './control-channel.ts'
import { DataKey } from './key-ring.ts'
import { logControlKey, logDataKeys } from './key-log.ts'
import type { KeyState } from './key-state.ts'
import type { Negotiated } from './output.ts'
import { subjectOf } from './peer.ts'
import type { DataKeySnapshot } from './snapshot.ts'
import type { TunnelLayers } from './tunnel.ts'
import type { ResolvedConfig } from './resolved-config.ts'
import { WrapState } from './wrap-state.ts'

/** TLS exporter label of the data keys. */
const DATA_KEYS_LABEL = 'EXPORTER-OpenVPN-datakeys'
/** Bytes of key material for both directions. */
const KEY2_LENGTH = 256
/** Our words for what `mssfix` counts, in the data floor's. */
const MSS_SENSES = { payload: 'datagram', mtu: 'mtu', fixed: 'fixed' } as const
/** Packets up to this size are taken whatever the mtu, as peers' settings may differ a little. */
const LEAST_LARGEST_PACKET = 1600
/** Ethernet header with a VLAN tag. */
const TAP_EXTRA = 18

/** The data key of an active negotiation; undefined when the derivation came out unusable. */
export function createDataKey(
  context: SessionContext,
  channel: ControlChannel,
  key: KeyState,
  agreement: Agreement,
  peerInfo: Readonly<Record<string, string>>,
  now: number,
): DataKey | undefined {
  const { config } = context
  const [client, server] = sessionIds(context, channel)
  const exporter = agreement.keyDerivation === 'tls-ekm'
  const material = exporter ? key.exportKey(DATA_KEYS_LABEL, KEY2_LENGTH) : key.deriveKeys(client, server)
  if (config.keyLog) logDataKeys(context, [client, server], key.keyId, agreement, material)
  const keys = splitKey2(material, config.role)
  wipe(material)
  if (keys === undefined) return undefined
  const { counterStart } = config
  const dataChannel = createDataChannel({ ...channelOptions(context, key.keyId, agreement), keys, counterStart })
  key.keysDerived()
  const negotiated = describe(context, channel, key, agreement, peerInfo)
  const dataKey = new DataKey(dataChannel, negotiated, now, key.startedAt + switchDelay(context))
  dataKey.ackRepeats = key.ackRepeats
  return dataKey
}

/** A data key of another process, to go on with. SESS-170 */
export function restoreDataKey(
  context: SessionContext,
  agreement: Agreement,
  from: DataKeySnapshot,
  now: number,
): DataKey {
  const { negotiated, sendFrom, since } = from
  const options = channelOptions(context, negotiated.keyId, agreement)
  const key = new DataKey(restoreDataChannel(options, from.channel, now), negotiated, since, sendFrom)
  key.dieAt = from.dieAt
  key.bytes = from.bytes
  key.packets = from.packets
  key.successorAsked = from.successorAsked
  return key
}

function channelOptions({ config, crypto, random }: SessionContext, keyId: number, agreement: Agreement) {
  return {
    crypto,
    cipher: agreement.cipher,
    auth: agreement.auth,
    epoch: agreement.epoch,
    keyId,
    peerId: agreement.sendPeerId,
    receivePeerId: agreement.receivePeerId,
    replay: { window: config.replay.size, seconds: config.replay.seconds },
    random,
    allowInsecure: config.allowInsecure,
  }
}

/** Both ends' session ids, the TLS client's first. */
function sessionIds({ config }: SessionContext, channel: ControlChannel): readonly [Uint8Array, Uint8Array] {
  const { localSessionId, peerSessionId = new Uint8Array(8) } = channel
  return config.role === 'client' ? [localSessionId, peerSessionId] : [peerSessionId, localSessionId]
}

/** How long the old key goes on sending after a renegotiation began. REKEY-7 */
function switchDelay({ config }: SessionContext): number {
  const { handWindow, renegotiateAfter } = config.timers
  return renegotiateAfter > 0 ? Math.min(handWindow, renegotiateAfter / 2) : handWindow
}

/** The wrap of later negotiations, mixed from the first TLS session and the shared key. REKEY-12 */
export function createDynamicWrap(context: SessionContext, channel: ControlChannel): WrapState {
  const { config, crypto } = context
  const exported = channel.primary.exportKey(DYNAMIC_KEY_LABEL, KEY2_LENGTH)
  const key = mixDynamicKey(exported, channel.wrap.key)
  wipe(exported)
  if (config.keyLog) logControlKey(context, sessionIds(context, channel), key)
  return new WrapState(createTlsCryptKeys(crypto, key, config.role), key, config.replay)
}

/** What of an agreement decides how long packets are. */
export interface PacketShape extends Pick<Agreement, 'auth' | 'compression' | 'epoch' | 'sendPeerId'> {
  readonly cipher: DataCipher
}

/** The layers inside the encryption, as configured and pushed. SESS-76 */
export function pipelineOptions(config: ResolvedConfig, agreement: PacketShape, options: TunnelOptions): TunnelLayers {
  const pull = config.role === 'client' && !config.pointToPoint
  const compression = agreement.compression ?? (pull ? options.protocol.compression : undefined) ?? config.compression
  const tunMtu = (pull ? options.mtu : undefined) ?? config.tunMtu
  const { cipher, auth, epoch, sendPeerId } = agreement
  const staticKey = config.staticKey !== undefined
  const layout = dataLayout({ cipher, auth, epoch, staticKey, peerId: sendPeerId !== undefined })
  const outer = { transport: config.transport, family: 4 } as const
  const style = FRAMING_STYLES[compression]
  const inner = {
    compression: style === 'v1' || style === 'v1-swap' ? 1 : 0,
    fragment: config.fragment > 0,
    tap: config.device === 'tap',
  }
  const { mssfix } = config
  const mssOption =
    mssfix === undefined
      ? defaultMssfix(tunMtu)
      : { size: mssfix === 'off' ? 0 : mssfix.size, sense: mssfix === 'off' ? 'fixed' : MSS_SENSES[mssfix.mode] }
  return {
    device: config.device,
    mtu: tunMtu,
    compression,
    allowCompression: config.allowCompression === 'asym',
    mss: mssfix === 'off' ? 0 : mssLimit(mssOption, layout, outer, inner),
    blockIpv6: pull && options.blockIpv6,
    largestPacket: Math.max(tunMtu, LEAST_LARGEST_PACKET) + (config.device === 'tap' ? TAP_EXTRA : 0),
    ...(config.fragment > 0 ? { fragment: fragmentLimit(config.fragment, false, layout, outer) } : {}),
  }
}

function describe(
  { config }: SessionContext,
  channel: ControlChannel,
  key: KeyState,
  agreement: Agreement,
  peerInfo: Readonly<Record<string, string>>,
): Negotiated {
  const info = key.tlsInfo
  const { cipher } = agreement
  const aead = isAead(cipher)
  return {
    keyId: key.keyId,
    tlsVersion: info?.version ?? '',
    cipherSuite: info?.cipherSuite ?? '',
    group: info?.group,
    signatureScheme: info?.peerSignatureScheme,
    wrap: config.wrap.type === 'tls-crypt-v2-server' ? 'tls-crypt-v2' : config.wrap.type,
    dynamicTlsCrypt: channel.dynamicWrap !== undefined,
    dataCipher: cipher,
    dataAuth: aead ? undefined : agreement.auth,
    dataFormat: agreement.epoch ? 'epoch' : aead ? 'aead' : cipher === 'none' ? 'none' : 'cbc',
    keyDerivation: agreement.keyDerivation,
    peerId: agreement.sendPeerId,
    peerSubject: subjectOf(info?.peerCertificates ?? []),
    peerInfo,
  }
}
