/**
 * The TLS 1.3 client after the ServerHello (RFC 8446 sections 4.3, 4.4 and appendix A.1).
 *
 * The order of the server's flight is fixed: EncryptedExtensions, then a CertificateRequest or not, Certificate,
 * CertificateVerify, Finished. The client's own certificate, when asked for, goes out after the server has proven
 * itself. Without one that the server could check an empty Certificate goes out (TLS13-16).
 */
import { Reader } from '../bytes/index.ts'
import type { GroupName } from '../crypto/index.ts'
import { demand } from './alerts.ts'
import { takenProtocol } from './application-protocol.ts'
import {
  type CertificateRequest,
  requestInfo,
  readCertificate13,
  readCertificateRequest13,
  readCertificateVerify,
  signedContent13,
  writeCertificate13,
  writeCertificateVerify,
} from './auth-messages.ts'
import type { SentHello } from './sent-hello.ts'
import { type Context, send } from './context.ts'
import {
  decodeExtension,
  decodeFlag,
  demandComplete,
  demandOffered,
  readExtensions,
  readU16List,
} from './extensions.ts'
import { type HandshakeMessage, handshakeMessage } from './handshake-stream.ts'
import {
  type ApplicationSecrets,
  applicationSecrets,
  finishedMac,
  handshakeSecrets,
  trafficKeys,
} from './key-schedule.ts'
import { connected13, type Keyed13, type Open13 } from './open13.ts'
import { demandChain, FinishedProof, ProvenPeer, type ResumedPeer, VerifiedChain } from './proofs.ts'
import { Opener13, Sealer13 } from './protection.ts'
import { type CipherSuite, ExtensionType, HandshakeType, type SignatureScheme } from './registry.ts'
import { clientOrigin, resumptionRoot, type TakenPsk } from './resumption13.ts'
import { chooseProof, type PendingSignature, signOrAsk } from './signing.ts'
import { askedStaples, type Staples } from './staples.ts'
import type { Transcript } from './transcript.ts'

/** A server that passed every check, its Finished included, and the secrets of the connection. */
interface Authenticated extends Keyed13 {
  readonly request: CertificateRequest | undefined
  readonly peer: ProvenPeer | ResumedPeer
  readonly staples: Staples
  readonly finished: FinishedProof
  readonly application: ApplicationSecrets
}

/** States of the 1.3 client, named for what they await. */
export type Client13State =
  | (Keyed13 & { readonly type: 'expect-encrypted-extensions'; readonly psk: TakenPsk | undefined })
  | (Keyed13 & { readonly type: 'expect-certificate-or-request' })
  | (Keyed13 & { readonly type: 'expect-certificate'; readonly request: CertificateRequest })
  | (Keyed13 & {
      readonly type: 'expect-certificate-verify'
      readonly request: CertificateRequest | undefined
      readonly chain: VerifiedChain
      readonly staples: Staples
    })
  | (Keyed13 & {
      readonly type: 'expect-server-finished'
      readonly request: CertificateRequest | undefined
      readonly peer: ProvenPeer | ResumedPeer
      readonly staples: Staples
    })
  | (Authenticated & { readonly type: 'expect-client-signature'; readonly pending: PendingSignature })

type In<Type extends Client13State['type']> = Extract<Client13State, { type: Type }>

/** What the ServerHello led to. */
export interface Client13Start {
  readonly suite: CipherSuite
  readonly group: GroupName
  readonly retried: boolean
  /** Through the ServerHello. */
  readonly transcript: Transcript
  readonly sharedSecret: Uint8Array
  readonly hello: SentHello
  /** The session that the server took. */
  readonly psk: TakenPsk | undefined
}

/** Takes the handshake keys into use. */
export function startClient13(context: Context, start: Client13Start): Client13State {
  const { crypto, records } = context
  const { suite, group, retried, transcript, sharedSecret, hello, psk } = start
  const secrets = handshakeSecrets(crypto, suite.hash, sharedSecret, transcript.hash(), psk?.early)
  context.keyLog?.handshake(hello.fields.random, secrets)
  records.setOpener(new Opener13(crypto, trafficKeys(crypto, suite, secrets.serverHandshakeTrafficSecret)))
  // After a retry the ChangeCipherSpec went out before the second ClientHello. TLS13-5
  if (hello.fields.sessionId.length > 0 && !retried) records.sendChangeCipherSpec()
  records.setSealer(new Sealer13(crypto, trafficKeys(crypto, suite, secrets.clientHandshakeTrafficSecret)))
  const origin = clientOrigin(context, psk?.session)
  const keyed = { suite, group, retried, transcript, secrets, applicationProtocol: undefined, origin }
  return { type: 'expect-encrypted-extensions', ...keyed, psk }
}

export function onEncryptedExtensions(
  context: Context,
  state: In<'expect-encrypted-extensions'>,
  message: HandshakeMessage,
): Client13State {
  demand(message.type === HandshakeType.encryptedExtensions, 'unexpected-message', 'expected EncryptedExtensions')
  const { config } = context
  const reader = new Reader(message.body)
  const extensions = readExtensions(reader)
  demandComplete(reader, 'the EncryptedExtensions')
  const answers: ReadonlySet<number> = new Set([
    ExtensionType.supportedGroups,
    ...(config.serverName === undefined ? [] : [ExtensionType.serverName]),
    ...(config.applicationProtocols.length === 0 ? [] : [ExtensionType.alpn]),
  ])
  demandOffered(extensions, answers, 'EncryptedExtensions') // TLS13-13
  decodeFlag(extensions, ExtensionType.serverName, 'server_name')
  decodeExtension(extensions, ExtensionType.supportedGroups, 'supported_groups', (r) => readU16List(r, 2))
  state.transcript.add(message.raw)
  const applicationProtocol = takenProtocol(extensions, config.applicationProtocols)
  const { psk } = state
  if (psk === undefined) return { ...state, type: 'expect-certificate-or-request', applicationProtocol }
  // The ticket stands for Certificate and CertificateVerify; neither they nor a request may come. TLS13-32
  const { peer, session } = psk
  const { staples } = session
  return { ...state, type: 'expect-server-finished', peer, request: undefined, staples, applicationProtocol }
}

export function onCertificateOrRequest(
  context: Context,
  state: In<'expect-certificate-or-request'>,
  message: HandshakeMessage,
): Client13State {
  if (message.type !== HandshakeType.certificateRequest) {
    return onCertificate(context, { ...state, type: 'expect-certificate', request: undefined }, message)
  }
  const request = readCertificateRequest13(message.body)
  state.transcript.add(message.raw)
  return { ...state, type: 'expect-certificate', request }
}

export function onCertificate(
  context: Context,
  state: Keyed13 & { readonly type: 'expect-certificate'; readonly request: CertificateRequest | undefined },
  message: HandshakeMessage,
): Client13State {
  demand(message.type === HandshakeType.certificate, 'unexpected-message', 'expected a Certificate')
  const { config } = context
  const { certificates, staples } = readCertificate13(message.body, config.maxCertificates, askedStaples(config))
  demandChain(certificates, 'decode-error')
  state.transcript.add(message.raw)
  return { ...state, type: 'expect-certificate-verify', chain: VerifiedChain.check(context, certificates), staples }
}

export function onCertificateVerify(
  context: Context,
  state: In<'expect-certificate-verify'>,
  message: HandshakeMessage,
): Client13State {
  demand(message.type === HandshakeType.certificateVerify, 'unexpected-message', 'expected a CertificateVerify')
  const signed = readCertificateVerify(message.body)
  const content = signedContent13('server', state.transcript.hash())
  const peer = ProvenPeer.check(context, state.chain, 'TLSv1.3', signed, content)
  state.transcript.add(message.raw)
  return { ...state, type: 'expect-server-finished', peer }
}

/** Checks the server's Finished and answers with this side's flight. */
export function onServerFinished(
  context: Context,
  state: In<'expect-server-finished'>,
  message: HandshakeMessage,
): Client13State | Open13 {
  demand(message.type === HandshakeType.finished, 'unexpected-message', 'expected a Finished')
  const { crypto, config, records } = context
  const { suite, secrets, transcript, request } = state
  const expected = finishedMac(crypto, suite.hash, secrets.serverHandshakeTrafficSecret, transcript.hash())
  const finished = FinishedProof.check(expected, message.body)
  transcript.add(message.raw)
  const application = applicationSecrets(crypto, suite.hash, secrets.handshakeSecret, transcript.hash())
  context.keyLog?.application(application)
  records.setOpener(new Opener13(crypto, trafficKeys(crypto, suite, application.serverApplicationTrafficSecret)))
  records.handshakeDone()
  const authenticated: Authenticated = { ...state, finished, application }
  if (request === undefined) return finish(context, authenticated, undefined)
  const proof = chooseProof(config, 'TLSv1.3', request.signatureAlgorithms)
  send(context, transcript, writeCertificate13(proof?.credential.chain ?? [], request.context))
  if (proof === undefined) return finish(context, authenticated, undefined)
  const { credential, scheme } = proof
  const pending = { scheme, message: signedContent13('client', transcript.hash()) }
  const waiting = { ...authenticated, type: 'expect-client-signature', pending } as const
  const signature = signOrAsk(context, credential, pending)
  return signature === undefined ? waiting : onClientSignature(context, waiting, signature)
}

/** The client's CertificateVerify can be sent. */
export function onClientSignature(
  context: Context,
  state: In<'expect-client-signature'>,
  signature: Uint8Array,
): Open13 {
  send(context, state.transcript, writeCertificateVerify(state.pending.scheme, signature))
  return finish(context, state, state.pending.scheme)
}

function finish(context: Context, state: Authenticated, ownScheme: SignatureScheme | undefined): Open13 {
  const { crypto, records } = context
  const { suite, secrets, transcript, application } = state
  const mac = finishedMac(crypto, suite.hash, secrets.clientHandshakeTrafficSecret, transcript.hash())
  send(context, transcript, handshakeMessage(HandshakeType.finished, mac))
  const { clientApplicationTrafficSecret: writeSecret, serverApplicationTrafficSecret: readSecret } = application
  records.setSealer(new Sealer13(crypto, trafficKeys(crypto, suite, writeSecret)))
  const { exporterMasterSecret, masterSecret } = application
  const { origin } = state
  const resumption = origin && resumptionRoot(context, suite, masterSecret, transcript, origin)
  return connected13(context, {
    ...state,
    resumption,
    ...requestInfo(state.request),
    ownScheme,
    writeSecret,
    readSecret,
    exporterMasterSecret,
  })
}
