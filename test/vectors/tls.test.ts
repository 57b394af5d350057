/**
 * RFC 8448, replayed: from the private keys of the traces every secret, every record and every Finished comes out byte for
 * byte, opened and sealed again, and a server given the traces' randomness answers with the traces' ServerHello.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { concat, fromHex, toHex } from '../../src/bytes/index.ts'
import { type GroupName, noble, type RandomSource } from '../../src/crypto/index.ts'
import { readCertificateVerify, signedContent13 } from '../../src/tls/auth-messages.ts'
import { HandshakeStream, type HandshakeMessage } from '../../src/tls/handshake-stream.ts'
import { cipherSuiteById, signatureSchemeById, TlsConnection } from '../../src/tls/index.ts'
import { applicationSecrets, finishedMac, handshakeSecrets, trafficKeys } from '../../src/tls/key-schedule.ts'
import { Opener13, Sealer13 } from '../../src/tls/protection.ts'
import { HEADER_MARGIN } from '../../src/tls/record-reader.ts'
import { HandshakeType } from '../../src/tls/registry.ts'
import { syntheticHello, Transcript } from '../../src/tls/transcript.ts'
import { parseCertificate } from '../../src/x509/index.ts'
import { PKI_NOW, toyPki } from '../support/pki.ts'

interface Trace {
  readonly name: string
  readonly items: readonly { readonly name: string; readonly hex: string }[]
}

const { cases } = JSON.parse(readFileSync(new URL('../../vectors/tls/rfc8448.json', import.meta.url), 'utf8')) as {
  cases: readonly Trace[]
}

/** Where things stand in each trace: indices into its items. */
interface Layout {
  readonly group: GroupName
  readonly clientKey: number
  readonly serverKey: number
  /** Hello records in order: ClientHello, ServerHello, or with a retry two of each. */
  readonly hellos: readonly number[]
  readonly serverFlight: number
  readonly clientFlight: number
  /** Records under application keys: who sealed it, its place and its content type. */
  readonly application: readonly (readonly ['client' | 'server', number, number])[]
}

const LAYOUTS: Readonly<Record<string, Layout>> = {
  'section 3': {
    group: 'x25519',
    clientKey: 1,
    serverKey: 4,
    hellos: [2, 5],
    serverFlight: 10,
    clientFlight: 11,
    application: [
      ['server', 12, 22],
      ['client', 13, 23],
      ['server', 14, 23],
      ['client', 15, 21],
      ['server', 16, 21],
    ],
  },
  'section 5': {
    group: 'secp256r1',
    clientKey: 3,
    serverKey: 7,
    hellos: [2, 5, 6, 9],
    serverFlight: 10,
    clientFlight: 11,
    application: [
      ['client', 12, 21],
      ['server', 13, 21],
    ],
  },
  'section 6': {
    group: 'x25519',
    clientKey: 1,
    serverKey: 3,
    hellos: [2, 5],
    serverFlight: 6,
    clientFlight: 7,
    application: [
      ['client', 8, 21],
      ['server', 9, 21],
    ],
  },
  'section 7': {
    group: 'x25519',
    clientKey: 1,
    serverKey: 4,
    hellos: [2, 5],
    serverFlight: 7,
    clientFlight: 9,
    application: [
      ['client', 10, 21],
      ['server', 11, 21],
    ],
  },
}

function layoutOf({ name }: Trace): Layout {
  const key = Object.keys(LAYOUTS).find((section) => name.includes(section))
  if (key === undefined) throw new Error(name)
  return LAYOUTS[key]!
}

/** Gives out the prepared values in order. */
function prepared(...values: readonly Uint8Array[]): RandomSource {
  const queue = [...values]
  return (length) => {
    const next = queue.shift()
    if (next?.length !== length) throw new Error(`asked for ${length} bytes, had ${String(next?.length)}`)
    return next
  }
}

/** The draw from which the provider makes a given ephemeral key: for P-256 it takes 48 bytes x to x mod (n - 1) + 1. */
function drawOf(group: GroupName, key: Uint8Array): RandomSource {
  if (group === 'x25519') return prepared(key.slice())
  const wide = concat(new Uint8Array(16), key)
  let at = wide.length - 1
  while (wide[at] === 0) wide[at--] = 255
  wide[at]!--
  return prepared(wide)
}

/** Both directions of one pair of traffic secrets. */
function crossing(suite: Parameters<typeof trafficKeys>[1], client: Uint8Array, server: Uint8Array) {
  const make = (secret: Uint8Array) => {
    const keys = trafficKeys(noble, suite, secret)
    return { opener: new Opener13(noble, keys), sealer: new Sealer13(noble, keys) }
  }
  return { client: make(client), server: make(server) }
}

/** Opens a record of the trace, checks that sealing its content gives the record back, and returns the content. */
function reseal(side: { opener: Opener13; sealer: Sealer13 }, record: Uint8Array, type: number): Uint8Array {
  const buffer = concat(new Uint8Array(HEADER_MARGIN), record)
  const opened = side.opener.open(buffer, HEADER_MARGIN, record.length - 5)
  if (opened === undefined) throw new Error('the record does not open')
  expect(opened.type).toBe(type)
  const content = opened.fragment.slice()
  expect(toHex(side.sealer.seal(type, content))).toBe(toHex(record))
  return content
}

function messagesOf(flight: Uint8Array): HandshakeMessage[] {
  const stream = new HandshakeStream()
  stream.push(flight)
  const messages: HandshakeMessage[] = []
  for (let m = stream.next(() => 0xffff); m !== undefined; m = stream.next(() => 0xffff)) messages.push(m)
  expect(stream.pending).toBe(false)
  return messages
}

/** Adds a flight to the transcript, checking its Finished and its signature on the way. */
function follow(flight: Uint8Array, transcript: Transcript, from: 'client' | 'server', secret: Uint8Array): number {
  let checked = 0
  let leaf: Uint8Array | undefined
  for (const message of messagesOf(flight)) {
    if (message.type === HandshakeType.certificate) {
      leaf = message.body.subarray(7, 7 + ((message.body[5]! << 8) | message.body[6]!))
    } else if (message.type === HandshakeType.certificateVerify) {
      const certificate = parseCertificate(leaf!)
      if (typeof certificate === 'string') throw new Error(certificate)
      const { scheme, signature } = readCertificateVerify(message.body)
      const { algorithm } = signatureSchemeById(scheme)!
      const content = signedContent13(from, transcript.hash())
      expect(noble.verify(algorithm, certificate.publicKey!, content, signature)).toBe(true)
      checked++
    } else if (message.type === HandshakeType.finished) {
      expect(toHex(finishedMac(noble, 'SHA256', secret, transcript.hash()))).toBe(toHex(message.body))
      checked++
    }
    transcript.add(message.raw)
  }
  return checked
}

describe('RFC 8448', () => {
  it('has four traces', () => {
    expect(cases).toHaveLength(4)
  })

  it.each(cases.map((trace) => [trace.name, trace] as const))('TLS13-1 %s', (_name, trace) => {
    const layout = layoutOf(trace)
    const items = trace.items.map(({ hex }) => fromHex(hex)!)
    const item = (index: number) => items[index]!
    const hellos = layout.hellos.map((index) => item(index).subarray(5))
    const suite = cipherSuiteById(0x1301)!

    const own = noble.createKeyShare(layout.group, drawOf(layout.group, item(layout.clientKey)))
    const lastClientHello = hellos.at(-2)!
    expect(toHex(lastClientHello)).toContain(toHex(own.share))
    const serverShare = noble.createKeyShare(layout.group, drawOf(layout.group, item(layout.serverKey))).share
    expect(toHex(hellos.at(-1)!)).toContain(toHex(serverShare))
    const shared = own.agree(serverShare)
    if (shared === undefined) throw new Error('no agreement')

    const transcript =
      hellos.length === 2
        ? new Transcript(noble, 'SHA256', ...hellos)
        : new Transcript(noble, 'SHA256', syntheticHello(noble, 'SHA256', hellos[0]!), ...hellos.slice(1))
    const secrets = handshakeSecrets(noble, 'SHA256', shared, transcript.hash())
    const { clientHandshakeTrafficSecret: clientSecret, serverHandshakeTrafficSecret: serverSecret } = secrets
    const handshake = crossing(suite, clientSecret, serverSecret)
    const serverFlight = reseal(handshake.server, item(layout.serverFlight), 22)
    expect(follow(serverFlight, transcript, 'server', serverSecret)).toBe(2)
    const application = applicationSecrets(noble, 'SHA256', secrets.handshakeSecret, transcript.hash())
    const clientFlight = reseal(handshake.client, item(layout.clientFlight), 22)
    const withCertificate = trace.name.includes('section 6')
    expect(follow(clientFlight, transcript, 'client', clientSecret)).toBe(withCertificate ? 2 : 1)

    const open = crossing(suite, application.clientApplicationTrafficSecret, application.serverApplicationTrafficSecret)
    for (const [sender, index, type] of layout.application) {
      const content = reseal(open[sender], item(index), type)
      if (type === 21) expect([...content]).toEqual([1, 0])
    }
  })

  it.each(cases.filter(({ name }) => !name.includes('section 5')).map((trace) => [trace.name, trace] as const))(
    'TLS13-1 TLS13-5 a server with the randomness of %s answers with its ServerHello',
    (_name, trace) => {
      const layout = layoutOf(trace)
      const items = trace.items.map(({ hex }) => fromHex(hex)!)
      const expected = items[layout.hellos[1]!]!
      const pki = toyPki('P-256')
      const server = new TlsConnection(
        {
          role: 'server',
          certificateChain: [pki.server.der],
          privateKey: pki.server.key,
          cipherSuites: ['TLS_AES_128_GCM_SHA256'],
          groups: ['x25519'],
        },
        { unixTime: PKI_NOW, crypto: noble, random: prepared(expected.slice(11, 43), items[layout.serverKey]!) },
      )
      server.receive(items[layout.hellos[0]!]!, PKI_NOW)
      const output = server.poll()
      if (output?.type !== 'transmit') throw new Error(output?.type)
      const compatible = trace.name.includes('section 7')
      const wanted = compatible ? concat(expected, items[6]!) : expected
      expect(toHex(output.data.subarray(0, wanted.length))).toBe(toHex(wanted))
    },
  )
})
