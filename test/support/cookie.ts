/**
 * The first two packets of a session as a stateless server handles them: the client's reset is answered from nothing, and a
 * server session begins only with the packet that proves the answer arrived.
 */
import { noble } from '../../src/crypto/index.ts'
import { Session, type WrapConfig } from '../../src/session/index.ts'
import {
  type ControlWrap,
  createTlsAuthKeys,
  createTlsCryptKeys,
  createTlsCryptV2Wrapper,
  Opcode,
  opcodeOf,
  plainWrap,
  splitWrappedKey,
  type StaticKey,
  supportsEarlyNegotiation,
  writeResetSettings,
} from '../../src/wire/index.ts'
import { Pair, type PairOptions, pairConfigs, type Side } from './pair.ts'
import { PKI_NOW } from './pki.ts'
import { type WrapKind, wrapPair } from './wraps.ts'

const COOKIE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

/** The wrap of the stateless half, and the client's key where the reset brought one. */
function openReset(
  config: WrapConfig,
  datagram: Uint8Array,
): { wrap: ControlWrap; packet: Uint8Array; key?: StaticKey } {
  switch (config.type) {
    case 'tls-auth':
      return { wrap: createTlsAuthKeys(noble, config.key, config.direction, 'SHA1'), packet: datagram }
    case 'tls-crypt':
      return { wrap: createTlsCryptKeys(noble, config.key, 'server'), packet: datagram }
    case 'tls-crypt-v2-server': {
      const parts = splitWrappedKey(datagram)
      if (typeof parts === 'string') throw new Error(parts)
      const client = createTlsCryptV2Wrapper(noble, config.serverKey).unwrap(parts.wrappedKey)
      if (typeof client === 'string') throw new Error(client)
      return { wrap: createTlsCryptKeys(noble, client.key, 'server'), packet: parts.packet, key: client.key }
    }
    default:
      return { wrap: plainWrap, packet: datagram }
  }
}

/**
 * A pair whose server session begins behind the exchange.
 * @returns the pair, and the opcodes that the client sent so far and will send.
 */
export function cookieExchange(kind: WrapKind, options: PairOptions = {}): { pair: Pair; opcodes: number[] } {
  const wraps = wrapPair(kind)
  const { faults, ...rest } = options
  const pair = new Pair({
    ...rest,
    client: { ...options.client, wrap: wraps.client },
    server: { ...options.server, wrap: wraps.server },
  })
  const opcodes: number[] = []
  const first: Uint8Array[] = []
  for (let arrival = pair.network.poll(1e9); arrival !== undefined; arrival = pair.network.poll(1e9))
    first.push(arrival.bytes)
  const reset = first[0]!
  opcodes.push(opcodeOf(reset[0]!))
  const { wrap, packet, key } = openReset(wraps.server, reset)
  const opened = wrap.open(packet)
  if (typeof opened === 'string') throw new Error(opened)
  const resend = kind === 'tls-crypt-v2' && supportsEarlyNegotiation(opened.replayPacketId)
  const answer = wrap.seal(
    {
      opcode: Opcode.CONTROL_HARD_RESET_SERVER_V2,
      keyId: 0,
      sessionId: COOKIE,
      acks: [0],
      peerSessionId: opened.packet.sessionId,
      packetId: 0,
      payload: writeResetSettings({ resendWrappedKey: resend }),
    },
    1,
    Math.floor(PKI_NOW / 1000),
  )
  const resume = {
    sessionId: COOKIE,
    peerSessionId: opened.packet.sessionId,
    replayPacketId: 1,
    ...(key === undefined ? {} : { clientKey: key }),
  }
  const [, server] = pairConfigs({ ...rest, server: { ...options.server, wrap: wraps.server, resume } })
  const mutable = pair.server as { session: Side['session'] }
  mutable.session = new Session(server, pair.environment('server'))
  pair.network.filter = (bytes, to) => {
    if (to === 'server') opcodes.push(opcodeOf(bytes[0]!))
    return true
  }
  pair.input(pair.client, (session, now) => session.receive(answer, now))
  if (faults !== undefined) pair.network.faults = faults
  return { pair, opcodes }
}
