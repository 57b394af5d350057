/**
 * The TLS 1.3 server from the ServerHello on (RFC 8446 appendix A.2).
 *
 * The whole flight leaves at once: ServerHello, EncryptedExtensions, CertificateRequest or not, Certificate,
 * CertificateVerify, Finished. Application data is neither sent nor taken before the client's Finished, so nothing is
 * ever said to a client that has not proven itself.
 */
import { EMPTY, Writer } from '../bytes/index.ts'
import type { GroupName } from '../crypto/index.ts'
import { demand } from './alerts.ts'
import { chooseProtocol, writeProtocols } from './application-protocol.ts'
import {
  readCertificate13,
  readCertificateVerify,
  signedContent13,
  writeCertificate13,
  writeCertificateRequest13,
  writeCertificateVerify,
} from './auth-messages.ts'
import type { ClientHello, KeyShareEntry } from './client-hello.ts'
import type { Credential } from './config.ts'
import { type Context, send } from './context.ts'
import { writeExtension } from './extensions.ts'
import { type HandshakeMessage, handshakeMessage } from './handshake-stream.ts'
import {
  type ApplicationSecrets,
  applicationSecrets,
  finishedMac,
  handshakeSecrets,
  trafficKeys,
} from './key-schedule.ts'
import { connected13, type Keyed13, type Open13 } from './open13.ts'
import { AnonymousClient, FinishedProof, type PeerIdentity, ProvenPeer, VerifiedChain } from './proofs.ts'
import { Opener13, Sealer13 } from './protection.ts'
import { type CipherSuite, ExtensionType, GROUP_CODES, HandshakeType, type SignatureScheme } from './registry.ts'
import { peerPart, resumptionRoot, sendTicket13, serverOrigin, type TakenPsk } from './resumption13.ts'
import { writeSelectedVersion, writeServerHello } from './server-hello.ts'
import { type PendingSignature, signOrAsk } from './signing.ts'
import { staplesFor } from './staples.ts'
import type { Transcript } from './transcript.ts'

/** What the ServerHello fixed. */
interface Base extends Keyed13 {
  readonly ownScheme: SignatureScheme | undefined
  readonly peerSignatureAlgorithms: readonly number[]
}

/** After the server's Finished. */
interface Sent extends Base {
  readonly application: ApplicationSecrets
}

/** States of the 1.3 server, named for what they await. */
export type Server13State =
  | (Base & { readonly type: 'expect-server-signature'; readonly pending: PendingSignature })
  | (Sent & { readonly type: 'expect-client-certificate' })
  | (Sent & { readonly type: 'expect-client-certificate-verify'; readonly chain: VerifiedChain })
  | (Sent & { readonly type: 'expect-client-finished'; readonly peer: PeerIdentity })

type In<Type extends Server13State['type']> = Extract<Server13State, { type: Type }>

/** A certificate and the way that its key will sign. */
export interface OwnCertificate {
  readonly type: 'certificate'
  readonly credential: Credential
  readonly scheme: SignatureScheme
}

/** What the negotiation chose. */
export interface Server13Start {
  readonly hello: ClientHello
  readonly suite: CipherSuite
  readonly group: GroupName
  readonly share: KeyShareEntry
  readonly authentication: OwnCertificate | TakenPsk
  readonly retried: boolean
  /** Through the ClientHello. */
  readonly transcript: Transcript
}

/** Sends everything up to the Certificate, and the rest too when the signature can be made here. */
export function startServer13(context: Context, start: Server13Start): Server13State {
  const { crypto, random, records, config } = context
  const applicationProtocol = chooseProtocol(config.applicationProtocols, start.hello.applicationProtocols)
  const encryptedExtensions = new Writer(16)
  encryptedExtensions.block(2, (w) => writeProtocols(w, applicationProtocol === undefined ? [] : [applicationProtocol]))
  const { hello, suite, group, authentication, retried, transcript } = start
  const psk = authentication.type === 'psk' ? authentication : undefined
  const serverRandom = random(32)
  const response = crypto.respondKeyShare(group, start.share.share, random)
  demand(response !== undefined, 'illegal-parameter', "the client's key share is invalid") // TLS-31
  const writer = new Writer(256)
  writeServerHello(writer, { random: serverRandom, sessionId: hello.sessionId, cipherSuite: suite.id }, (w) => {
    writeExtension(w, ExtensionType.keyShare, (x) => x.u16(GROUP_CODES[group]).vector(2, response.share))
    writeSelectedVersion(w, 'TLSv1.3')
    if (psk !== undefined) writeExtension(w, ExtensionType.preSharedKey, (x) => x.u16(psk.index))
  })
  send(context, transcript, handshakeMessage(HandshakeType.serverHello, writer.finish()))
  if (hello.sessionId.length > 0 && !retried) records.sendChangeCipherSpec() // TLS13-5
  const secrets = handshakeSecrets(crypto, suite.hash, response.secret, transcript.hash(), psk?.early)
  context.keyLog?.handshake(hello.random, secrets)
  records.setOpener(new Opener13(crypto, trafficKeys(crypto, suite, secrets.clientHandshakeTrafficSecret)))
  records.allowPlaintextAlert()
  records.setSealer(new Sealer13(crypto, trafficKeys(crypto, suite, secrets.serverHandshakeTrafficSecret)))
  send(context, transcript, handshakeMessage(HandshakeType.encryptedExtensions, encryptedExtensions.finish()))
  const base = {
    suite,
    group,
    retried,
    transcript,
    secrets,
    applicationProtocol,
    ownScheme: undefined,
    peerSignatureAlgorithms: hello.signatureAlgorithms ?? [],
    origin: serverOrigin(context, hello, psk?.session),
  }
  if (authentication.type === 'psk') {
    const sent = sendFinished(context, base)
    return { ...sent, type: 'expect-client-finished', peer: authentication.peer }
  }
  const { credential, scheme } = authentication
  if (config.clientAuth !== 'none')
    send(context, transcript, writeCertificateRequest13(config.signatureSchemes, config.certificateAuthorities))
  send(context, transcript, writeCertificate13(credential.chain, EMPTY, staplesFor(config, hello)))
  const pending = { scheme, message: signedContent13('server', transcript.hash()) }
  const waiting = { ...base, type: 'expect-server-signature', ownScheme: scheme, pending } as const
  const signature = signOrAsk(context, credential, pending)
  return signature === undefined ? waiting : onServerSignature(context, waiting, signature)
}

/** The CertificateVerify can be sent, and with it the Finished. */
export function onServerSignature(
  context: Context,
  state: In<'expect-server-signature'>,
  signature: Uint8Array,
): Server13State {
  send(context, state.transcript, writeCertificateVerify(state.pending.scheme, signature))
  const sent = sendFinished(context, state)
  if (context.config.clientAuth !== 'none') return { ...sent, type: 'expect-client-certificate' }
  return { ...sent, type: 'expect-client-finished', peer: AnonymousClient.allow(context, 'TLSv1.3') }
}

/** The end of the server's flight: from here on it may send data. */
function sendFinished<State extends Base>(context: Context, state: State): State & Sent {
  const { crypto, records } = context
  const { suite, transcript, secrets } = state
  const mac = finishedMac(crypto, suite.hash, secrets.serverHandshakeTrafficSecret, transcript.hash())
  send(context, transcript, handshakeMessage(HandshakeType.finished, mac))
  const application = applicationSecrets(crypto, suite.hash, secrets.handshakeSecret, transcript.hash())
  context.keyLog?.application(application)
  records.setSealer(new Sealer13(crypto, trafficKeys(crypto, suite, application.serverApplicationTrafficSecret)))
  return { ...state, application }
}

export function onClientCertificate(
  context: Context,
  state: In<'expect-client-certificate'>,
  message: HandshakeMessage,
): Server13State {
  demand(message.type === HandshakeType.certificate, 'unexpected-message', 'expected a Certificate')
  const { certificates } = readCertificate13(message.body, context.config.maxCertificates, new Set()) // TLS-43
  state.transcript.add(message.raw)
  if (certificates.length === 0) {
    return { ...state, type: 'expect-client-finished', peer: AnonymousClient.allow(context, 'TLSv1.3') }
  }
  return { ...state, type: 'expect-client-certificate-verify', chain: VerifiedChain.check(context, certificates) }
}

export function onClientCertificateVerify(
  context: Context,
  state: In<'expect-client-certificate-verify'>,
  message: HandshakeMessage,
): Server13State {
  demand(message.type === HandshakeType.certificateVerify, 'unexpected-message', 'expected a CertificateVerify')
  const signed = readCertificateVerify(message.body)
  const content = signedContent13('client', state.transcript.hash())
  const peer = ProvenPeer.check(context, state.chain, 'TLSv1.3', signed, content)
  state.transcript.add(message.raw)
  return { ...state, type: 'expect-client-finished', peer }
}

export function onClientFinished(
  context: Context,
  state: In<'expect-client-finished'>,
  message: HandshakeMessage,
): Open13 {
  demand(message.type === HandshakeType.finished, 'unexpected-message', 'expected a Finished')
  const { crypto, records } = context
  const { suite, secrets, transcript, application } = state
  const expected = finishedMac(crypto, suite.hash, secrets.clientHandshakeTrafficSecret, transcript.hash())
  const finished = FinishedProof.check(expected, message.body)
  const { clientApplicationTrafficSecret: readSecret, serverApplicationTrafficSecret: writeSecret } = application
  records.setOpener(new Opener13(crypto, trafficKeys(crypto, suite, readSecret)))
  records.handshakeDone()
  transcript.add(message.raw)
  const { exporterMasterSecret, masterSecret } = application
  const { origin, group, peer } = state
  if (origin !== undefined) {
    const root = resumptionRoot(context, suite, masterSecret, transcript, origin)
    sendTicket13(context, root, { suite, group, ...peerPart(peer) })
  }
  const secrets13 = { readSecret, writeSecret, exporterMasterSecret, resumption: undefined }
  return connected13(context, { ...state, finished, ...secrets13 })
}
