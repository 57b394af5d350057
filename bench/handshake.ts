/**
 * Mutual TLS 1.3 handshakes: CPU per side, with P-256 and RSA-2048 certificates, as a ratio to the sum of the provider's own
 * primitives that no handshake can do without; and the first handshake of a fresh process.
 *
 * The yardstick is written out in {@link SidePrimitives}, not recorded from the engine, so that a call too many counts
 * against the engine. Where a handshake meets a key for the first time (the peer's), so does the yardstick: what a
 * provider spends on taking a key in belongs to its primitive. What stays the same from one connection to the next (the
 * own key, the CA's) is warm on both sides of the ratio.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type CryptoProvider, type Hash, noble, type PrivateKey, type PublicKey } from '../src/crypto/index.ts'
import { nodeCrypto } from '../src/node/crypto/index.ts'
import { TlsConnection, type TlsConfig } from '../src/tls/index.ts'
import { createPeerVerifier, parseCertificate } from '../src/x509/index.ts'
import { PKI_NOW, type PkiKind, type ToyPki, toyPki } from '../test/support/pki.ts'
import { SeededRandom } from '../test/support/random.ts'
import { cpuMs } from './clock.ts'

type Role = 'client' | 'server'

const GROUP = 'x25519'
const SUITE = 'TLS_AES_256_GCM_SHA384'
const HASH = 'SHA384'
const HASH_LENGTH = 48
const TARGET = 1.15

const ALGORITHMS = {
  'P-256': { verify: { type: 'ecdsa', hash: 'SHA256' }, certificate: { type: 'ecdsa', hash: 'SHA256' } },
  'rsa-2048': {
    verify: { type: 'rsa-pss', hash: 'SHA256', saltLength: 32 },
    certificate: { type: 'rsa-pkcs1', hash: 'SHA256' },
  },
} as const
type Kind = keyof typeof ALGORITHMS & PkiKind

const random = new SeededRandom('bench/handshake').source

/** Everything from the first byte to `connected` on one side, as calls of the provider and nothing else. */
class SidePrimitives {
  readonly #crypto: CryptoProvider
  readonly #kind: Kind
  readonly #ownKey: PrivateKey
  readonly #peerKey: PublicKey
  readonly #caKey: PublicKey
  readonly #tbs: Uint8Array
  readonly #tbsSignature: Uint8Array
  readonly #peerSignature: Uint8Array
  readonly #peerShare: Uint8Array
  readonly #signed = new Uint8Array(64 + 33 + 1 + HASH_LENGTH).fill(0x20)
  readonly #messages: readonly Uint8Array[]
  readonly #nonce = new Uint8Array(12)
  /** Ciphertext lengths of the records of both flights: the server's, the client's. */
  readonly #flights: readonly [number, number]

  constructor(crypto: CryptoProvider, kind: Kind, pki: ToyPki, role: Role) {
    const peer = pki[role === 'client' ? 'server' : 'client']
    this.#crypto = crypto
    this.#kind = kind
    this.#ownKey = pki[role].key
    this.#peerKey = peer.key.public
    this.#caKey = pki.ca.key.public
    const leaf = parseCertificate(peer.der)
    if (typeof leaf === 'string') throw new Error(leaf)
    this.#tbs = leaf.tbs
    this.#tbsSignature = leaf.signature
    this.#peerSignature = crypto.sign(ALGORITHMS[kind].verify, peer.key, this.#signed, random)
    this.#peerShare = crypto.createKeyShare(GROUP, random).share
    const signature = this.#peerSignature.length + 8
    const finished = HASH_LENGTH + 4
    const [own, theirs] = [pki.server.der.length + 13, pki.client.der.length + 13]
    this.#messages = [200, 122, 6, 50, own, signature, finished, theirs, signature, finished].map(
      (length) => new Uint8Array(length),
    )
    this.#flights = [56 + own + signature + finished, theirs + signature + finished]
  }

  /** The peer's key as a handshake has it: a record never seen before. */
  #freshPeerKey(): PublicKey {
    return { ...this.#peerKey }
  }

  run(): void {
    const crypto = this.#crypto
    const { verify, certificate } = ALGORITHMS[this.#kind]
    random(32)
    crypto.createKeyShare(GROUP, random).agree(this.#peerShare)
    this.#transcript()
    this.#keySchedule()
    this.#records()
    const peerKey = this.#freshPeerKey()
    crypto.verify(certificate, this.#caKey, this.#tbs, this.#tbsSignature)
    crypto.verify(verify, peerKey, this.#signed, this.#peerSignature)
    crypto.sign(verify, this.#ownKey, this.#signed, random)
  }

  /** All messages, and the six points at which both sides need their hash. */
  #transcript(): void {
    const state = this.#crypto.createHash(HASH)
    const read = (hash: Hash): Uint8Array => hash.clone().finish()
    this.#messages.forEach((message, i) => {
      state.update(message)
      // After ServerHello, Certificate, CertificateVerify and Finished of the server, then Certificate and CertificateVerify.
      if (i === 1 || (i > 3 && i < 9)) read(state)
    })
  }

  /** RFC 8446 section 7.1 from the shared secret on; what does not depend on it is a constant. */
  #keySchedule(): void {
    const secret = new Uint8Array(HASH_LENGTH)
    const label = new Uint8Array(20 + HASH_LENGTH)
    const mac = (length = label.length): void => {
      this.#crypto.createHmac(HASH, secret).update(label, 0, length).finish()
    }
    mac(32) // handshake secret
    mac() // client and server handshake traffic secrets
    mac()
    mac() // derived
    mac(HASH_LENGTH) // master secret
    mac() // client and server application traffic secrets, exporter
    mac()
    mac()
    for (let keys = 0; keys < 4; keys++) {
      mac(20) // key
      mac(20) // iv
    }
    for (let finished = 0; finished < 2; finished++) {
      mac(22) // its key
      mac(HASH_LENGTH)
    }
  }

  /** Four keys; one record each way under the first two. */
  #records(): void {
    const key = new Uint8Array(32)
    const [first, second] = this.#flights
    for (const length of [first, second]) {
      const aead = this.#crypto.createAead('AES-256-GCM', key)
      const buffer = new Uint8Array(5 + length + 1 + 16)
      aead.seal(buffer, 0, 5, 5, length + 1, 6 + length, this.#nonce)
    }
    for (let application = 0; application < 2; application++) this.#crypto.createAead('AES-256-GCM', key)
  }
}

/** Drives both ends to `connected`; CPU milliseconds spent in each. */
function handshake(crypto: CryptoProvider, configs: Readonly<Record<Role, TlsConfig>>): Record<Role, number> {
  const spent = { client: 0, server: 0 }
  const ends = {} as Record<Role, TlsConnection>
  const connected = { client: false, server: false }
  const timed = (role: Role, work: () => void): void => {
    const start = cpuMs()
    work()
    spent[role] += cpuMs() - start
  }
  for (const role of ['client', 'server'] as const) {
    timed(role, () => {
      ends[role] = new TlsConnection(configs[role], { unixTime: PKI_NOW, random, crypto })
      ends[role].start()
    })
  }
  for (let turn = 0; turn < 4; turn++) {
    const [from, to]: readonly Role[] = turn % 2 === 0 ? ['client', 'server'] : ['server', 'client']
    for (let output = ends[from!].poll(); output !== undefined; output = ends[from!].poll()) {
      if (output.type === 'connected') connected[from!] = true
      if (output.type !== 'transmit') continue
      const { data } = output
      timed(to!, () => ends[to!].receive(data, PKI_NOW))
    }
  }
  if (!connected.client || !connected.server) throw new Error('the handshake did not complete')
  return spent
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

function configsOf(pki: ToyPki): Record<Role, TlsConfig> {
  const config = (role: Role): TlsConfig => ({
    role,
    certificateChain: [pki[role].der],
    privateKey: pki[role].key,
    verifier: createPeerVerifier({ ca: [pki.ca.der] }),
    clientAuth: 'required',
    minVersion: 'TLSv1.3',
    groups: [GROUP],
    cipherSuites: [SUITE],
  })
  return { client: config('client'), server: config('server') }
}

/**
 * Warm means what a server has after its first few thousand clients: everything on the way compiled. Before that the
 * engine's own share costs several times as much. The fast provider gets the engine there; then each warms up its own.
 */
const ENGINE_WARM_UP = 5000

function warmUpEngine(): void {
  const configs = configsOf(toyPki('P-256'))
  for (let i = 0; i < ENGINE_WARM_UP; i++) handshake(nodeCrypto, configs)
}

/** CPU milliseconds of clearing away what was left since the last time. */
function sweep(): number {
  const start = cpuMs()
  globalThis.gc?.({ type: 'minor' })
  return cpuMs() - start
}

function measure(crypto: CryptoProvider, kind: Kind): Record<string, unknown> {
  const pki = toyPki(kind)
  const configs = configsOf(pki)
  const roles = ['client', 'server'] as const
  const yardsticks = Object.fromEntries(roles.map((role) => [role, new SidePrimitives(crypto, kind, pki, role)]))
  const [warmUp, blocks] = crypto.name === 'noble' ? [150, 16] : [2000, 60]
  const blockLength = crypto.name === 'noble' ? 5 : 20
  const engine = { client: [] as number[], server: [] as number[] }
  const primitives = { client: [] as number[], server: [] as number[] }
  const block = (rounds: number): void => {
    const sums = { client: 0, server: 0 }
    const floors = { client: 0, server: 0 }
    // Apart, each with its own garbage: most of it is the provider's objects, and whoever fills the heap faster would
    // otherwise clear away the other's as well.
    sweep()
    for (let i = 0; i < rounds; i++) {
      const spent = handshake(crypto, configs)
      for (const role of roles) sums[role] += spent[role]
    }
    const swept = sweep()
    for (let i = 0; i < rounds; i++) {
      for (const role of roles) {
        const start = cpuMs()
        yardsticks[role]!.run()
        floors[role] += cpuMs() - start
      }
    }
    const floorSwept = sweep()
    for (const role of roles) {
      engine[role].push((sums[role] + swept / 2) / rounds)
      primitives[role].push((floors[role] + floorSwept / 2) / rounds)
    }
  }
  block(warmUp)
  for (const role of roles) engine[role].length = primitives[role].length = 0
  for (let i = 0; i < blocks; i++) block(blockLength)
  const result: Record<string, unknown> = {}
  for (const role of roles) {
    const [ms, floor] = [median(engine[role]), median(primitives[role])]
    const ratio = median(engine[role].map((spent, i) => spent / (primitives[role][i] as number)))
    result[role] = { ms, primitivesMs: floor, ratio }
    console.log(
      `${crypto.name.padEnd(6)} ${kind.padEnd(9)} ${role}  ${ms.toFixed(3).padStart(8)} ms CPU; primitives ${floor.toFixed(3).padStart(8)} ms; ` +
        `ratio ${ratio.toFixed(2)} (target ${TARGET})`,
    )
  }
  return result
}

const COLD = fileURLToPath(new URL('./handshake-cold.mjs', import.meta.url))

/** Milliseconds of the first handshake in processes of their own: the median of some. */
function coldStart(kind: Kind, provider: string): Record<string, number> {
  const { ca, client, server } = toyPki(kind)
  const identity = ({ pem, keyPem }: { pem: string; keyPem: string }) => ({ certificate: pem, key: keyPem })
  const asked = { provider, group: GROUP, now: PKI_NOW, ca: ca.pem, client: identity(client), server: identity(server) }
  const runs = Array.from(
    { length: 5 },
    () =>
      JSON.parse(execFileSync(process.execPath, [COLD], { input: JSON.stringify(asked), encoding: 'utf8' })) as Record<
        string,
        number
      >,
  )
  const result = Object.fromEntries(
    Object.keys(runs[0] ?? {}).map((key) => [key, median(runs.map((run) => run[key] ?? 0))]),
  )
  const shown = Object.entries(result).map(([key, ms]) => `${key} ${ms.toFixed(0)} ms`)
  console.log(`${provider.padEnd(6)} ${kind.padEnd(9)} fresh process: ${shown.join(', ')}`)
  return result
}

/** Measures both providers with both kinds of key, warm and cold, and prints a line for each. */
export function runHandshakeBench(): unknown {
  const warm: Record<string, unknown> = {}
  const cold: Record<string, unknown> = {}
  warmUpEngine()
  for (const crypto of [noble, nodeCrypto]) {
    for (const kind of ['P-256', 'rsa-2048'] as const) warm[`${crypto.name}/${kind}`] = measure(crypto, kind)
  }
  for (const { name } of [noble, nodeCrypto]) {
    for (const kind of ['P-256', 'rsa-2048'] as const) cold[`${name}/${kind}`] = coldStart(kind, name)
  }
  return { group: GROUP, suite: SUITE, warm, cold }
}
