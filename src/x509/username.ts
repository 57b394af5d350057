/**
 * Who a certificate says its holder is: `x509-username-field`, the subject's fields, the serial number or the mail
 * address among the alternative names.
 *
 * Each field must be there, be text without control characters and fit the reference's 64 bytes; otherwise there is no
 * username at all, because half an identity is the wrong one. Where a field occurs several times the last one counts, as
 * in the reference. Rules X509-34 and X509-35.
 */
import { ConfigError, toHex, utf8Encode } from '../bytes/index.ts'
import { lastAttribute } from './name.ts'
import { attributeOid } from './oids.ts'
import type { Certificate } from './types.ts'

/** Longest username taken from a certificate, in bytes of UTF-8. */
export const MAX_USERNAME_LENGTH = 64

/** One field, ready to be read. */
export type UsernameField =
  | { readonly type: 'attribute'; readonly oid: string; readonly name: string }
  | { readonly type: 'serial'; readonly name: string }
  | { readonly type: 'alternative-name'; readonly of: 'subject' | 'issuer'; readonly name: string }

/**
 * Understands `x509-username-field`. All-lowercase names are taken in capitals (`ou` for `OU`), as the reference does.
 * @throws ConfigError for a field that is not known.
 */
export function parseUsernameFields(names: readonly string[]): readonly UsernameField[] {
  if (names.length === 0) throw unknownField('')
  return names.map((name): UsernameField => {
    if (name === 'ext:subjectAltName') return { type: 'alternative-name', of: 'subject', name }
    if (name === 'ext:issuerAltName') return { type: 'alternative-name', of: 'issuer', name }
    if (name === 'serialNumber') return { type: 'serial', name }
    const spelled = /^[a-z]+$/.test(name) ? name.toUpperCase() : name
    const oid = attributeOid(spelled) ?? attributeOid(name)
    if (oid === undefined) throw unknownField(name)
    return { type: 'attribute', oid, name: spelled }
  })
}

function unknownField(name: string): ConfigError {
  return new ConfigError(
    'x509-username-field',
    `x509-username-field: the field ${name} is not known; use a subject field such as CN or emailAddress, serialNumber or ext:subjectAltName.`,
  )
}

/** The value of one field; `undefined` when it is absent or unfit. */
export function readUsernameField(certificate: Certificate, field: UsernameField): string | undefined {
  const value = fieldValue(certificate, field)
  // X509-35
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  if (value === undefined || value === '' || /[\x00-\x1f\x7f]/.test(value)) return undefined
  return utf8Encode(value).length > MAX_USERNAME_LENGTH ? undefined : value
}

function fieldValue(certificate: Certificate, field: UsernameField): string | undefined {
  switch (field.type) {
    case 'attribute':
      return lastAttribute(certificate.subject, field.oid)?.text // X509-34
    case 'serial':
      return `0x${toHex(serialMagnitude(certificate.serial)).toUpperCase()}`
    case 'alternative-name': {
      const { subjectAltName, issuerAltName } = certificate.extensions
      const names = field.of === 'subject' ? subjectAltName : issuerAltName
      return names?.filter((name) => name.type === 'email').at(-1)?.value
    }
  }
}

/** The serial's magnitude: a leading sign byte is dropped, of a negative number the absolute value is taken. */
export function serialMagnitude(serial: Uint8Array): Uint8Array {
  if ((serial[0] ?? 0) < 0x80) return serial.length > 1 && serial[0] === 0 ? serial.subarray(1) : serial
  const magnitude = serial.map((byte) => byte ^ 0xff)
  for (let i = magnitude.length - 1; i >= 0; i--) {
    magnitude[i] = ((magnitude[i] as number) + 1) & 0xff
    if (magnitude[i] !== 0) break
  }
  return magnitude
}

/** The serial number in decimal, as the files of a `crl-verify` directory are named. */
export function serialDecimal(serial: Uint8Array): string {
  let value = 0n
  for (const byte of serialMagnitude(serial)) value = (value << 8n) | BigInt(byte)
  return (serial[0] ?? 0) >= 0x80 ? `-${value}` : String(value)
}
