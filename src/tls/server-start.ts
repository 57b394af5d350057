/**
 * The server up to its choice: version, cipher suite, group, signature scheme (RFC 8446 section 4.1.1).
 *
 * Everything that can fail is decided before the ServerHello leaves. A 1.3 client that sent no share for a group both
 * sides know is asked for one with a HelloRetryRequest, once; its second ClientHello must repeat the first.
 */
import { equalBytes, Writer } from '../bytes/index.ts'
import type { GroupName } from '../crypto/index.ts'
import { demand } from './alerts.ts'
import { type ClientHello, type KeyShareEntry, readClientHello } from './client-hello.ts'
import type { Context } from './context.ts'
import { writeExtension } from './extensions.ts'
import { type HandshakeMessage, handshakeMessage } from './handshake-stream.ts'
import { MAX_SKIPPED_EARLY_DATA } from './limits.ts'
import {
  type CipherSuite,
  ExtensionType,
  FALLBACK_SCSV,
  GROUP_CODES,
  HandshakeType,
  type TlsVersion,
  VERSION_CODES,
} from './registry.ts'
import { preferredGroup, preferredSuite } from './preference.ts'
import { type Server12State, startServer12 } from './server12.ts'
import { offersPsk, takePsk } from './resumption13.ts'
import { type OwnCertificate, type Server13Start, type Server13State, startServer13 } from './server13.ts'
import { writeSelectedVersion, writeServerHello } from './server-hello.ts'
import { chooseScheme } from './signing.ts'
import { syntheticHello, Transcript } from './transcript.ts'

/** The first states of a server. */
export type ServerStartState =
  | { readonly type: 'expect-client-hello' }
  | {
      readonly type: 'expect-retried-client-hello'
      readonly first: ClientHello
      readonly suite: CipherSuite
      readonly group: GroupName
      /** Through the HelloRetryRequest. */
      readonly transcript: Transcript
    }

/** The first ClientHello. */
export function onClientHello(
  context: Context,
  message: HandshakeMessage,
): ServerStartState | Server12State | Server13State {
  const hello = takeClientHello(message)
  const version = chooseVersion(context, hello)
  context.records.negotiated(version)
  context.records.endOfFlight()
  if (version === 'TLSv1.2') return startServer12(context, hello, message)
  checkHello13(hello)
  const suite = chooseSuite13(context, hello)
  if (!offersPsk(context, hello)) chooseSignature(context, hello)
  const { group, share } = chooseGroup(context, hello)
  if (hello.earlyData) context.records.skipEarlyData(MAX_SKIPPED_EARLY_DATA) // TLS13-22
  if (share === undefined) return retry(context, hello, suite, group, message)
  const transcript = new Transcript(context.crypto, suite.hash)
  const authentication = authenticate(context, hello, suite, transcript, message)
  return startServer13(context, { hello, suite, group, share, authentication, transcript, retried: false })
}

/** How this side will prove itself: by a ticket's key, or with its certificate. The hello joins the transcript. */
function authenticate(
  context: Context,
  hello: ClientHello,
  suite: CipherSuite,
  transcript: Transcript,
  message: HandshakeMessage,
): Server13Start['authentication'] {
  const psk = takePsk(context, hello, suite, transcript, message.raw)
  transcript.add(message.raw)
  return psk ?? chooseSignature(context, hello)
}

/** The second ClientHello. TLS13-7, TLS13-8 */
export function onRetriedClientHello(
  context: Context,
  state: ServerStartState & { type: 'expect-retried-client-hello' },
  message: HandshakeMessage,
): Server13State {
  const hello = takeClientHello(message)
  const { suite, group, transcript } = state
  context.records.endOfFlight()
  context.records.skipEarlyData(0)
  checkRepetition(state.first, hello)
  checkHello13(hello)
  const [share, ...more] = hello.keyShares ?? []
  const onlyWanted = share?.group === GROUP_CODES[group] && more.length === 0
  demand(onlyWanted, 'illegal-parameter', `the second ClientHello must hold one share, for ${group}`)
  const authentication = authenticate(context, hello, suite, transcript, message)
  return startServer13(context, { hello, suite, group, share, authentication, transcript, retried: true })
}

function takeClientHello(message: HandshakeMessage): ClientHello {
  demand(message.type === HandshakeType.clientHello, 'unexpected-message', 'expected a ClientHello')
  const hello = readClientHello(message.body)
  const offersNull = hello.compressionMethods.includes(0)
  demand(offersNull, 'illegal-parameter', 'the client insists on compression')
  return hello
}

/** TLS-15, TLS-17 */
function chooseVersion(context: Context, hello: ClientHello): TlsVersion {
  const { minVersion, maxVersion } = context.config
  demand(hello.legacyVersion > 0x0300, 'protocol-version', 'legacy_version is that of SSL')
  const offered =
    hello.supportedVersions ?? (hello.legacyVersion >= VERSION_CODES['TLSv1.2'] ? [VERSION_CODES['TLSv1.2']] : [])
  const version = (['TLSv1.3', 'TLSv1.2'] as const).find(
    (candidate) => candidate >= minVersion && candidate <= maxVersion && offered.includes(VERSION_CODES[candidate]),
  )
  demand(version !== undefined, 'protocol-version', 'no protocol version in common')
  const fellBack = hello.cipherSuites.includes(FALLBACK_SCSV) && version < maxVersion
  demand(!fellBack, 'inappropriate-fallback', 'the client fell back to a lower version without need')
  return version
}

/** What a 1.3 ClientHello must and must not hold (RFC 8446 section 9.2). TLS13-10, TLS13-11 */
function checkHello13(hello: ClientHello): void {
  demand(hello.compressionMethods.length === 1, 'illegal-parameter', 'compression methods besides null')
  demand(hello.supportedGroups !== undefined, 'missing-extension', 'no supported_groups')
  demand(hello.keyShares !== undefined, 'missing-extension', 'no key_share')
  const groups = new Set<number>()
  for (const { group } of hello.keyShares) {
    demand(!groups.has(group), 'illegal-parameter', `two key shares for group ${group}`)
    demand(
      hello.supportedGroups.includes(group),
      'illegal-parameter',
      `a key share for group ${group}, not in supported_groups`,
    )
    groups.add(group)
  }
}

function chooseSuite13(context: Context, hello: ClientHello): CipherSuite {
  const suite = preferredSuite(context.config, hello.cipherSuites, (candidate) => candidate.version === 'TLSv1.3')
  demand(suite !== undefined, 'handshake-failure', 'no cipher suite in common')
  return suite
}

function chooseSignature(context: Context, hello: ClientHello): OwnCertificate {
  demand(hello.signatureAlgorithms !== undefined, 'missing-extension', 'no signature_algorithms') // TLS13-10
  const { credential } = context.config
  demand(credential !== undefined, 'internal-error', 'no certificate')
  const scheme = chooseScheme(credential, 'TLSv1.3', hello.signatureAlgorithms)
  demand(scheme !== undefined, 'handshake-failure', "no signature scheme in common that fits the server's key")
  return { type: 'certificate', credential, scheme }
}

/** The first own group that the client knows, whether it sent a share for it or not: the own order decides. TLS13-12 */
function chooseGroup({ config }: Context, hello: ClientHello): { group: GroupName; share: KeyShareEntry | undefined } {
  const group = preferredGroup(config, hello, 'TLSv1.3')
  demand(group !== undefined, 'handshake-failure', 'no group in common')
  return { group, share: hello.keyShares?.find((entry) => entry.group === GROUP_CODES[group]) }
}

/** Sends a HelloRetryRequest. TLS13-6 */
function retry(
  context: Context,
  hello: ClientHello,
  suite: CipherSuite,
  group: GroupName,
  message: HandshakeMessage,
): ServerStartState {
  const { crypto, records } = context
  const writer = new Writer(128)
  const fields = { random: undefined, sessionId: hello.sessionId, cipherSuite: suite.id }
  writeServerHello(writer, fields, (w) => {
    writeSelectedVersion(w, 'TLSv1.3')
    writeExtension(w, ExtensionType.keyShare, (x) => x.u16(GROUP_CODES[group]))
  })
  const request = handshakeMessage(HandshakeType.serverHello, writer.finish())
  records.sendHandshake(request)
  if (hello.sessionId.length > 0) records.sendChangeCipherSpec()
  const transcript = new Transcript(crypto, suite.hash, syntheticHello(crypto, suite.hash, message.raw), request)
  return { type: 'expect-retried-client-hello', first: hello, suite, group, transcript }
}

/** Extensions that a second ClientHello may change (RFC 8446 section 4.1.2); 21 is padding. */
const CHANGEABLE: ReadonlySet<number> = new Set([
  ExtensionType.keyShare,
  ExtensionType.cookie,
  ExtensionType.earlyData,
  ExtensionType.preSharedKey,
  21,
])

/** The second ClientHello must repeat the first. TLS13-8 */
function checkRepetition(first: ClientHello, second: ClientHello): void {
  const same =
    first.legacyVersion === second.legacyVersion &&
    equalBytes(first.random, second.random) &&
    equalBytes(first.sessionId, second.sessionId) &&
    equalNumbers(first.cipherSuites, second.cipherSuites) &&
    equalBytes(first.compressionMethods, second.compressionMethods)
  demand(same, 'illegal-parameter', 'the second ClientHello differs from the first')
  demand(!second.earlyData, 'illegal-parameter', 'early_data in the second ClientHello')
  for (const type of new Set([...first.extensions.keys(), ...second.extensions.keys()])) {
    if (CHANGEABLE.has(type)) continue
    const before = first.extensions.get(type)
    const after = second.extensions.get(type)
    const unchanged = before !== undefined && after !== undefined && equalBytes(before, after)
    demand(unchanged, 'illegal-parameter', `extension ${type} changed in the second ClientHello`)
  }
}

function equalNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i])
}
