/**
 * The runner's command line. What is not listed here is a feature this engine does not have: exit 89.
 */
import type { AlertName } from '../../src/tls/index.ts'
import { UNIMPLEMENTED } from './unimplemented.ts'

/** Flags that change nothing here: how BoringSSL's API is used, or what this engine never does anyway. */
const IGNORED = new Set([
  '-implicit-handshake',
  '-no-op-extra-handshake',
  '-use-old-client-cert-callback',
  '-use-early-callback',
  '-expect-no-session-id',
  '-async',
  '-renegotiate-ignore',
  '-renegotiate-freely',
  '-no-tls1',
  '-no-tls11',
])

/** Flags with a value that changes nothing here. */
const IGNORED_WITH_VALUE = new Set(['-read-size'])

/** Why BoringSSL would not send or take early data: this engine never does. */
const EARLY_DATA_REASONS = new Set(['disabled', 'no_session_offered', 'session_not_resumed', 'unsupported_for_session'])

/** What the runner asked for. Lists are in the order given; `undefined` where the flag was not given. */
export interface Flags {
  port: number
  /** Connections after the first, each with the session of the one before. */
  resumeCount: number
  expectSessionMiss: boolean
  /** Renegotiations that the runner expects to be made. */
  renegotiations: number
  shimId: bigint
  ipv6: boolean
  server: boolean
  certFile: string | undefined
  trustFile: string | undefined
  keyFile: string | undefined
  requireClientCertificate: boolean
  verifyPeer: boolean
  verifyFail: boolean
  customVerify: boolean
  minVersion: number | undefined
  maxVersion: number | undefined
  noTls12: boolean
  noTls13: boolean
  cipher: string | undefined
  groups: number[] | undefined
  keyShares: number[] | undefined
  serverGroups: number[]
  /** For each of `groups`: 1 where it is liked as much as the next. */
  groupFlags: number[]
  hostName: string | undefined
  protocols: readonly string[]
  expectProtocol: string | undefined
  requestOcsp: boolean
  requestTimestamps: boolean
  ocspResponse: Uint8Array | undefined
  timestamps: Uint8Array | undefined
  expectOcspResponse: Uint8Array | undefined
  expectTimestamps: Uint8Array | undefined
  maxCertList: number | undefined
  verifyPrefs: number[] | undefined
  signingPrefs: number[] | undefined
  maxSendFragment: number | undefined
  noLegacyServer: boolean
  exportLength: number
  exportLabel: string
  exportContext: Uint8Array
  useExportContext: boolean
  shimWritesFirst: boolean
  readWithUnfinishedWrite: boolean
  shimShutsDown: boolean
  checkCloseNotify: boolean
  sendAlert: boolean
  keyUpdate: boolean
  exportTrafficSecrets: boolean
  expectVerifyResult: boolean
  expectPeerSignature: number | undefined
  expectGroup: number | undefined
  expectRetry: boolean
  expectNoRetry: boolean
  expectExtendedMasterSecret: boolean
  expectCipher: number | undefined
  expectPeerCertFile: string | undefined
  expectPeerVerifyPrefs: number[] | undefined
  expectClientCas: string | undefined
  clientCas: string | undefined
  tlsUnique: boolean
  /** What a refusing callback of the host's tells the peer. */
  refuseWith: AlertName | undefined
}

type Handler = (flags: Flags, value: string) => void

function number(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value)) throw new TypeError(`not an integer: ${text}`)
  return value
}

function base64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}

/** Names with their length in front, as the runner writes them. */
function prefixed(text: string): readonly string[] {
  const bytes = Buffer.from(text, 'latin1')
  const names: string[] = []
  for (let at = 0; at < bytes.length; at += 1 + bytes[at]!)
    names.push(bytes.toString('latin1', at + 1, at + 1 + bytes[at]!))
  return names
}

const SWITCHES: Readonly<Record<string, (flags: Flags) => void>> = {
  '-ipv6': (f) => (f.ipv6 = true),
  '-server': (f) => (f.server = true),
  '-require-any-client-certificate': (f) => (f.requireClientCertificate = true),
  '-verify-peer': (f) => (f.verifyPeer = true),
  '-verify-fail': (f) => (f.verifyFail = true),
  '-use-custom-verify-callback': (f) => (f.customVerify = true),
  '-no-tls12': (f) => (f.noTls12 = true),
  '-no-tls13': (f) => (f.noTls13 = true),
  '-no-key-shares': (f) => (f.keyShares = []),
  '-enable-ocsp-stapling': (f) => (f.requestOcsp = true),
  '-enable-signed-cert-timestamps': (f) => (f.requestTimestamps = true),
  '-no-legacy-server-connect': (f) => (f.noLegacyServer = true),
  '-use-export-context': (f) => (f.useExportContext = true),
  '-shim-writes-first': (f) => (f.shimWritesFirst = true),
  '-read-with-unfinished-write': (f) => (f.readWithUnfinishedWrite = true),
  '-shim-shuts-down': (f) => (f.shimShutsDown = true),
  '-check-close-notify': (f) => (f.checkCloseNotify = true),
  '-send-alert': (f) => (f.sendAlert = true),
  '-tls-unique': (f) => (f.tlsUnique = true),
  '-fail-cert-callback': (f) => (f.refuseWith = 'internal-error'),
  '-fail-early-callback': (f) => (f.refuseWith = 'handshake-failure'),
  '-export-traffic-secrets': (f) => (f.exportTrafficSecrets = true),
  '-key-update': (f) => (f.keyUpdate = true),
  '-expect-verify-result': (f) => (f.expectVerifyResult = true),
  '-expect-session-miss': (f) => (f.expectSessionMiss = true),
  '-expect-hrr': (f) => (f.expectRetry = true),
  '-expect-no-hrr': (f) => (f.expectNoRetry = true),
  '-expect-extended-master-secret': (f) => (f.expectExtendedMasterSecret = true),
}

const VALUES: Readonly<Record<string, Handler>> = {
  '-port': (f, v) => (f.port = number(v)),
  '-expect-total-renegotiations': (f, v) => (f.renegotiations = number(v)),
  '-resume-count': (f, v) => (f.resumeCount = number(v)),
  '-expect-early-data-reason': (_f, v) => {
    if (!EARLY_DATA_REASONS.has(v)) unimplemented(`early data: ${v}`)
  },
  '-shim-id': (f, v) => (f.shimId = BigInt(v)),
  '-trust-cert': (f, v) => (f.trustFile = v),
  '-cert-file': (f, v) => (f.certFile = v),
  '-key-file': (f, v) => (f.keyFile = v),
  '-min-version': (f, v) => (f.minVersion = number(v)),
  '-max-version': (f, v) => (f.maxVersion = number(v)),
  '-cipher': (f, v) => (f.cipher = v),
  '-curves': (f, v) => (f.groups = [...(f.groups ?? []), number(v)]),
  '-key-shares': (f, v) => (f.keyShares = [...(f.keyShares ?? []), number(v)]),
  '-server-supported-groups-hint': (f, v) => f.serverGroups.push(number(v)),
  '-curves-flags': (f, v) => f.groupFlags.push(number(v)),
  '-advertise-alpn': (f, v) => (f.protocols = prefixed(v)),
  '-expect-alpn': (f, v) => (f.expectProtocol = v),
  '-host-name': (f, v) => (f.hostName = v),
  '-ocsp-response': (f, v) => (f.ocspResponse = base64(v)),
  '-signed-cert-timestamps': (f, v) => (f.timestamps = base64(v)),
  '-expect-ocsp-response': (f, v) => (f.expectOcspResponse = base64(v)),
  '-expect-signed-cert-timestamps': (f, v) => (f.expectTimestamps = base64(v)),
  '-max-cert-list': (f, v) => (f.maxCertList = number(v)),
  '-verify-prefs': (f, v) => (f.verifyPrefs = [...(f.verifyPrefs ?? []), number(v)]),
  '-signing-prefs': (f, v) => (f.signingPrefs = [...(f.signingPrefs ?? []), number(v)]),
  '-max-send-fragment': (f, v) => (f.maxSendFragment = number(v)),
  '-export-keying-material': (f, v) => (f.exportLength = number(v)),
  '-export-label': (f, v) => (f.exportLabel = v),
  '-export-context': (f, v) => (f.exportContext = new TextEncoder().encode(v)),
  '-expect-peer-signature-algorithm': (f, v) => (f.expectPeerSignature = number(v)),
  '-expect-curve-id': (f, v) => (f.expectGroup = number(v)),
  '-expect-cipher': (f, v) => (f.expectCipher = number(v)),
  '-expect-cipher-no-aes': (f, v) => (f.expectCipher = number(v)),
  '-expect-cipher-aes': () => undefined,
  '-expect-peer-verify-pref': (f, v) => (f.expectPeerVerifyPrefs = [...(f.expectPeerVerifyPrefs ?? []), number(v)]),
  '-expect-client-ca-list': (f, v) => (f.expectClientCas = v),
  '-use-client-ca-list': (f, v) => (f.clientCas = v),
  '-expect-peer-cert-file': (f, v) => (f.expectPeerCertFile = v),
}

/** A flag that goes for the first connection only, or for all but the first. */
const PREFIX = /^-on-(initial|resume)(?=-)/

/**
 * Reads the command line as the connection with this number sees it; ends the process with 89 at the first flag that is not
 * known.
 */
export function parseFlags(args: readonly string[], connection: number): Flags {
  const flags: Flags = {
    port: 0,
    resumeCount: 0,
    expectSessionMiss: false,
    renegotiations: 0,
    shimId: 0n,
    ipv6: false,
    server: false,
    certFile: undefined,
    trustFile: undefined,
    keyFile: undefined,
    requireClientCertificate: false,
    verifyPeer: false,
    verifyFail: false,
    customVerify: false,
    minVersion: undefined,
    maxVersion: undefined,
    noTls12: false,
    noTls13: false,
    cipher: undefined,
    groups: undefined,
    keyShares: undefined,
    serverGroups: [],
    groupFlags: [],
    hostName: undefined,
    protocols: [],
    expectProtocol: undefined,
    requestOcsp: false,
    requestTimestamps: false,
    ocspResponse: undefined,
    timestamps: undefined,
    expectOcspResponse: undefined,
    expectTimestamps: undefined,
    maxCertList: undefined,
    verifyPrefs: undefined,
    signingPrefs: undefined,
    maxSendFragment: undefined,
    noLegacyServer: false,
    exportLength: 0,
    exportLabel: '',
    exportContext: new Uint8Array(0),
    useExportContext: false,
    shimWritesFirst: false,
    readWithUnfinishedWrite: false,
    shimShutsDown: false,
    checkCloseNotify: false,
    sendAlert: false,
    keyUpdate: false,
    exportTrafficSecrets: false,
    expectVerifyResult: false,
    expectPeerSignature: undefined,
    expectGroup: undefined,
    expectRetry: false,
    expectNoRetry: false,
    expectExtendedMasterSecret: false,
    expectCipher: undefined,
    expectPeerCertFile: undefined,
    expectPeerVerifyPrefs: undefined,
    expectClientCas: undefined,
    clientCas: undefined,
    tlsUnique: false,
    refuseWith: undefined,
  }
  for (let i = 0; i < args.length; i++) {
    const [prefix, when] = PREFIX.exec(args[i]!) ?? ['']
    const name = args[i]!.slice(prefix.length)
    const applies = when === undefined || (when === 'initial') === (connection === 0)
    const flip = SWITCHES[name]
    const take = VALUES[name]
    if (flip !== undefined) {
      if (applies) flip(flags)
    } else if (take !== undefined) {
      i++
      if (applies) take(flags, args[i] ?? '')
    } else if (IGNORED_WITH_VALUE.has(name)) i++
    else if (!IGNORED.has(name)) unimplemented(`flag ${name}`)
  }
  return flags
}

/** Ends the process: the runner counts the test as skipped. */
export function unimplemented(what: string): never {
  console.error(`unimplemented: ${what}`)
  process.exit(UNIMPLEMENTED)
}
