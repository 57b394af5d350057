/**
 * The TLS 1.2 client after the ServerHello (RFC 5246 section 7.3, RFC 8422): ECDHE only.
 *
 * The server's flight is Certificate, ServerKeyExchange, CertificateRequest or not, ServerHelloDone; its signature over
 * the key exchange is its proof. The client answers with everything up to its Finished at once. A server that took the
 * session's ticket makes the rest shorter (`client12-abbreviated.ts`); without one, echoing the session id is a fault.
 */
import { equalBytes } from '../bytes/index.ts'
import type { GroupName } from '../crypto/index.ts'
import { demand } from './alerts.ts'
import { takenProtocol } from './application-protocol.ts'
import {
  type CertificateRequest,
  requestInfo,
  readCertificate12,
  readCertificateRequest12,
  writeCertificate12,
  writeCertificateVerify,
} from './auth-messages.ts'
import type { SentHello } from './sent-hello.ts'
import type { Credential, ResolvedConfig } from './config.ts'
import { type Context, send } from './context.ts'
import { decodeExtension, decodeFlag, demandOffered } from './extensions.ts'
import { checkFinished12, openUnder12, sendFinished12, takeNewTicket12 } from './finish12.ts'
import type { HandshakeMessage } from './handshake-stream.ts'
import { curveGroup, keyFitsSuite, readServerKeyExchange, writeClientKeyExchange } from './key-exchange12.ts'
import { type Keys12, masterSecret, type Randoms, recordKeys12 } from './key-schedule12.ts'
import { type ClientAbbreviatedState, resumeClient12 } from './client12-abbreviated.ts'
import { connected12, type Open12 } from './open12.ts'
import { demandChain, ProvenPeer, VerifiedChain } from './proofs.ts'
import {
  type CipherSuite,
  cipherSuiteById,
  ExtensionType,
  groupByCode,
  groupFits,
  HandshakeType,
  type SignatureScheme,
} from './registry.ts'
import type { SessionOrigin } from './resumption.ts'
import { tellSession12 } from './resumption12.ts'
import { clientOrigin } from './resumption13.ts'
import type { ServerHello } from './server-hello.ts'
import { chooseProof, type PendingSignature, signOrAsk } from './signing.ts'
import { askedStaples, readCertificateStatus, readTimestamps, type Staples } from './staples.ts'
import { Transcript12 } from './transcript12.ts'

/** What the hellos fixed. */
interface Base {
  readonly suite: CipherSuite
  readonly randoms: Randoms
  readonly extendedMasterSecret: boolean
  readonly encryptThenMac: boolean
  readonly transcript: Transcript12
  readonly staples: Staples
  readonly applicationProtocol: string | undefined
  /** What the ticket is of that the server promised. */
  readonly origin: SessionOrigin | undefined
}

/** A server that signed its key exchange with the key of a verified chain. */
interface Exchanged extends Base {
  readonly peer: ProvenPeer
  readonly group: GroupName
  readonly share: Uint8Array
}

/** The client's key exchange is out. */
interface Keyed extends Base {
  readonly peer: ProvenPeer
  readonly group: GroupName
  readonly request: CertificateRequest | undefined
  readonly master: Uint8Array
  readonly keys: { readonly client: Keys12; readonly server: Keys12 }
}

/** The client's Finished is out. */
interface Answered extends Keyed {
  readonly tlsUnique: Uint8Array
  readonly ownScheme: SignatureScheme | undefined
}

/** States of the 1.2 client, named for what they await. */
export type Client12State =
  | (Base & { readonly type: 'expect-certificate-12'; readonly statusPromised: boolean })
  | (Base & {
      readonly type: 'expect-server-key-exchange'
      readonly chain: VerifiedChain
      /** A CertificateStatus may come first. */
      readonly statusPromised: boolean
    })
  | (Exchanged & { readonly type: 'expect-request-or-done' })
  | (Exchanged & { readonly type: 'expect-server-hello-done'; readonly request: CertificateRequest })
  | (Keyed & { readonly type: 'expect-client-signature-12'; readonly pending: PendingSignature })
  | (Answered & { readonly type: 'expect-new-session-ticket' })
  | (Answered & { readonly type: 'expect-server-change-cipher-spec'; readonly newTicket: Uint8Array | undefined })
  | (Answered & { readonly type: 'expect-server-finished-12'; readonly newTicket: Uint8Array | undefined })
  | ClientAbbreviatedState

type In<Type extends Client12State['type']> = Extract<Client12State, { type: Type }>

/** Extensions a 1.2 ServerHello may answer; supported_groups is illegal there, but some servers send it. */
const SERVER_EXTENSIONS: ReadonlySet<number> = new Set([
  ExtensionType.renegotiationInfo,
  ExtensionType.extendedMasterSecret,
  ExtensionType.ecPointFormats,
  ExtensionType.supportedGroups,
])

/** Checks the ServerHello. TLS12-1 to TLS12-4 */
export function startClient12(
  context: Context,
  sent: SentHello,
  hello: ServerHello,
  message: HandshakeMessage,
): Client12State {
  const { config, crypto } = context
  const { fields } = sent
  const resumes = hello.sessionId.length > 0 && equalBytes(hello.sessionId, fields.sessionId)
  const offered12 = sent.offered?.session.suite.version === 'TLSv1.2' ? sent.offered : undefined
  const known = !resumes || offered12 !== undefined
  demand(known, 'illegal-parameter', 'the server resumes a session that does not exist')
  demand(hello.compressionMethod === 0, 'illegal-parameter', 'compression was chosen')
  const suite = cipherSuiteById(hello.cipherSuite)
  const offered = suite?.version === 'TLSv1.2' && config.cipherSuites.includes(suite)
  demand(offered, 'illegal-parameter', `cipher suite ${hello.cipherSuite.toString(16)} was not offered`)
  const { extensions } = hello
  const answers = new Set([
    ...SERVER_EXTENSIONS,
    ...askedStaples(config),
    ...(fields.encryptThenMac ? [ExtensionType.encryptThenMac] : []),
    ...(fields.resumption === undefined ? [] : [ExtensionType.sessionTicket]),
    ...(fields.serverName === undefined ? [] : [ExtensionType.serverName]),
    ...(fields.applicationProtocols.length === 0 ? [] : [ExtensionType.alpn]),
  ])
  demandOffered(extensions, answers, 'the ServerHello')
  decodeFlag(extensions, ExtensionType.serverName, 'server_name')
  checkRenegotiationInfo(context, hello)
  const formats = decodeExtension(extensions, ExtensionType.ecPointFormats, 'ec_point_formats', (r) => r.vector(1))
  demand(formats?.includes(0) ?? true, 'illegal-parameter', 'the server does not take uncompressed points')
  const encryptThenMac = decodeFlag(extensions, ExtensionType.encryptThenMac, 'encrypt_then_mac')
  const macIsSeparate = suite.protection.type === 'cbc' || !encryptThenMac
  demand(macIsSeparate, 'illegal-parameter', 'encrypt_then_mac with an AEAD suite')
  const transcript = new Transcript12(crypto, suite.hash)
  transcript.add(sent.raw)
  transcript.add(message.raw)
  const common = {
    suite,
    randoms: { client: fields.random, server: hello.random },
    extendedMasterSecret: decodeFlag(extensions, ExtensionType.extendedMasterSecret, 'extended_master_secret'),
    encryptThenMac,
    transcript,
    applicationProtocol: takenProtocol(extensions, fields.applicationProtocols),
  }
  const ticketPromised = decodeFlag(extensions, ExtensionType.sessionTicket, 'session_ticket')
  if (resumes && offered12 !== undefined) return resumeClient12(context, { ...common, ...offered12 }, ticketPromised)
  return {
    ...common,
    type: 'expect-certificate-12',
    origin: ticketPromised ? clientOrigin(context, undefined) : undefined,
    statusPromised: decodeFlag(extensions, ExtensionType.statusRequest, 'status_request'),
    staples: { ocspResponse: undefined, certificateTimestamps: readTimestamps(extensions) },
  }
}

/** TLS12-3 */
function checkRenegotiationInfo({ config }: Context, hello: ServerHello): void {
  const info = decodeExtension(hello.extensions, ExtensionType.renegotiationInfo, 'renegotiation_info', (r) =>
    r.vector(1),
  )
  const present = info !== undefined || config.allowLegacyServer
  demand(present, 'handshake-failure', 'the server does not know secure renegotiation')
  demand(info === undefined || info.length === 0, 'handshake-failure', 'renegotiation_info of a first handshake')
}

export function onCertificate12(
  context: Context,
  state: In<'expect-certificate-12'>,
  message: HandshakeMessage,
): Client12State {
  demand(message.type === HandshakeType.certificate, 'unexpected-message', 'expected a Certificate')
  const certificates = readCertificate12(message.body, context.config.maxCertificates)
  demandChain(certificates, 'decode-error')
  state.transcript.add(message.raw)
  const chain = VerifiedChain.check(context, certificates)
  const key = chain.leaf.publicKey
  demand(
    key !== undefined && keyFitsSuite(key, state.suite),
    'illegal-parameter',
    'the certificate does not fit the cipher suite',
  )
  const curve = curveGroup(key)
  const curveOffered = curve === undefined || context.config.groups.includes(curve)
  demand(curveOffered, 'illegal-parameter', `the certificate's curve ${curve} was not offered`)
  return { ...state, type: 'expect-server-key-exchange', chain }
}

export function onServerKeyExchange(
  context: Context,
  state: In<'expect-server-key-exchange'>,
  message: HandshakeMessage,
): Client12State {
  if (message.type === HandshakeType.certificateStatus && state.statusPromised) {
    const ocspResponse = readCertificateStatus(message.body)
    state.transcript.add(message.raw)
    return { ...state, statusPromised: false, staples: { ...state.staples, ocspResponse } }
  }
  demand(message.type === HandshakeType.serverKeyExchange, 'unexpected-message', 'expected a ServerKeyExchange')
  const exchange = readServerKeyExchange(message.body, state.randoms)
  const group = groupByCode(exchange.group)
  const offered = group !== undefined && groupFits(group, 'TLSv1.2') && context.config.groups.includes(group)
  demand(offered, 'illegal-parameter', `the server chose group ${exchange.group}, which was not offered`)
  const peer = ProvenPeer.check(context, state.chain, 'TLSv1.2', exchange.signed, exchange.content)
  state.transcript.add(message.raw)
  return { ...state, type: 'expect-request-or-done', peer, group, share: exchange.share }
}

export function onRequestOrDone(
  context: Context,
  state: In<'expect-request-or-done'>,
  message: HandshakeMessage,
): Client12State {
  if (message.type === HandshakeType.serverHelloDone) return answer(context, state, undefined, message)
  demand(message.type === HandshakeType.certificateRequest, 'unexpected-message', 'expected a ServerHelloDone')
  const request = readCertificateRequest12(message.body)
  state.transcript.add(message.raw)
  return { ...state, type: 'expect-server-hello-done', request }
}

export function onServerHelloDone(
  context: Context,
  state: In<'expect-server-hello-done'>,
  message: HandshakeMessage,
): Client12State {
  demand(message.type === HandshakeType.serverHelloDone, 'unexpected-message', 'expected a ServerHelloDone')
  return answer(context, state, state.request, message)
}

/** ClientCertificateType of a key: rsa_sign or ecdsa_sign. */
function certificateType({ publicKey }: Credential): number {
  return publicKey.type === 'rsa' ? 1 : 64
}

/** The client's flight, as far as it can go without waiting for a signature. TLS12-9 */
function answer(
  context: Context,
  state: Exchanged,
  request: CertificateRequest | undefined,
  message: HandshakeMessage,
): Client12State {
  const { config, crypto, random } = context
  const { transcript, suite, randoms } = state
  demand(message.body.length === 0, 'decode-error', 'the ServerHelloDone is malformed')
  context.records.endOfFlight()
  transcript.add(message.raw)
  const proof = request && proofFor(config, request)
  if (request !== undefined) send(context, transcript, writeCertificate12(proof?.credential.chain ?? []))
  const response = crypto.respondKeyShare(state.group, state.share, random)
  demand(response !== undefined, 'illegal-parameter', "the server's key share is invalid") // TLS-31
  send(context, transcript, writeClientKeyExchange(response.share))
  const sessionHash = state.extendedMasterSecret ? transcript.hash() : undefined
  const master = masterSecret(crypto, suite, response.secret, randoms, sessionHash)
  context.keyLog?.master(randoms.client, master)
  const keys = recordKeys12(crypto, suite, master, randoms, state.encryptThenMac)
  const keyed: Keyed = { ...state, request, master, keys }
  if (proof === undefined) return finish(context, keyed, undefined)
  const { credential, scheme } = proof
  const pending = { scheme, message: transcript.content() }
  const waiting = { ...keyed, type: 'expect-client-signature-12', pending } as const
  const signature = signOrAsk(context, credential, pending)
  return signature === undefined ? waiting : onClientSignature12(context, waiting, signature)
}

/** The own certificate, where the server takes its kind and one of its schemes. TLS12-11 */
function proofFor(config: ResolvedConfig, request: CertificateRequest): ReturnType<typeof chooseProof> {
  const { credential } = config
  const kindFits = credential === undefined || request.certificateTypes.includes(certificateType(credential))
  return chooseProof(config, 'TLSv1.2', kindFits ? request.signatureAlgorithms : [])
}

/** The client's CertificateVerify can be sent. */
export function onClientSignature12(
  context: Context,
  state: In<'expect-client-signature-12'>,
  signature: Uint8Array,
): Client12State {
  send(context, state.transcript, writeCertificateVerify(state.pending.scheme, signature))
  return finish(context, state, state.pending.scheme)
}

function finish(context: Context, state: Keyed, ownScheme: SignatureScheme | undefined): Client12State {
  state.transcript.forget()
  const tlsUnique = sendFinished12(context, state)
  const answered = { ...state, ownScheme, tlsUnique }
  if (state.origin !== undefined) return { ...answered, type: 'expect-new-session-ticket' }
  return { ...answered, type: 'expect-server-change-cipher-spec', newTicket: undefined }
}

/** TLS12-23 */
export function onNewSessionTicket(
  _context: Context,
  state: In<'expect-new-session-ticket'>,
  message: HandshakeMessage,
): Client12State {
  const newTicket = takeNewTicket12(state.transcript, message)
  return { ...state, type: 'expect-server-change-cipher-spec', newTicket }
}

/** TLS12-7 */
export function onServerChangeCipherSpec(
  context: Context,
  state: In<'expect-server-change-cipher-spec'>,
): Client12State {
  openUnder12(context, state.keys.server)
  return { ...state, type: 'expect-server-finished-12' }
}

export function onServerFinished12(
  context: Context,
  state: In<'expect-server-finished-12'>,
  message: HandshakeMessage,
): Open12 {
  const finished = checkFinished12(context, state, 'server', message)
  const open = connected12(context, { ...state, finished, ...requestInfo(state.request) })
  const { origin, newTicket } = state
  if (origin !== undefined && newTicket !== undefined) tellSession12(context, origin, { ...state, newTicket })
  return open
}
