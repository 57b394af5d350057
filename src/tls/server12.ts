/**
 * The TLS 1.2 server from the ServerHello on (RFC 5246 section 7.3, RFC 8422): ECDHE only.
 *
 * A client that offers extended_master_secret, secure renegotiation or encrypt-then-MAC gets them. Where this server
 * could have spoken 1.3, its random says so. A ticket that is taken makes the rest shorter (`server12-abbreviated.ts`).
 */
import { EMPTY } from '../bytes/index.ts'
import type { GroupName, KeyShare } from '../crypto/index.ts'
import { demand } from './alerts.ts'
import { chooseProtocol } from './application-protocol.ts'
import {
  readCertificate12,
  readCertificateVerify,
  writeCertificate12,
  writeCertificateRequest12,
} from './auth-messages.ts'
import type { ClientHello } from './client-hello.ts'
import type { Credential } from './config.ts'
import { type Context, send } from './context.ts'
import { checkFinished12, openUnder12, sendFinished12 } from './finish12.ts'
import { type HandshakeMessage, handshakeMessage } from './handshake-stream.ts'
import {
  curveGroup,
  keyFitsSuite,
  readClientKeyExchange,
  signedParameters,
  writeParameters,
  writeServerKeyExchange,
} from './key-exchange12.ts'
import { type Keys12, masterSecret, type Randoms, recordKeys12 } from './key-schedule12.ts'
import { connected12, type Open12 } from './open12.ts'
import { preferredGroup, preferredSuite } from './preference.ts'
import { AnonymousClient, type PeerIdentity, ProvenPeer, VerifiedChain } from './proofs.ts'
import { type CipherSuite, GROUP_CODES, HandshakeType, type SignatureScheme } from './registry.ts'
import type { SessionOrigin } from './resumption.ts'
import { newTicket12, serverOrigin12, type Taken12, takeTicket12 } from './resumption12.ts'
import { resumeServer12, type ServerAbbreviatedState } from './server12-abbreviated.ts'
import { markDowngrade, serverHello12 } from './server-hello.ts'
import { chooseScheme, type PendingSignature, signOrAsk } from './signing.ts'
import { NO_STAPLES, staplesFor, writeCertificateStatus } from './staples.ts'
import { Transcript12 } from './transcript12.ts'

/** What the hellos fixed. */
interface Base {
  readonly suite: CipherSuite
  readonly group: GroupName
  readonly keyShare: KeyShare
  readonly randoms: Randoms
  readonly extendedMasterSecret: boolean
  readonly encryptThenMac: boolean
  readonly transcript: Transcript12
  readonly applicationProtocol: string | undefined
  readonly ownScheme: SignatureScheme
  readonly peerSignatureAlgorithms: readonly number[]
  /** What the ticket is of that was promised to the client. */
  readonly origin: SessionOrigin | undefined
}

/** The client's key exchange is in. */
interface Keyed extends Base {
  readonly master: Uint8Array
  readonly keys: { readonly client: Keys12; readonly server: Keys12 }
}

/** States of the 1.2 server, named for what they await. */
export type Server12State =
  | (Base & {
      readonly type: 'expect-server-signature-12'
      readonly pending: PendingSignature
      readonly parameters: Uint8Array
    })
  | (Base & { readonly type: 'expect-client-certificate-12' })
  | (Base & { readonly type: 'expect-client-key-exchange'; readonly client: VerifiedChain | AnonymousClient })
  | (Keyed & { readonly type: 'expect-client-certificate-verify-12'; readonly chain: VerifiedChain })
  | (Keyed & { readonly type: 'expect-client-change-cipher-spec'; readonly peer: PeerIdentity })
  | (Keyed & { readonly type: 'expect-client-finished-12'; readonly peer: PeerIdentity })
  | ServerAbbreviatedState

type In<Type extends Server12State['type']> = Extract<Server12State, { type: Type }>

/** Sends everything up to the ServerKeyExchange, and the rest too when the signature can be made here. */
export function startServer12(context: Context, hello: ClientHello, message: HandshakeMessage): Server12State {
  const { config, crypto, random } = context
  const { credential } = config
  demand(credential !== undefined, 'internal-error', 'no certificate')
  const { renegotiationInfo, ecPointFormats } = hello
  demand(
    renegotiationInfo === undefined || renegotiationInfo.length === 0,
    'handshake-failure',
    'renegotiation_info of a first handshake',
  ) // TLS12-3
  demand(ecPointFormats?.includes(0) ?? true, 'illegal-parameter', 'the client does not take uncompressed points')
  const taken = takeTicket12(context, hello)
  if (taken !== undefined) return resume(context, hello, message, taken)
  const group = chooseGroup(context, hello)
  const { suite, scheme } = chooseSuite(context, hello, credential)
  const randoms = newRandoms(context, hello)
  const keyShare = crypto.createKeyShare(group, random)
  const encryptThenMac = hello.encryptThenMac && suite.protection.type === 'cbc'
  const transcript = new Transcript12(crypto, suite.hash)
  transcript.add(message.raw)
  const staples = staplesFor(config, hello)
  const applicationProtocol = chooseProtocol(config.applicationProtocols, hello.applicationProtocols)
  const origin = serverOrigin12(context, hello)
  const answers = { encryptThenMac, staples, applicationProtocol, ticketPromised: origin !== undefined }
  send(context, transcript, serverHello12(hello, suite, randoms.server, EMPTY, answers))
  send(context, transcript, writeCertificate12(credential.chain))
  if (staples.ocspResponse !== undefined) send(context, transcript, writeCertificateStatus(staples.ocspResponse))
  const parameters = writeParameters(group, keyShare.share)
  const pending = { scheme, message: signedParameters(randoms, parameters) }
  const waiting = {
    type: 'expect-server-signature-12',
    suite,
    group,
    keyShare,
    randoms,
    extendedMasterSecret: hello.extendedMasterSecret,
    encryptThenMac,
    applicationProtocol,
    transcript,
    ownScheme: scheme,
    peerSignatureAlgorithms: hello.signatureAlgorithms ?? [],
    pending,
    parameters,
    origin,
  } as const
  const signature = signOrAsk(context, credential, pending)
  return signature === undefined ? waiting : onServerSignature12(context, waiting, signature)
}

/** Goes on with a ticket's session. TLS12-20 */
function resume(context: Context, hello: ClientHello, message: HandshakeMessage, taken: Taken12): Server12State {
  const { config, crypto } = context
  const { suite } = taken.session
  const randoms = newRandoms(context, hello)
  const encryptThenMac = hello.encryptThenMac && suite.protection.type === 'cbc'
  const applicationProtocol = chooseProtocol(config.applicationProtocols, hello.applicationProtocols)
  const answers = { encryptThenMac, applicationProtocol, staples: NO_STAPLES, ticketPromised: false }
  const transcript = new Transcript12(crypto, suite.hash)
  transcript.add(message.raw)
  send(context, transcript, serverHello12(hello, suite, randoms.server, hello.sessionId, answers))
  const peerSignatureAlgorithms = hello.signatureAlgorithms ?? []
  const start = { ...taken, randoms, encryptThenMac, applicationProtocol, transcript, peerSignatureAlgorithms }
  return resumeServer12(context, start)
}

function newRandoms({ config, random }: Context, hello: ClientHello): Randoms {
  const fresh = random(32)
  return { client: hello.random, server: config.maxVersion === 'TLSv1.3' ? markDowngrade(fresh) : fresh }
}

/** TLS12-2 */
function chooseGroup({ config }: Context, hello: ClientHello): GroupName {
  const group = preferredGroup(config, hello, 'TLSv1.2')
  demand(group !== undefined, 'handshake-failure', 'no group in common')
  return group
}

/** TLS12-1, TLS12-5 */
function chooseSuite(
  { config }: Context,
  hello: ClientHello,
  credential: Credential,
): { suite: CipherSuite; scheme: SignatureScheme } {
  const scheme = chooseScheme(credential, 'TLSv1.2', hello.signatureAlgorithms ?? [])
  demand(scheme !== undefined, 'handshake-failure', "no signature scheme in common that fits the server's key")
  const curve = curveGroup(credential.publicKey)
  const curveKnown = curve === undefined || hello.supportedGroups?.includes(GROUP_CODES[curve])
  demand(curveKnown, 'handshake-failure', "the client does not know the curve of the server's certificate")
  const suite = preferredSuite(
    config,
    hello.cipherSuites,
    (candidate) => candidate.version === 'TLSv1.2' && keyFitsSuite(credential.publicKey, candidate),
  )
  demand(suite !== undefined, 'handshake-failure', 'no cipher suite in common')
  return { suite, scheme }
}

/** The ServerKeyExchange can be sent, and with it the rest of the flight. */
export function onServerSignature12(
  context: Context,
  state: In<'expect-server-signature-12'>,
  signature: Uint8Array,
): Server12State {
  const { config } = context
  const { transcript, parameters, pending } = state
  send(context, transcript, writeServerKeyExchange(parameters, pending.scheme, signature))
  const asks = config.clientAuth !== 'none'
  if (asks) send(context, transcript, writeCertificateRequest12(config.signatureSchemes, config.certificateAuthorities))
  send(context, transcript, handshakeMessage(HandshakeType.serverHelloDone, EMPTY))
  if (asks) return { ...state, type: 'expect-client-certificate-12' }
  return { ...state, type: 'expect-client-key-exchange', client: AnonymousClient.allow(context, 'TLSv1.2') }
}

export function onClientCertificate12(
  context: Context,
  state: In<'expect-client-certificate-12'>,
  message: HandshakeMessage,
): Server12State {
  demand(message.type === HandshakeType.certificate, 'unexpected-message', 'expected a Certificate')
  const certificates = readCertificate12(message.body, context.config.maxCertificates)
  state.transcript.add(message.raw)
  const client =
    certificates.length === 0 ? AnonymousClient.allow(context, 'TLSv1.2') : VerifiedChain.check(context, certificates)
  return { ...state, type: 'expect-client-key-exchange', client }
}

export function onClientKeyExchange(
  context: Context,
  state: In<'expect-client-key-exchange'>,
  message: HandshakeMessage,
): Server12State {
  demand(message.type === HandshakeType.clientKeyExchange, 'unexpected-message', 'expected a ClientKeyExchange')
  const { crypto } = context
  const { suite, transcript, randoms, client } = state
  const premaster = state.keyShare.agree(readClientKeyExchange(message.body))
  demand(premaster !== undefined, 'illegal-parameter', "the client's key share is invalid") // TLS-31
  transcript.add(message.raw)
  const sessionHash = state.extendedMasterSecret ? transcript.hash() : undefined
  const master = masterSecret(crypto, suite, premaster, randoms, sessionHash)
  context.keyLog?.master(randoms.client, master)
  const keys = recordKeys12(crypto, suite, master, randoms, state.encryptThenMac)
  const keyed: Keyed = { ...state, master, keys }
  if (client instanceof VerifiedChain) return { ...keyed, type: 'expect-client-certificate-verify-12', chain: client }
  transcript.forget()
  return { ...keyed, type: 'expect-client-change-cipher-spec', peer: client }
}

/** TLS12-10 */
export function onClientCertificateVerify12(
  context: Context,
  state: In<'expect-client-certificate-verify-12'>,
  message: HandshakeMessage,
): Server12State {
  demand(message.type === HandshakeType.certificateVerify, 'unexpected-message', 'expected a CertificateVerify')
  const { transcript, chain } = state
  const signed = readCertificateVerify(message.body)
  const peer = ProvenPeer.check(context, chain, 'TLSv1.2', signed, transcript.content())
  transcript.forget()
  transcript.add(message.raw)
  return { ...state, type: 'expect-client-change-cipher-spec', peer }
}

/** TLS12-7 */
export function onClientChangeCipherSpec(
  context: Context,
  state: In<'expect-client-change-cipher-spec'>,
): Server12State {
  openUnder12(context, state.keys.client)
  return { ...state, type: 'expect-client-finished-12' }
}

export function onClientFinished12(
  context: Context,
  state: In<'expect-client-finished-12'>,
  message: HandshakeMessage,
): Open12 {
  const finished = checkFinished12(context, state, 'client', message)
  const tlsUnique = message.body.slice()
  const { origin, transcript } = state
  transcript.add(message.raw)
  if (origin !== undefined) send(context, transcript, newTicket12(context, origin, state))
  sendFinished12(context, state)
  return connected12(context, { ...state, finished, tlsUnique })
}
