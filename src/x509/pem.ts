/**
 * PEM text (RFC 7468) to labelled DER blocks and back.
 *
 * Text outside the blocks is ignored, as certificates are often preceded by a printed form. Inside a block only the old
 * `Proc-Type` headers and strict base64 are taken. These are the host's files, so faults are `ConfigError`s.
 */
import { ConfigError, fromBase64, toBase64 } from '../bytes/index.ts'

/** Longest text read, in characters. */
export const MAX_PEM_LENGTH = 32 * 1024 * 1024

/** One block. */
export interface PemBlock {
  /** The words between `BEGIN` and the dashes, for example `CERTIFICATE`. */
  readonly label: string
  /** What the `DEK-Info` header says, where a `Proc-Type` header marks the old form of encryption. */
  readonly encryption?: string
  readonly der: Uint8Array
}

/**
 * All PEM blocks of a text, in order.
 * @param option - the directive the text belongs to, for errors.
 * @throws ConfigError when a block is cut off or not base64.
 */
export function parsePem(text: string, option: string): readonly PemBlock[] {
  if (text.length > MAX_PEM_LENGTH) throw new ConfigError(option, `${option}: the PEM text is too long.`)
  const blocks: PemBlock[] = []
  let label: string | undefined
  let lines: string[] = []
  for (const line of text.split(/\r\n|\n|\r/)) {
    const marker = /^-----(BEGIN|END) ([A-Z0-9 ]{1,64})-----\s*$/.exec(line)
    if (marker === null) {
      if (label !== undefined) lines.push(line)
    } else if (marker[1] === 'BEGIN') {
      if (label !== undefined) throw new ConfigError(option, `${option}: the PEM block ${label} has no end line.`)
      label = marker[2]
      lines = []
    } else {
      if (label !== marker[2]) throw new ConfigError(option, `${option}: a PEM end line has no matching begin line.`)
      blocks.push(readBlock(label as string, lines, option))
      label = undefined
    }
  }
  if (label !== undefined) throw new ConfigError(option, `${option}: the PEM block ${label} has no end line.`)
  return blocks
}

function readBlock(label: string, lines: readonly string[], option: string): PemBlock {
  const headers = lines.findIndex((line) => !line.includes(':'))
  const body = lines.slice(Math.max(headers, 0))
  const der = fromBase64(body.join('').replace(/[ \t]/g, ''))
  if (der === undefined || der.length === 0) {
    throw new ConfigError(option, `${option}: the PEM block ${label} does not hold base64.`)
  }
  const header = (pattern: RegExp): string | undefined =>
    lines
      .slice(0, Math.max(headers, 0))
      .map((line) => pattern.exec(line)?.[1])
      .find((value) => value !== undefined)
  if (header(/^Proc-Type:(.*ENCRYPTED)/) === undefined) return { label, der }
  return { label, encryption: header(/^DEK-Info:\s*(.*)$/) ?? '', der }
}

/** A PEM block of DER bytes, lines of 64 characters. */
export function writePem(label: string, der: Uint8Array): string {
  const lines = toBase64(der).match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

/**
 * The DER of every certificate in a PEM text, in order. At least one must be there.
 * @param option - the directive the text belongs to (`ca`, `cert`, `extra-certs`), for errors.
 * @throws ConfigError
 */
export function parsePemCertificates(text: string, option = 'ca'): readonly Uint8Array[] {
  const certificates = parsePem(text, option)
    .filter(({ label }) => label === 'CERTIFICATE' || label === 'X509 CERTIFICATE')
    .map(({ der }) => der)
  if (certificates.length === 0) throw new ConfigError(option, `${option}: no certificate was found in the PEM text.`)
  return certificates
}
