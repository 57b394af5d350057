/**
 * What opens what: control keys as given by the user, session secrets out of key logs (spec/decode.md, DEC-31 to DEC-33).
 *
 * A user need not say which end or which direction a key is for: every way that a key can be used is tried, and what
 * authenticates is right. Nothing here keeps state of a capture.
 */
import { ConfigError, fromHex } from '../bytes/index.ts'
import { type CryptoProvider, hashByName, type HashName } from '../crypto/index.ts'
import { cipherByName } from '../control/index.ts'
import type { DataCipher } from '../data/index.ts'
import { type KeyLogLabel, parseKeyLogLine, type TlsSecrets } from '../tls/index.ts'
import {
  type ControlWrap,
  createTlsAuthKeys,
  createTlsCryptKeys,
  createTlsCryptV2Wrapper,
  parseStaticKey,
  parseTlsCryptV2ClientKey,
  parseTlsCryptV2ServerKey,
  STATIC_KEY_LENGTH,
  StaticKey,
  type TlsCryptV2Wrapper,
} from '../wire/index.ts'

/** Keys as their files hold them. */
export interface KeyTexts {
  /** tls-auth keys, with `digest` as `auth` names it; without, every digest is tried. */
  readonly tlsAuth?: readonly { readonly text: string; readonly digest?: string }[]
  /** tls-crypt keys. */
  readonly tlsCrypt?: readonly string[]
  /** tls-crypt-v2 keys of a server or of clients. */
  readonly tlsCryptV2?: readonly string[]
  /** Key logs: of this library's sessions, or of any TLS. */
  readonly keyLogs?: readonly string[]
}

/** How control packets may be wrapped. */
export type WrapName = 'none' | 'tls-auth' | 'tls-crypt' | 'tls-crypt-v2' | 'dynamic'

/** A way to open control packets. */
export interface WrapCandidate {
  readonly name: WrapName
  readonly wrap: ControlWrap
}

/** The data keys of one key id, out of a key log. */
export interface DataKeyEntry {
  readonly clientSessionId: string
  readonly serverSessionId: string
  readonly keyId: number
  readonly cipher: DataCipher
  readonly auth: HashName | 'none'
  readonly epoch: boolean
  /** 256 bytes. */
  readonly material: Uint8Array
}

const DIGESTS: readonly HashName[] = ['SHA1', 'SHA256', 'SHA512', 'SHA384', 'SHA224', 'MD5']
/** Most entries of one kind taken out of key logs. */
const MAX_ENTRIES = 65_536

/** Every key there is. */
export class DecodeKeys {
  /** Configured wraps, each in both roles or directions. */
  readonly wraps: readonly WrapCandidate[]
  readonly serverKeys: readonly TlsCryptV2Wrapper[]
  readonly #crypto: CryptoProvider
  readonly #tls = new Map<string, Map<KeyLogLabel, Uint8Array>>()
  readonly #control = new Map<string, readonly WrapCandidate[]>()
  readonly #data = new Map<number, DataKeyEntry[]>()

  /** @throws ConfigError for a key that cannot be read; the message holds nothing of it. */
  constructor(texts: KeyTexts, crypto: CryptoProvider) {
    this.#crypto = crypto
    const wraps: WrapCandidate[] = []
    for (const { text, digest } of texts.tlsAuth ?? []) {
      const key = parseStaticKey(text, 'tls-auth')
      wraps.push(...tlsAuthCandidates(crypto, key, digest === undefined ? DIGESTS : [knownDigest(digest)]))
    }
    for (const text of texts.tlsCrypt ?? []) {
      wraps.push(...this.tlsCryptCandidates(parseStaticKey(text, 'tls-crypt'), 'tls-crypt'))
    }
    const serverKeys: TlsCryptV2Wrapper[] = []
    for (const text of texts.tlsCryptV2 ?? []) {
      if (text.includes('tls-crypt-v2 server key')) {
        serverKeys.push(createTlsCryptV2Wrapper(crypto, parseTlsCryptV2ServerKey(text)))
      } else {
        wraps.push(...this.tlsCryptCandidates(parseTlsCryptV2ClientKey(text).key, 'tls-crypt-v2'))
      }
    }
    this.wraps = wraps
    this.serverKeys = serverKeys
    for (const text of texts.keyLogs ?? []) this.addKeyLog(text)
  }

  /** Takes the lines of a key log in; what is no line of one is skipped. DEC-33 */
  addKeyLog(text: string): void {
    for (const line of text.split('\n')) {
      const secret = parseKeyLogLine(line)
      if (secret !== undefined) {
        const random = secret.clientRandom.join()
        const known = this.#tls.get(random) ?? new Map<KeyLogLabel, Uint8Array>()
        known.set(secret.label, secret.secret)
        if (this.#tls.size < MAX_ENTRIES) this.#tls.set(random, known)
      } else if (line.startsWith('OPENVPN_')) this.#addLine(line.trim().split(/\s+/))
    }
  }

  /** TLS secrets of the connection with this client random. */
  tlsSecrets(clientRandom: Uint8Array): TlsSecrets | undefined {
    return this.#tls.get(clientRandom.join())
  }

  /** Wraps of renegotiations of the session that has this id at one of its ends. */
  dynamicWraps(sessionId: string): readonly WrapCandidate[] {
    return this.#control.get(sessionId) ?? []
  }

  /** Data keys of a key id. */
  dataKeys(keyId: number): readonly DataKeyEntry[] {
    return this.#data.get(keyId) ?? []
  }

  /** Both roles of a tls-crypt key. */
  tlsCryptCandidates(key: StaticKey, name: WrapName): readonly WrapCandidate[] {
    return (['server', 'client'] as const).map((role) => ({ name, wrap: createTlsCryptKeys(this.#crypto, key, role) }))
  }

  #addLine(words: readonly string[]): void {
    const [label, client = '', server = ''] = words
    if (!isSessionId(client) || !isSessionId(server)) return
    const material = fromHex(words.at(-1) ?? '')
    if (material?.length !== STATIC_KEY_LENGTH) return
    if (label === 'OPENVPN_CONTROL_KEY' && words.length === 4) {
      const wraps = this.tlsCryptCandidates(new StaticKey(material), 'dynamic')
      for (const id of [client, server]) if (this.#control.size < MAX_ENTRIES) this.#control.set(id, wraps)
    } else if (label === 'OPENVPN_DATA_KEYS' && words.length === 8) {
      const [, , , id = '', cipher = '', auth = '', format] = words
      const digest = hashByName(auth)
      const keyId = Number(id)
      const known = cipherByName(cipher)?.name
      if (!/^[0-7]$/.test(id) || known === undefined) return
      const entries = this.#data.get(keyId) ?? []
      entries.push({
        clientSessionId: client,
        serverSessionId: server,
        keyId,
        cipher: known,
        auth: digest ?? 'none',
        epoch: format === 'epoch',
        material,
      })
      if (entries.length <= MAX_ENTRIES) this.#data.set(keyId, entries)
    }
  }
}

function knownDigest(name: string): HashName {
  const hash = hashByName(name)
  if (hash === undefined) throw new ConfigError('tls-auth', `there is no digest "${name}"`)
  return hash
}

function isSessionId(text: string): boolean {
  return /^[0-9a-f]{16}$/.test(text)
}

/** DEC-31 */
function tlsAuthCandidates(
  crypto: CryptoProvider,
  key: StaticKey,
  digests: readonly HashName[],
): readonly WrapCandidate[] {
  const directions = key.length === STATIC_KEY_LENGTH ? ([0, 1, undefined] as const) : ([undefined] as const)
  return digests.flatMap((hash) =>
    directions.map((direction) => ({
      name: 'tls-auth' as const,
      wrap: createTlsAuthKeys(crypto, key, direction, hash),
    })),
  )
}
