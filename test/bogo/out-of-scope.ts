/**
 * Tests that ask for what this engine does not have, found out only on the wire: versions below 1.2, RSA key transport,
 * SHA-1 signatures. They end with the exit code for "unimplemented" instead of counting as failures.
 */
import { Reader } from '../../src/bytes/index.ts'
import type { TlsCloseReason } from '../../src/tls/index.ts'
import { type ClientHello, readClientHello } from '../../src/tls/client-hello.ts'
import type { Flags } from './flags.ts'

/** Suites with RSA key transport that the runner offers. */
const RSA_KEY_TRANSPORT = new Set([0x000a, 0x002f, 0x0035, 0x003c, 0x003d, 0x009c, 0x009d])
const SIGNALS = new Set([0x00ff, 0x5600])

/** What the peer needs and this engine lacks, or `undefined` when the failure is a real one. */
export function missingFeature(flags: Flags, reason: TlsCloseReason, input: Uint8Array): string | undefined {
  const limited = flags.minVersion !== undefined || flags.noTls12 || flags.noTls13
  if (reason.type === 'alert-received' && reason.alert === 'protocol-version' && !flags.server && !limited) {
    return 'versions below TLS 1.2'
  }
  if (!flags.server && !limited && refusedDefaultHello(flags, reason, input)) return 'RSA key transport'
  if (reason.type !== 'alert-sent' || !flags.server) return undefined
  const hello = firstHello(input)
  if (hello === undefined) return undefined
  if (reason.alert === 'protocol-version' && !limited && offersOldVersion(hello)) return 'versions below TLS 1.2'
  if (reason.alert !== 'handshake-failure') return undefined
  const suites = hello.cipherSuites.filter((id) => !SIGNALS.has(id))
  const transport = (id: number) => RSA_KEY_TRANSPORT.has(id)
  // Named in the hello beside a few others, it is what the runner means the server to turn to.
  if (suites.every(transport) || (suites.length <= 2 && suites.some(transport))) return 'RSA key transport'
  return hello.signatureAlgorithms === undefined ? 'SHA-1 signatures' : undefined
}

/** A server that takes nothing of this engine's whole offer, without a word of its own: it wants RSA key transport. */
function refusedDefaultHello(flags: Flags, reason: TlsCloseReason, input: Uint8Array): boolean {
  const whole = flags.cipher === undefined && flags.groups === undefined && flags.verifyPrefs === undefined
  const atOnce = input[0] === 21 && input.length === 7
  return whole && atOnce && reason.type === 'alert-received' && reason.alert === 'handshake-failure'
}

function offersOldVersion({ supportedVersions, legacyVersion }: ClientHello): boolean {
  const old = (version: number) => version === 0x0301 || version === 0x0302
  return supportedVersions === undefined ? old(legacyVersion) : supportedVersions.some(old)
}

/** The ClientHello at the start of the input, when it came in one record. */
function firstHello(input: Uint8Array): ClientHello | undefined {
  const record = new Reader(input)
  record.skip(3)
  const message = record.sub(2)
  message.skip(1)
  const body = message.vector(3)
  if (message.failed) return undefined
  try {
    return readClientHello(body)
  } catch {
    return undefined
  }
}
