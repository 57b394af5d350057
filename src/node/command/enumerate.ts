/**
 * `ovpn probe --enumerate`: what a server takes. Which wraps it answers, whether it keeps state for strangers, TLS versions,
 * groups and suites, its certificates, and how long it takes.
 *
 * Polite: one handshake at a time with a pause after each, three dozen at most, each broken off as soon as its question is
 * answered and before anything of the login is said.
 */
import { CIPHER_SUITES, type CipherSuite, GROUP_CODES, type TlsVersion } from '../../tls/index.ts'
import type { GroupName } from '../../crypto/index.ts'
import { ConfigError } from '../../bytes/index.ts'
import type { Remote } from '../../client/index.ts'
import type { SessionTls } from '../../session/index.ts'
import { fingerprint, fingerprintText, nameText, parseCertificate } from '../../x509/index.ts'
import { nodeCrypto } from '../crypto/index.ts'
import { attempt, type AttemptRequest, NOTHING, type Sighting } from './enumerate-attempt.ts'
import { type CommandIo, EXIT } from './io.ts'
import type { ProbePlan } from './plan.ts'

/** ms between two handshakes. */
const PAUSE = 100
/** ms in which a server that keeps state repeats its reset. */
const REPEAT_WINDOW = 5_000
/** Most handshakes. */
const MOST_ATTEMPTS = 36

const VERSIONS: readonly TlsVersion[] = ['TLSv1.3', 'TLSv1.2']
const GROUPS = Object.keys(GROUP_CODES) as readonly GroupName[]

/** What the command line asked for. */
export interface EnumerateRequest {
  /** ms for one handshake. */
  readonly patience: number
  readonly json: boolean
}

/** Looks at the profile's first remote; resolves with the exit code. */
export async function enumerate(plan: ProbePlan, request: EnumerateRequest, io: CommandIo): Promise<number> {
  const [remote] = plan.client.remotes
  if (remote === undefined) throw new ConfigError('remote', 'remote: at least one is needed')
  if (remote.proxy !== undefined) throw new ConfigError('proxy', '--enumerate goes without a proxy')
  if (remote.session.mode === 'static-key')
    throw new ConfigError('secret', 'with a static key there is nothing to enumerate')
  return await new Enumeration(remote, request, io).run()
}

class Enumeration {
  readonly #remote: Remote
  readonly #request: EnumerateRequest
  readonly #io: CommandIo
  #attempts = 0

  constructor(remote: Remote, request: EnumerateRequest, io: CommandIo) {
    this.#remote = remote
    this.#request = request
    this.#io = io
  }

  async run(): Promise<number> {
    const { host, port, session } = this.#remote
    const wrap = session.wrap?.type ?? 'none'
    this.#tell(
      'target',
      { host, port, transport: session.transport, wrap },
      `${host}:${port} over ${session.transport.toUpperCase()}`,
    )
    const base = await this.#look({ goal: 'certificate' })
    this.#tell(
      'wrap',
      { wrap, answers: base.resets > 0 },
      `wrap ${wrap}: ${base.resets > 0 ? 'answered' : 'no answer'}`,
    )
    if (base.resets === 0) {
      this.#tell('end', { reason: 'no-answer', detail: base.failure }, base.failure ?? 'the server says nothing')
      return EXIT.failed
    }
    if (wrap !== 'none') {
      const bare = await this.#look({ goal: 'reset', wrap: { type: 'none' } })
      this.#tell(
        'wrap',
        { wrap: 'none', answers: bare.resets > 0 },
        `wrap none: ${bare.resets > 0 ? 'answered' : 'no answer'}`,
      )
    }
    if (session.transport === 'udp') await this.#cookie(base)
    this.#tellTimes(base)
    this.#tellChain(base)
    const versions = await this.#versions()
    await this.#groups(versions[0])
    await this.#suites(versions, base)
    this.#tell('enumerated', { handshakes: this.#attempts }, `${this.#attempts} handshakes`)
    return versions.length > 0 ? EXIT.ok : EXIT.failed
  }

  /** A server that keeps nothing for strangers has nothing to repeat. */
  async #cookie(base: Sighting): Promise<void> {
    const { resets } = await this.#look({ goal: 'repeats', patience: REPEAT_WINDOW })
    const stateless = resets <= 1
    const text = stateless ? 'strangers: no state is kept before they prove their address' : 'strangers: state is kept'
    this.#tell('cookie', { stateless, resets, asksForKey: base.asksForKey }, text)
  }

  #tellTimes({ chainMs, helloMs, resetMs }: Sighting): void {
    const times = { resetMs: tenths(resetMs), helloMs: tenths(helloMs), certificateMs: tenths(chainMs) }
    const words = `reset after ${times.resetMs ?? '?'} ms, ServerHello ${times.helloMs ?? '?'} ms, certificate ${times.certificateMs ?? '?'} ms`
    this.#tell('timing', times, words)
  }

  #tellChain({ chain, chainProblem }: Sighting): void {
    for (const [depth, der] of chain.entries()) {
      const certificate = parseCertificate(der)
      if (typeof certificate === 'string') {
        this.#tell('certificate', { depth, problem: certificate }, `certificate ${depth}: ${certificate}`)
        continue
      }
      const { issuer, notAfter, notBefore, publicKey, subject } = certificate
      const fields = {
        depth,
        subject: nameText(subject),
        issuer: nameText(issuer),
        key: keyName(publicKey),
        notBefore: new Date(notBefore).toISOString(),
        notAfter: new Date(notAfter).toISOString(),
        sha256: fingerprintText(fingerprint(der, nodeCrypto)),
      }
      const { key, notAfter: end, subject: name } = fields
      this.#tell('certificate', fields, `certificate ${depth}: ${name}, by ${fields.issuer}, ${key}, until ${end}`)
    }
    const good = chain.length > 0 && chainProblem === undefined
    this.#tell(
      'chain',
      { valid: good, problem: chainProblem },
      `chain: ${good ? 'valid' : (chainProblem ?? 'none was shown')}`,
    )
  }

  async #versions(): Promise<readonly TlsVersion[]> {
    const accepted: TlsVersion[] = []
    for (const version of VERSIONS) {
      const sighting = await this.#offer({ minVersion: version, maxVersion: version })
      const suite = sighting.hello?.['suite']
      if (sighting.hello !== undefined) accepted.push(version)
      const group = sighting.hello?.['group']
      const fields = { version, accepted: sighting.hello !== undefined, suite, group, alert: sighting.alert }
      this.#tell('tls-version', fields, `${version}: ${outcome(sighting, suite)}`)
    }
    return accepted
  }

  async #groups(version: TlsVersion | undefined): Promise<void> {
    if (version === undefined) return
    for (const group of GROUPS) {
      if (version === 'TLSv1.2' && group.includes('MLKEM')) continue
      const sighting = await this.#offer({
        minVersion: version,
        maxVersion: version,
        groups: [group],
        keyShares: [group],
      })
      const accepted = sighting.hello !== undefined
      this.#tell('group', { group, version, accepted, alert: sighting.alert }, `group ${group}: ${outcome(sighting)}`)
    }
  }

  async #suites(versions: readonly TlsVersion[], { chain }: Sighting): Promise<void> {
    const leaf = chain[0] === undefined ? undefined : parseCertificate(chain[0])
    const kind = typeof leaf === 'object' ? (leaf.publicKey?.type === 'rsa' ? 'rsa' : 'ecdsa') : undefined
    const fits = ({ authentication, version }: CipherSuite): boolean =>
      versions.includes(version) && (authentication === 'any' || kind === undefined || authentication === kind)
    for (const { name, version } of CIPHER_SUITES.filter(fits)) {
      const sighting = await this.#offer({ minVersion: version, maxVersion: version, cipherSuites: [name] })
      const accepted = sighting.hello !== undefined
      this.#tell('suite', { suite: name, version, accepted, alert: sighting.alert }, `${name}: ${outcome(sighting)}`)
    }
  }

  async #offer(tls: Partial<SessionTls>): Promise<Sighting> {
    return await this.#look({ goal: 'hello', tls })
  }

  async #look(request: Omit<AttemptRequest, 'patience'> & Partial<AttemptRequest>): Promise<Sighting> {
    if (this.#attempts >= MOST_ATTEMPTS) return NOTHING
    if (this.#attempts > 0) await new Promise((resume) => setTimeout(resume, PAUSE))
    this.#attempts++
    return await attempt(this.#remote, { patience: this.#request.patience, ...request })
  }

  #tell(event: string, fields: object, text: string): void {
    this.#io.out(this.#request.json ? JSON.stringify({ event, ...fields }) : text)
  }
}

function outcome({ alert, hello }: Sighting, detail?: string): string {
  if (hello !== undefined) return `accepted${detail === undefined ? '' : `, ${detail}`}`
  return alert === undefined ? 'no answer' : `refused (${alert})`
}

function tenths(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 10) / 10
}

function keyName(key: { readonly type: string; readonly curve?: string; readonly n?: Uint8Array } | undefined): string {
  if (key === undefined) return 'unknown key'
  return key.n === undefined ? (key.curve ?? key.type) : `RSA ${key.n.length * 8}`
}
