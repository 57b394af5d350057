/**
 * Recordings: written by machines that behave as ever, replayed to the byte with either provider, and told apart from others.
 */
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/bytes/index.ts'
import type { ClientConfig } from '../../../src/client/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import { decodeCapture, Decoder, ladderLines } from '../../../src/decode/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { isRecording, recordClient, recordedTraffic, recordSession, Replay } from '../../../src/record/index.ts'
import { canonicalText, decodeValue, encodeValue } from '../../../src/record/codec.ts'
import { type Output, SecretText, Session, type SessionConfig } from '../../../src/session/index.ts'
import { generateStaticKey, StaticKey, TlsCryptV2ServerKey } from '../../../src/wire/index.ts'
import { createPeerVerifier } from '../../../src/x509/index.ts'
import { type End, Network, rough } from '../../support/network.ts'
import { ipPacket, pairConfigs } from '../../support/pair.ts'
import { PKI_NOW } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'
import { wrapPair } from '../../support/wraps.ts'

interface Run {
  readonly recordings: Readonly<Record<End, string>>
  readonly outputs: Readonly<Record<End, readonly Output[]>>
  readonly datagrams: number
}

/** Two sessions over a rough link, both recorded or neither. */
function run(recorded: boolean, seed: string, transport: 'udp' | 'tcp' = 'udp'): Run {
  const lines: Record<End, string[]> = { client: [], server: [] }
  const outputs: Record<End, Output[]> = { client: [], server: [] }
  const random = new SeededRandom(seed)
  const wraps = wrapPair('tls-crypt-v2')
  const [client, server] = pairConfigs({ transport, client: { wrap: wraps.client }, server: { wrap: wraps.server } })
  const network = new Network(random.fork('network'), rough(transport === 'udp' ? 0.05 : 0), transport)
  const create = (end: End, config: SessionConfig): Session => {
    const source = random.fork(end).source
    const environment = { now: 0, timeOrigin: PKI_NOW, random: source, crypto: nodeCrypto }
    return recorded
      ? recordSession(config, environment, (line) => lines[end].push(line))
      : new Session(config, environment)
  }
  const sessions = { client: create('client', client), server: create('server', server) }
  let now = 0
  let datagrams = 0
  const drain = (end: End): void => {
    for (let output = sessions[end].poll(); output !== undefined; output = sessions[end].poll()) {
      outputs[end].push(output)
      if (output.type === 'transmit') network.send(output.data, end === 'client' ? 'server' : 'client', now)
    }
  }
  drain('client')
  for (let step = 0; step < 400; step++) {
    now = Math.min(network.pollTimeout(), sessions.client.pollTimeout(), sessions.server.pollTimeout(), now + 5000)
    for (let arrival = network.poll(now); arrival !== undefined; arrival = network.poll(now)) {
      sessions[arrival.to].receive(arrival.bytes, now)
      datagrams++
      drain(arrival.to)
    }
    for (const end of ['client', 'server'] as const) {
      sessions[end].handleTimeout(now)
      if (step % 7 === 0) sessions[end].send(ipPacket(step), now)
      if (step === 200 && end === 'client') sessions.client.renegotiate(now)
      if (step === 390 && end === 'client') sessions.client.close(now)
      drain(end)
    }
  }
  return {
    recordings: { client: lines.client.join('\n'), server: lines.server.join('\n') },
    outputs,
    datagrams,
  }
}

/** Runs a replay to its end; all outputs. */
function replayAll(replay: Replay): readonly unknown[] {
  const outputs: unknown[] = []
  for (let step = replay.step(); step !== undefined; step = replay.step()) outputs.push(...step.outputs)
  return outputs
}

describe.each(['udp', 'tcp'] as const)('a recorded session over %s', (transport) => {
  const recorded = run(true, 'record', transport)

  it('REC-5 behaves as it would without', () => {
    const plain = run(false, 'record', transport)
    expect(recorded.outputs.client.length).toBeGreaterThan(30)
    for (const end of ['client', 'server'] as const) {
      expect(canonicalText(recorded.outputs[end])).toBe(canonicalText(plain.outputs[end]))
    }
  })

  it.each([
    ['node', nodeCrypto],
    ['noble', noble],
  ] as const)('REC-6 REC-7 REC-10 REC-11 is replayed to the byte with %s', (_name, crypto) => {
    for (const end of ['client', 'server'] as const) {
      const replay = new Replay(recorded.recordings[end], { crypto })
      const outputs = replayAll(replay)
      expect(replay.verdict).toEqual({ type: 'same' })
      expect(canonicalText(outputs)).toBe(canonicalText(recorded.outputs[end]))
      expect(replay.inputs).toBeGreaterThan(400)
    }
  })

  it('REC-10 stops at any step, and at the first difference', () => {
    const text = recorded.recordings.client
    const replay = new Replay(text, { crypto: nodeCrypto })
    for (let step = 0; step <= 30; step++) expect(replay.step()?.number).toBe(step)
    expect((replay.machine as Session).stats.datagramsSent).toBeGreaterThan(0)
    const lines = text.split('\n')
    const at = lines.findIndex((line, index) => index > 20 && line.startsWith('["r","'))
    const changed = lines.map((line, index) => (index === at ? line.replace(/,"[A-Za-z0-9+/]{4}/, ',"AAAA') : line))
    const other = new Replay(changed.join('\n'), { crypto: nodeCrypto })
    replayAll(other)
    expect(other.verdict.type).toBe('different')
  })

  it('REC-8 a recording that was cut is good up to there', () => {
    const text = recorded.recordings.server
    for (const length of [text.length - 3, Math.floor(text.length / 2), Math.floor(text.length / 3)]) {
      const replay = new Replay(text.slice(0, length), { crypto: nodeCrypto })
      replayAll(replay)
      expect(replay.verdict).toEqual({ type: 'same' })
    }
    expect(() => new Replay('hello')).toThrow(ConfigError)
    expect(() => new Replay(`${text.split('\n')[0]!}\nnonsense\n["i","close",[1]]`)).toThrow(ConfigError)
    expect(isRecording(text)).toBe(true)
  })

  it('REC-12 is shown as traffic, every packet opened with no key but its own', () => {
    const { keys, packets } = recordedTraffic(recorded.recordings.client, nodeCrypto)
    const decoder = new Decoder({ keys, crypto: nodeCrypto })
    const decoded = packets.map((packet) => decoder.packet(packet))
    const controls = decoded.filter(({ control }) => control !== undefined)
    const sent = controls.filter(({ from }) => from === 'session')
    expect(sent.length).toBeGreaterThan(8)
    expect(sent.every(({ control }) => control?.authentic === true)).toBe(true)
    const data = decoded.filter((packet) => packet.data !== undefined && packet.from === 'session')
    expect(data.length).toBeGreaterThan(5)
    expect(data.every((packet) => packet.data?.opened === true)).toBe(true)
    const text = decoded.flatMap((packet) => ladderLines(packet, PKI_NOW)).join('\n')
    expect(text).toContain('PUSH_REPLY')
    expect(decodeCapture(new Uint8Array(9))).toBeUndefined()
  })
})

describe('a recorded client over several remotes', () => {
  /** Both remotes share one TLS object, as blocks of a profile do. The first one is silent. */
  const record = (): string => {
    const lines: string[] = []
    const [session] = pairConfigs()
    const config: ClientConfig = {
      remotes: ['192.0.2.1', '192.0.2.2'].map((host) => ({ host, port: 1194, session })),
      retry: { pollTimeout: 2000 },
    }
    const environment = { now: 0, timeOrigin: PKI_NOW, random: new SeededRandom('remotes').source, crypto: nodeCrypto }
    const client = recordClient(config, environment, (line) => lines.push(line))
    for (let now = 0, link = 0; now <= 3000; now += 500) {
      client.handleTimeout(now)
      for (let output = client.poll(); output !== undefined; output = client.poll()) {
        if (output.type === 'connect') link = output.link
      }
      client.connected(link, now)
      while (client.poll() !== undefined);
    }
    return lines.join('\n')
  }

  it('REC-6 is replayed to the byte', () => {
    const replay = new Replay(record(), { crypto: nodeCrypto })
    const outputs = replayAll(replay)
    expect(replay.verdict).toEqual({ type: 'same' })
    expect(outputs.filter((output) => (output as { type: string }).type === 'transmit').length).toBeGreaterThan(1)
  })

  it('REC-10 ends when draws are missing or of another length', () => {
    const lines = record().split('\n')
    const draws = lines.map((line, index) => (line.startsWith('["r"') ? index : -1)).filter((index) => index >= 0)
    expect(draws).toHaveLength(2)
    for (const at of draws) {
      for (const instead of [[], ['["r","AAAA"]']]) {
        const replay = new Replay([...lines.slice(0, at), ...instead, ...lines.slice(at + 1)].join('\n'), {
          crypto: nodeCrypto,
        })
        replayAll(replay)
        expect(replay.verdict.type).toBe('different')
      }
    }
  })
})

describe('recordings that are not whole', () => {
  it('REC-10 say that they were cut off, and where they are damaged', () => {
    const text = run(true, 'cut').recordings.client
    expect(new Replay(text, { crypto: nodeCrypto }).isCut).toBe(false)
    for (const length of [text.length - 20, Math.floor(text.length / 2)]) {
      const replay = new Replay(text.slice(0, length), { crypto: nodeCrypto })
      expect(replay.isCut).toBe(true)
      while (replay.step() !== undefined);
      expect(replay.verdict).toEqual({ type: 'same' })
    }
    expect(() => new Replay(text.slice(0, 1000))).toThrow('damaged in line 1')
    const lines = text.split('\n')
    expect(() => new Replay([...lines.slice(0, 4), '{', ...lines.slice(4)].join('\n'))).toThrow('damaged in line 5')
  })
})

describe('values', () => {
  it('REC-1 REC-2 REC-4 every kind comes back', () => {
    const key = generateStaticKey(new SeededRandom('codec').source)
    const value = {
      text: 'a',
      none: undefined,
      nothing: null,
      list: [1, -2.5, Infinity, true],
      big: 123456789012345678901234567890n,
      bytes: Uint8Array.of(1, 2, 255),
      key,
      serverKey: new TlsCryptV2ServerKey(new Uint8Array(128).fill(7)),
      secret: new SecretText('p'),
      map: new Map([['a', Uint8Array.of(1)]]),
      set: new Set(['x']),
    }
    const back = decodeValue(JSON.parse(JSON.stringify(encodeValue(value)))) as typeof value
    expect(back).toMatchObject({ text: 'a', none: undefined, nothing: null, list: value.list, big: value.big })
    expect(back.bytes).toEqual(value.bytes)
    expect(back.key).toBeInstanceOf(StaticKey)
    expect(back.key.exportBytes()).toEqual(key.exportBytes())
    expect(back.serverKey.exportBytes()).toEqual(value.serverKey.exportBytes())
    expect(back.secret.reveal()).toBe('p')
    expect(back.map).toEqual(value.map)
    expect(back.set).toEqual(value.set)
    expect(canonicalText(back)).toBe(canonicalText(value))
    expect(() => encodeValue({ random: () => 1 })).toThrow(ConfigError)
    expect(() => decodeValue({ $other: 1 })).toThrow(ConfigError)
  })

  it('REC-3 a verifier is made again of its options', () => {
    const { ca } = pairCa()
    const verifier = createPeerVerifier({ ca, remoteCertTls: 'server' })
    const back = decodeValue(encodeValue({ verifier })) as { verifier: typeof verifier }
    expect(back.verifier.options).toEqual({ ca, remoteCertTls: 'server' })
  })

  it('REC-9 the fast lane is recorded too', () => {
    const lines: string[] = []
    const [client] = pairConfigs()
    const environment = { now: 0, timeOrigin: PKI_NOW, random: new SeededRandom('lane').source, crypto: nodeCrypto }
    const session = recordSession(client, environment, (line) => lines.push(line))
    const buffer = new Uint8Array(2000)
    expect(session.open(buffer, 100, 50, 1)).toBeLessThan(0)
    expect(session.seal(buffer, 100, 50, 1)).toBeLessThan(0)
    while (session.poll() !== undefined);
    expect(lines.filter((line) => line.startsWith('["i","open"') || line.startsWith('["i","seal"'))).toHaveLength(2)
    expect(lines.join('').length).toBeLessThan(20_000)
    const replay = new Replay(lines.join('\n'), { crypto: nodeCrypto })
    replayAll(replay)
    expect(replay.verdict).toEqual({ type: 'same' })
    expect((replay.machine as Session).stats.dropped).toEqual(session.stats.dropped)
  })
})

function pairCa(): { readonly ca: string } {
  const verifier = pairConfigs()[0].tls?.verifier
  if (verifier === undefined || !('options' in verifier)) throw new Error('no verifier')
  return { ca: (verifier.options as { ca: string }).ca }
}
