/**
 * Reading a TLS connection from outside: the bytes of both directions in, names of messages out, and what is inside them
 * where the secrets are known.
 *
 * For analysers, not for peers: nothing is verified, nothing is answered, and a stream that cannot be read any further is said
 * to be so once and then ignored. Without secrets everything up to the first protected record is named. With the secrets of
 * a key log ({@link parseKeyLogLine}) the rest is opened too: TLS 1.3 with the traffic secrets, key updates included, and TLS
 * 1.2 with the master secret.
 */
import type { CryptoProvider } from '../crypto/index.ts'
import { AlertError, alertName } from './alerts.ts'
import { readCertificate12, readCertificate13 } from './auth-messages.ts'
import { readClientHello } from './client-hello.ts'
import { type HandshakeMessage, HandshakeStream } from './handshake-stream.ts'
import type { KeyLogLabel } from './key-log.ts'
import { nextTrafficSecret, trafficKeys } from './key-schedule.ts'
import { createOpener12, recordKeys12 } from './key-schedule12.ts'
import { MAX_CERTIFICATES, MAX_PLAINTEXT } from './limits.ts'
import { Opener13, PlaintextOpener, type RecordOpener } from './protection.ts'
import { RECORD_HEADER, RecordReader } from './record-reader.ts'
import {
  type CipherSuite,
  cipherSuiteById,
  ContentType,
  ExtensionType,
  groupByCode,
  HandshakeType,
  VERSION_CODES,
} from './registry.ts'
import { isHelloRetryRequest, readServerHello } from './server-hello.ts'

/** Who sent it. */
export type TlsSide = 'client' | 'server'

/** The secrets of one connection, by the label of the key log. */
export type TlsSecrets = ReadonlyMap<KeyLogLabel, Uint8Array>

/** One thing that was said. */
export type ObservedItem =
  | {
      readonly type: 'handshake'
      /** As RFC 8446 writes it, e.g. `ClientHello`. */
      readonly name: string
      /** Bytes of its body. */
      readonly length: number
      readonly protected: boolean
      /** What is worth knowing of it, by name. */
      readonly fields: Readonly<Record<string, string>>
      /** DER certificates of a Certificate message, leaf first. */
      readonly certificates: readonly Uint8Array[]
    }
  | { readonly type: 'change-cipher-spec' }
  | { readonly type: 'alert'; readonly level: 'warning' | 'fatal'; readonly name: string; readonly protected: boolean }
  | { readonly type: 'data'; readonly data: Uint8Array }
  /** A protected record whose key is not known. */
  | { readonly type: 'sealed'; readonly length: number }
  /** Nothing more of this direction is read. */
  | { readonly type: 'unreadable'; readonly detail: string }

/** Largest record payload looked at: the largest plaintext with what protection adds. */
const MAX_PAYLOAD = MAX_PLAINTEXT + 2048
/** Longest handshake message waited for. */
const MAX_MESSAGE = 131_072

const MESSAGE_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(HandshakeType).map(([name, type]) => [type, name.charAt(0).toUpperCase() + name.slice(1)]),
)

/** One direction. */
class Direction {
  readonly reader = new RecordReader()
  readonly stream = new HandshakeStream()
  opener: RecordOpener | undefined = new PlaintextOpener()
  isProtected = false
  /** TLS 1.3: the secret of the key in force. */
  secret: Uint8Array | undefined
  dead = false

  protect(opener: RecordOpener | undefined): void {
    this.opener = opener
    this.isProtected = true
  }
}

/** Both directions of one connection. */
export class TlsObserver {
  readonly #crypto: CryptoProvider
  readonly #secretsOf: (clientRandom: Uint8Array) => TlsSecrets | undefined
  readonly #client = new Direction()
  readonly #server = new Direction()
  #clientRandom: Uint8Array | undefined
  #serverRandom: Uint8Array | undefined
  #suite: CipherSuite | undefined
  #isTls13 = false
  #encryptThenMac = false

  /** @param secretsOf - the secrets of the connection that begins with this client random, where they are known. */
  constructor(crypto: CryptoProvider, secretsOf: (clientRandom: Uint8Array) => TlsSecrets | undefined) {
    this.#crypto = crypto
    this.#secretsOf = secretsOf
  }

  /** The random of the ClientHello, once it was seen. */
  get clientRandom(): Uint8Array | undefined {
    return this.#clientRandom
  }

  /** Takes the next bytes of a direction, cut anywhere. Never throws for what they are. */
  receive(from: TlsSide, bytes: Uint8Array): readonly ObservedItem[] {
    const side = from === 'client' ? this.#client : this.#server
    const items: ObservedItem[] = []
    if (side.dead) return items
    side.reader.push(bytes)
    try {
      while (side.reader.length >= RECORD_HEADER) {
        const fault = headerFault(side.reader)
        if (fault !== undefined) throw new AlertError('decode-error', fault)
        if (!side.reader.whole) break
        this.#record(from, side, items)
      }
    } catch (error) {
      if (!(error instanceof AlertError)) throw error
      side.dead = true
      side.reader.clear()
      side.stream.clear()
      items.push({ type: 'unreadable', detail: error.message })
    }
    return items
  }

  #record(from: TlsSide, side: Direction, items: ObservedItem[]): void {
    const { buffer, offset, type, payloadLength } = side.reader
    side.reader.advance()
    if (type === ContentType.changeCipherSpec) {
      items.push({ type: 'change-cipher-spec' })
      if (!this.#isTls13 && this.#suite !== undefined) side.protect(this.#opener12(from))
      return
    }
    // TLS 1.3: a side that cannot derive keys says so in the open.
    const inTheOpen = this.#isTls13 && side.isProtected && type !== ContentType.applicationData
    const opener = inTheOpen ? new PlaintextOpener() : side.opener
    const opened = opener?.open(buffer, offset, payloadLength)
    if (opened === undefined) {
      side.opener = undefined
      items.push({ type: 'sealed', length: payloadLength })
      return
    }
    const isProtected = side.isProtected && !inTheOpen
    if (opened.type === ContentType.alert) items.push(readAlert(opened.fragment, isProtected))
    else if (opened.type === ContentType.applicationData) items.push({ type: 'data', data: opened.fragment.slice() })
    else if (opened.type === ContentType.handshake) {
      side.stream.push(opened.fragment)
      for (
        let message = side.stream.next(() => MAX_MESSAGE);
        message !== undefined;
        message = side.stream.next(() => MAX_MESSAGE)
      ) {
        items.push(this.#describe(message, isProtected))
        this.#follow(from, side, message)
      }
    }
  }

  /** What a message changes about the keys. */
  #follow(from: TlsSide, side: Direction, { type, body }: HandshakeMessage): void {
    if (type === HandshakeType.clientHello && !side.isProtected)
      this.#clientRandom = readClientHello(body).random.slice()
    else if (type === HandshakeType.serverHello && !side.isProtected) this.#onServerHello(body)
    else if (type === HandshakeType.finished && this.#isTls13) this.#useSecret(side, `${label(from)}_TRAFFIC_SECRET_0`)
    else if (type === HandshakeType.keyUpdate && side.secret !== undefined && this.#suite !== undefined) {
      side.secret = nextTrafficSecret(this.#crypto, this.#suite.hash, side.secret)
      side.protect(new Opener13(this.#crypto, trafficKeys(this.#crypto, this.#suite, side.secret)))
    }
  }

  #onServerHello(body: Uint8Array): void {
    const hello = readServerHello(body)
    if (isHelloRetryRequest(hello)) return
    this.#serverRandom = hello.random
    this.#suite = cipherSuiteById(hello.cipherSuite)
    this.#isTls13 = hello.extensions.has(ExtensionType.supportedVersions)
    this.#encryptThenMac = hello.extensions.has(ExtensionType.encryptThenMac)
    if (!this.#isTls13) return
    this.#useSecret(this.#client, 'CLIENT_HANDSHAKE_TRAFFIC_SECRET')
    this.#useSecret(this.#server, 'SERVER_HANDSHAKE_TRAFFIC_SECRET')
  }

  /** TLS 1.3: the direction is protected from here on, readably where the secret is known. */
  #useSecret(side: Direction, name: KeyLogLabel): void {
    const suite = this.#suite?.version === 'TLSv1.3' ? this.#suite : undefined
    const secret = this.#secrets?.get(name)
    const known = suite !== undefined && secret !== undefined
    side.secret = secret
    side.protect(known ? new Opener13(this.#crypto, trafficKeys(this.#crypto, suite, secret)) : undefined)
  }

  #opener12(from: TlsSide): RecordOpener | undefined {
    const [client, server, suite] = [this.#clientRandom, this.#serverRandom, this.#suite]
    const master = this.#secrets?.get('CLIENT_RANDOM')
    if (master === undefined || client === undefined || server === undefined) return undefined
    if (suite?.version !== 'TLSv1.2') return undefined
    const { protection } = suite
    if (protection.type === 'cbc' && !providerHas(this.#crypto, protection.algorithm)) return undefined
    return createOpener12(
      this.#crypto,
      recordKeys12(this.#crypto, suite, master, { client, server }, this.#encryptThenMac)[from],
    )
  }

  get #secrets(): TlsSecrets | undefined {
    return this.#clientRandom === undefined ? undefined : this.#secretsOf(this.#clientRandom)
  }

  #certificates(body: Uint8Array): readonly Uint8Array[] {
    return this.#isTls13
      ? readCertificate13(body, MAX_CERTIFICATES, 'anything').certificates
      : readCertificate12(body, MAX_CERTIFICATES)
  }

  #describe({ type, body }: HandshakeMessage, isProtected: boolean): ObservedItem {
    const isRetry = type === HandshakeType.serverHello && isHelloRetryRequest(readServerHello(body))
    const name = isRetry ? 'HelloRetryRequest' : (MESSAGE_NAMES[type] ?? `handshake message ${type}`)
    const certificates = type === HandshakeType.certificate ? this.#certificates(body) : []
    const fields =
      type === HandshakeType.clientHello
        ? clientHelloFields(body)
        : type === HandshakeType.serverHello
          ? serverHelloFields(body)
          : {}
    return { type: 'handshake', name, length: body.length, protected: isProtected, fields, certificates }
  }
}

function label(side: TlsSide): 'CLIENT' | 'SERVER' {
  return side === 'client' ? 'CLIENT' : 'SERVER'
}

function providerHas(crypto: CryptoProvider, algorithm: Parameters<CryptoProvider['createCbc']>[0]): boolean {
  return crypto.createCbc(algorithm, new Uint8Array(algorithm === 'AES-128-CBC' ? 16 : 32)) !== undefined
}

function headerFault(reader: RecordReader): string | undefined {
  const { type, version, payloadLength } = reader
  if (type < ContentType.changeCipherSpec || type > ContentType.applicationData) return `record type ${type}`
  if (version >> 8 !== 3) return `record version ${version.toString(16)}`
  return payloadLength > MAX_PAYLOAD ? `a record of ${payloadLength} bytes` : undefined
}

function readAlert(fragment: Uint8Array, isProtected: boolean): ObservedItem {
  const [level = 0, code = 0] = fragment
  return {
    type: 'alert',
    level: level === 1 ? 'warning' : 'fatal',
    name: alertName(code) ?? `alert ${code}`,
    protected: isProtected,
  }
}

function versionName(code: number): string {
  const known = Object.entries(VERSION_CODES).find(([, value]) => value === code)
  return known?.[0] ?? `0x${code.toString(16).padStart(4, '0')}`
}

function suiteName(id: number): string {
  return cipherSuiteById(id)?.name ?? `0x${id.toString(16).padStart(4, '0')}`
}

function groupName(code: number): string {
  return groupByCode(code) ?? `0x${code.toString(16).padStart(4, '0')}`
}

function clientHelloFields(body: Uint8Array): Readonly<Record<string, string>> {
  const hello = readClientHello(body)
  const versions = hello.supportedVersions ?? [hello.legacyVersion]
  return {
    versions: versions.map(versionName).join(' '),
    suites: hello.cipherSuites.map(suiteName).join(' '),
    groups: (hello.supportedGroups ?? []).map(groupName).join(' '),
    ...(hello.keyShares === undefined
      ? {}
      : { keyShares: hello.keyShares.map(({ group }) => groupName(group)).join(' ') }),
  }
}

function serverHelloFields(body: Uint8Array): Readonly<Record<string, string>> {
  const { cipherSuite, extensions, legacyVersion } = readServerHello(body)
  const version = extensions.get(ExtensionType.supportedVersions)
  const share = extensions.get(ExtensionType.keyShare)
  return {
    version: versionName(version?.length === 2 ? u16(version) : legacyVersion),
    suite: suiteName(cipherSuite),
    ...(share === undefined || share.length < 2 ? {} : { group: groupName(u16(share)) }),
  }
}

function u16(bytes: Uint8Array): number {
  return ((bytes[0] as number) << 8) | (bytes[1] as number)
}
