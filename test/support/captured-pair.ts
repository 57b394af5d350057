/**
 * A whole session between two of ours as a capture, with the keys and the trace of both ends: what a decoder is held against.
 */
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import type { ControlTrace, SessionConfig } from '../../src/session/index.ts'
import type { TlsVersion } from '../../src/tls/index.ts'
import { CAPTURE_ENDS, type CapturedDatagram } from './capture.ts'
import type { End } from './network.ts'
import { ipPacket, Pair, pairConfigs, type Side } from './pair.ts'
import { PKI_NOW } from './pki.ts'
import { type WrapKind, wrapPair } from './wraps.ts'

/** What the session is to be. */
export interface CapturedSession {
  readonly wrap?: WrapKind
  readonly version?: TlsVersion
  readonly transport?: 'udp' | 'tcp'
  readonly ipv6?: boolean
  /** Renegotiations. Default 1. */
  readonly renegotiations?: number
  readonly config?: Partial<SessionConfig>
}

/** The session and its capture. */
export interface CapturedRun {
  readonly pair: Pair
  readonly datagrams: readonly CapturedDatagram[]
  readonly keyLog: string
  /** What each end says it sent, in order. */
  readonly sent: Readonly<Record<End, readonly ControlTrace[]>>
}

/** Runs a session: connection, packets both ways, renegotiations, a farewell. */
export function capturedRun(session: CapturedSession = {}): CapturedRun {
  const { config = {}, renegotiations = 1, transport = 'udp', version = 'TLSv1.3', wrap = 'none' } = session
  const [{ tls }] = pairConfigs()
  if (tls === undefined) throw new Error('no TLS')
  const wraps = wrapPair(wrap)
  const pair = new Pair({
    crypto: nodeCrypto,
    transport,
    record: true,
    client: { ...config, keyLog: true, trace: true, wrap: wraps.client, tls: { ...tls, maxVersion: version } },
    server: {
      push: { options: ['route-gateway 10.8.0.1', 'topology subnet'], ifconfig: '10.8.0.2 255.255.255.0', peerId: 5 },
      ...config,
      keyLog: true,
      trace: true,
      wrap: wraps.server,
      timers: { renegotiateAfter: 0 },
    },
  })
  const datagrams: CapturedDatagram[] = []
  const sequences = { client: 1000, server: 0xfffffff0 }
  const capture = (payload: Uint8Array, from: End): void => {
    const six = session.ipv6 === true
    const [client, server] = six
      ? [CAPTURE_ENDS.client6, CAPTURE_ENDS.server6]
      : [CAPTURE_ENDS.client, CAPTURE_ENDS.server]
    const ends = from === 'client' ? { from: client, to: server } : { from: server, to: client }
    const time = PKI_NOW + pair.now
    if (transport === 'udp') datagrams.push({ ...ends, payload: payload.slice(), time })
    else {
      datagrams.push({ ...ends, payload: payload.slice(), time, sequence: sequences[from] })
      sequences[from] = (sequences[from] + payload.length) >>> 0
    }
  }
  for (const side of [pair.client, pair.server]) {
    for (const output of side.outputs) if (output.type === 'transmit') capture(output.data, side.end)
  }
  pair.network.filter = (bytes, to) => {
    capture(bytes, to === 'client' ? 'server' : 'client')
    return true
  }
  if (!pair.connect()) throw new Error('no connection')
  for (let round = 0; round <= renegotiations; round++) {
    for (let mark = 0; mark < 5; mark++) {
      pair.send(pair.client, ipPacket(100 * round + mark, 60 + 30 * mark))
      pair.send(pair.server, ipPacket(100 * round + mark + 50, 60 + 30 * mark))
    }
    pair.wait(100)
    if (round < renegotiations) renegotiate(pair, round + 1)
  }
  pair.input(pair.client, (client, now) => {
    client.close(now)
  })
  pair.wait(3_000)
  const lines = pair.events(pair.client, 'key-log').map(({ line }) => line.reveal())
  return {
    pair,
    datagrams,
    keyLog: lines.join('\n'),
    sent: { client: sentBy(pair, pair.client), server: sentBy(pair, pair.server) },
  }
}

function renegotiate(pair: Pair, wanted: number): void {
  pair.input(pair.client, (client, now) => {
    client.renegotiate(now)
  })
  const done = (side: Side): boolean => pair.events(side, 'rekeyed').length >= wanted
  pair.run(pair.now + 10_000, () => done(pair.client) && done(pair.server))
  // Past the moment at which both ends send with the new key.
  pair.wait(65_000)
}

function sentBy(pair: Pair, side: Side): readonly ControlTrace[] {
  return pair.events(side, 'trace').filter(({ direction }) => direction === 'sent')
}
