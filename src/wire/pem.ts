/**
 * PEM text blocks: base64 between two marker lines, one label per kind of key (spec/wrapping.md, WRAP-30).
 *
 * Text around the block is ignored, white space inside too. Private to this floor: certificates have their own reader.
 */
import { ConfigError, fromBase64, toBase64 } from '../bytes/index.ts'

const LINE = 64

/**
 * The bytes of the first block with this label.
 *
 * @throws ConfigError naming `option`; the message never contains key text.
 */
export function readPem(text: string, label: string, option: string): Uint8Array {
  const begin = `-----BEGIN ${label}-----`
  const start = text.indexOf(begin)
  if (start < 0) throw new ConfigError(option, `the line "${begin}" is missing`)
  const end = text.indexOf(`-----END ${label}-----`, start)
  if (end < 0) throw new ConfigError(option, `the line "-----END ${label}-----" is missing`)
  const bytes = fromBase64(text.slice(start + begin.length, end).replaceAll(/\s/gu, ''))
  if (bytes === undefined) throw new ConfigError(option, `the block "${label}" is not base64`)
  return bytes
}

/** The block's text, 64 characters a line. */
export function writePem(label: string, bytes: Uint8Array): string {
  const digits = toBase64(bytes)
  let text = `-----BEGIN ${label}-----\n`
  for (let i = 0; i < digits.length; i += LINE) text += `${digits.slice(i, i + LINE)}\n`
  return `${text}-----END ${label}-----\n`
}
