/**
 * The client up to the ServerHello, where the version is known and the paths of 1.2 and 1.3 part.
 *
 * Key shares go out for the first groups; a server that wants another group, or proof of the return address, answers
 * with a HelloRetryRequest, at most once. The second ClientHello repeats the first but for the share and the cookie (RFC
 * 8446 section 4.1.2). A downgrade to 1.2 that the server's random marks as forced is refused.
 */
import { EMPTY, equalBytes, Writer } from '../bytes/index.ts'
import type { GroupName, KeyShare } from '../crypto/index.ts'
import { demand } from './alerts.ts'
import { type Client12State, startClient12 } from './client12.ts'
import { type Client13Start, type Client13State, startClient13 } from './client13.ts'
import { type ClientHelloFields, writeClientHello } from './client-hello.ts'
import type { Context } from './context.ts'
import { decodeExtension } from './extensions.ts'
import { type HandshakeMessage, handshakeMessage } from './handshake-stream.ts'
import {
  type CipherSuite,
  cipherSuiteById,
  ExtensionType,
  GROUP_CODES,
  groupByCode,
  HandshakeType,
  VERSION_CODES,
} from './registry.ts'
import { fillBinder, offerableSession, type OfferedSession, pskIdentity, selectedPsk } from './resumption13.ts'
import type { SentHello } from './sent-hello.ts'
import { isHelloRetryRequest, readServerHello, type ServerHello, showsDowngrade } from './server-hello.ts'
import { syntheticHello, Transcript } from './transcript.ts'

/** What a HelloRetryRequest fixed. */
export interface Retry {
  readonly suite: CipherSuite
  /** Through the second ClientHello. */
  readonly transcript: Transcript
}

/** The first states of a client. */
export type ClientStartState =
  | { readonly type: 'client-idle' }
  | { readonly type: 'expect-server-hello'; readonly hello: SentHello }
  | { readonly type: 'expect-retried-server-hello'; readonly hello: SentHello; readonly retry: Retry }

/** Sends the ClientHello. */
export function startClient(context: Context): ClientStartState {
  const { config, crypto, random, records } = context
  const offers13 = config.maxVersion === 'TLSv1.3'
  const offers12 = config.minVersion === 'TLSv1.2'
  const offered = offerableSession(context)
  const keyShares = offers13 ? config.keyShares.map((group) => crypto.createKeyShare(group, random)) : []
  const fields: ClientHelloFields = {
    random: random(32),
    // A 1.2 server takes the ticket by echoing the session id. TLS12-20
    sessionId: (offers13 && config.compatibilityMode) || isOf12(offered) ? random(32) : EMPTY,
    cipherSuites: config.cipherSuites.map((suite) => suite.id),
    supportedVersions: [
      ...(offers13 ? [VERSION_CODES['TLSv1.3']] : []),
      ...(offers12 ? [VERSION_CODES['TLSv1.2']] : []),
    ],
    supportedGroups: config.groups.map((group) => GROUP_CODES[group]),
    signatureAlgorithms: config.signatureSchemes.map((scheme) => scheme.id),
    keyShares: offers13 ? shareEntries(keyShares) : undefined,
    cookie: undefined,
    offers12,
    encryptThenMac: config.cipherSuites.some((suite) => suite.protection.type === 'cbc'),
    serverName: config.serverName,
    applicationProtocols: config.applicationProtocols,
    requestOcsp: config.requestOcsp,
    requestTimestamps: config.requestTimestamps,
    resumption: resumptionFields(context, offered),
  }
  const hello = writeHello(context, fields, keyShares, offered, [])
  records.sendHandshake(hello.raw)
  return { type: 'expect-server-hello', hello }
}

/** TLS-53 */
function resumptionFields(context: Context, offered: OfferedSession | undefined): ClientHelloFields['resumption'] {
  if (context.config.resumption === undefined) return undefined
  if (offered === undefined) return { sessionTicket: EMPTY, psk: undefined }
  const { session } = offered
  if (session.suite.version === 'TLSv1.2') return { sessionTicket: session.ticket, psk: undefined }
  const identity = pskIdentity(session, context.unixTime)
  return { sessionTicket: EMPTY, psk: { identity, hash: session.suite.hash } }
}

function shareEntries(keyShares: readonly KeyShare[]): ClientHelloFields['keyShares'] {
  return keyShares.map(({ group, share }) => ({ group: GROUP_CODES[group], share }))
}

function isOf12(offered: OfferedSession | undefined): boolean {
  return offered?.session.suite.version === 'TLSv1.2'
}

/** @param before - messages that the hello goes behind. */
function writeHello(
  context: Context,
  fields: ClientHelloFields,
  keyShares: readonly KeyShare[],
  offered: OfferedSession | undefined,
  before: readonly Uint8Array[],
): SentHello {
  const writer = new Writer(512)
  writeClientHello(writer, fields)
  const raw = handshakeMessage(HandshakeType.clientHello, writer.finish())
  const psk = fields.resumption?.psk
  if (offered !== undefined && psk !== undefined) {
    fillBinder(context, offered.session, raw, new Transcript(context.crypto, psk.hash, ...before))
  }
  return { fields, keyShares, raw, offered }
}

/** The first ServerHello, which may be a HelloRetryRequest. */
export function onServerHello(
  context: Context,
  state: ClientStartState & { type: 'expect-server-hello' },
  message: HandshakeMessage,
): ClientStartState | Client12State | Client13State {
  const hello = takeServerHello(message)
  if (negotiatedVersion(context, hello) === 'TLSv1.2') {
    context.records.negotiated('TLSv1.2')
    return startClient12(context, state.hello, hello, message)
  }
  const suite = suite13(context, state.hello, hello)
  context.records.negotiated('TLSv1.3')
  if (isHelloRetryRequest(hello)) return retry(context, state.hello, hello, suite, message)
  const transcript = new Transcript(context.crypto, suite.hash, state.hello.raw, message.raw)
  return goOn13(context, { suite, transcript, retried: false, hello: state.hello }, hello)
}

function goOn13(
  context: Context,
  start: Pick<Client13Start, 'suite' | 'transcript' | 'retried' | 'hello'>,
  hello: ServerHello,
): Client13State {
  const psk = selectedPsk(context, start.hello.offered, hello.extensions, start.suite)
  const { group, secret } = agree(start.hello, hello)
  return startClient13(context, { ...start, group, sharedSecret: secret, psk })
}

/** The ServerHello after a HelloRetryRequest. */
export function onRetriedServerHello(
  context: Context,
  state: ClientStartState & { type: 'expect-retried-server-hello' },
  message: HandshakeMessage,
): Client13State {
  const hello = takeServerHello(message)
  demand(negotiatedVersion(context, hello) === 'TLSv1.3', 'illegal-parameter', 'the version changed after a retry')
  demand(!isHelloRetryRequest(hello), 'unexpected-message', 'a second HelloRetryRequest') // TLS13-7
  const suite = suite13(context, state.hello, hello)
  demand(suite === state.retry.suite, 'illegal-parameter', 'the cipher suite changed after a retry')
  const { transcript } = state.retry
  transcript.add(message.raw)
  // Where the retry asked for a group, the second ClientHello holds a share for no other. TLS13-3, TLS13-7
  return goOn13(context, { suite, transcript, retried: true, hello: state.hello }, hello)
}

function takeServerHello(message: HandshakeMessage): ServerHello {
  demand(message.type === HandshakeType.serverHello, 'unexpected-message', 'expected a ServerHello')
  return readServerHello(message.body)
}

/** TLS-15, TLS-16 */
function negotiatedVersion(context: Context, hello: ServerHello): 'TLSv1.2' | 'TLSv1.3' {
  const { minVersion, maxVersion } = context.config
  const selected = decodeExtension(hello.extensions, ExtensionType.supportedVersions, 'supported_versions', (r) =>
    r.u16(),
  )
  if (selected !== undefined) {
    const offered = selected === VERSION_CODES['TLSv1.3'] && maxVersion === 'TLSv1.3'
    demand(
      offered,
      maxVersion === 'TLSv1.3' ? 'illegal-parameter' : 'unsupported-extension',
      'a version was selected that was not offered',
    )
    demand(hello.legacyVersion === VERSION_CODES['TLSv1.2'], 'illegal-parameter', 'legacy_version is not 0x0303')
    return 'TLSv1.3'
  }
  const offered = hello.legacyVersion === VERSION_CODES['TLSv1.2'] && minVersion === 'TLSv1.2'
  demand(offered, 'protocol-version', `the server chose version ${hello.legacyVersion.toString(16)}`)
  const forced = maxVersion === 'TLSv1.3' && showsDowngrade(hello.random)
  demand(
    !forced,
    'illegal-parameter',
    'the server knows a higher version than it chose: somebody tampered with the hello',
  )
  return 'TLSv1.2'
}

/** Checks that hold for ServerHello and HelloRetryRequest alike. TLS13-2 */
function suite13(context: Context, sent: SentHello, hello: ServerHello): CipherSuite {
  demand(equalBytes(hello.sessionId, sent.fields.sessionId), 'illegal-parameter', 'the session id was not echoed')
  const alert = isHelloRetryRequest(hello) ? 'decode-error' : 'illegal-parameter'
  demand(hello.compressionMethod === 0, alert, 'compression was chosen')
  const suite = cipherSuiteById(hello.cipherSuite)
  const offered = suite?.version === 'TLSv1.3' && context.config.cipherSuites.includes(suite)
  demand(offered, 'illegal-parameter', `cipher suite ${hello.cipherSuite.toString(16)} was not offered`)
  const allowed: number[] = [ExtensionType.supportedVersions, ExtensionType.keyShare]
  if (isHelloRetryRequest(hello)) allowed.push(ExtensionType.cookie)
  else if (sent.fields.resumption?.psk !== undefined) allowed.push(ExtensionType.preSharedKey)
  for (const type of hello.extensions.keys()) {
    demand(allowed.includes(type), 'unsupported-extension', `extension ${type} does not belong into a ServerHello`)
  }
  return suite
}

function agree(sent: SentHello, hello: ServerHello): { group: GroupName; secret: Uint8Array } {
  const entry = decodeExtension(hello.extensions, ExtensionType.keyShare, 'key_share', (reader) => ({
    group: reader.u16(),
    share: reader.vector(2),
  }))
  demand(entry !== undefined, 'missing-extension', 'the ServerHello has no key_share')
  const own = sent.keyShares.find(({ group }) => GROUP_CODES[group] === entry.group)
  demand(own !== undefined, 'illegal-parameter', `the server chose group ${entry.group}, for which no share was sent`) // TLS13-3
  const secret = own.agree(entry.share)
  demand(secret !== undefined, 'illegal-parameter', "the server's key share is invalid") // TLS-31
  return { group: own.group, secret }
}

/** Answers a HelloRetryRequest with the second ClientHello. TLS13-6, TLS13-7, TLS13-8 */
function retry(
  context: Context,
  sent: SentHello,
  hello: ServerHello,
  suite: CipherSuite,
  message: HandshakeMessage,
): ClientStartState {
  const { config, crypto, random, records } = context
  records.endOfFlight()
  const code = decodeExtension(hello.extensions, ExtensionType.keyShare, 'key_share', (r) => r.u16())
  const cookie = decodeExtension(hello.extensions, ExtensionType.cookie, 'cookie', (r) => {
    const value = r.copy(r.u16())
    if (value.length === 0) r.failed = true
    return value
  })
  demand(code !== undefined || cookie !== undefined, 'illegal-parameter', 'a HelloRetryRequest that changes nothing')
  const group = code === undefined ? undefined : groupByCode(code)
  if (code !== undefined) {
    const offered = group !== undefined && config.groups.includes(group)
    demand(offered, 'illegal-parameter', `a retry was asked for group ${code}, which was not offered`)
    const isNew = !sent.keyShares.some((own) => own.group === group)
    demand(isNew, 'illegal-parameter', `a retry was asked for ${group}, for which a share was sent`)
  }
  if (sent.fields.sessionId.length > 0) records.sendChangeCipherSpec()
  const keyShares = group === undefined ? sent.keyShares : [crypto.createKeyShare(group, random)]
  // The ticket goes along where it fits the suite, with its age and binder made anew. TLS13-32, TLS13-33
  const offered = sent.offered?.session.suite.hash === suite.hash ? sent.offered : undefined
  const resumption = resumptionFields(context, isOf12(sent.offered) ? sent.offered : offered)
  const fields = { ...sent.fields, cookie, keyShares: shareEntries(keyShares), resumption }
  const before = [syntheticHello(crypto, suite.hash, sent.raw), message.raw]
  const second = writeHello(context, fields, keyShares, offered, before)
  records.sendHandshake(second.raw)
  const transcript = new Transcript(crypto, suite.hash, ...before, second.raw)
  return { type: 'expect-retried-server-hello', hello: second, retry: { suite, transcript } }
}
