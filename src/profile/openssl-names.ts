/**
 * Names that the reference hands to OpenSSL: ciphers, digests, TLS suites, groups, subject fields.
 *
 * The reference refuses a name that its OpenSSL does not know, so a linter must know which ones exist, also those that this
 * library does not have. Ciphers with 64-bit blocks moved into OpenSSL 3's legacy provider, which 2.6 and later do not load
 * by themselves.
 */
import { hashByName } from '../crypto/index.ts'
import { type Argument, custom } from './argument.ts'
import type { Release } from './release.ts'

const MODES = '(CBC|CFB|CFB1|CFB8|OFB)'
const SIZES = '(128|192|256)'
const CIPHERS = new RegExp(
  `^((AES|ARIA)-${SIZES}-(${MODES}|GCM)|CAMELLIA-${SIZES}-${MODES}|SM4(-(CBC|CFB|OFB))?|DES-EDE3-${MODES}|` +
    `DES-EDE-(CBC|CFB|OFB)|CHACHA20-POLY1305|ID-AES${SIZES}-GCM|(AES|CAMELLIA|ARIA)${SIZES}|DES3)$`,
  'i',
)
/** Spellings that came with OpenSSL 3. */
const CIPHERS_SINCE_3 = /^SM4-(CFB|OFB)128$/i
/** Known to OpenSSL 1.1 and to OpenSSL 3's legacy provider. */
const LEGACY_CIPHERS =
  /^((BF|DES|CAST5|IDEA|SEED|RC2)-(CBC|CFB|OFB)|RC2-(40|64)-CBC|RC2-(40|64|128)|DES-CFB[18]|CAST-CBC|BLOWFISH|DESX-CBC|BF|CAST|DESX?|RC2|SEED)$/i
/** What 2.5 takes into a list besides: it only asks whether OpenSSL has the name, and no peer can use these. */
const LISTED_BEFORE_26 = new RegExp(
  `^((AES|ARIA|CAMELLIA)-${SIZES}-(CTR|ECB)|(AES|ARIA)-${SIZES}-CCM|AES-${SIZES}-OCB|AES-(128|256)-XTS|` +
    `AES-(128|256)-CBC-HMAC-SHA(1|256)|ID-AES${SIZES}-(CCM|WRAP|WRAP-PAD)|AES${SIZES}-WRAP|SM4-(CTR|ECB)|` +
    '(BF|CAST5|DES|RC2|SEED|IDEA|DES-EDE|DES-EDE3)-ECB|DES-EDE3?|DES3-WRAP|ID-SMIME-ALG-CMS3DESWRAP|CHACHA20|RC4|' +
    'RC4-40|RC4-HMAC-MD5)$',
  'i',
)

/** True for a data cipher that some OpenSSL knows. */
export function isCipherName(name: string): boolean {
  return [CIPHERS, CIPHERS_SINCE_3, LEGACY_CIPHERS].some((known) => known.test(name))
}

/** True for a data cipher that a release can use with its OpenSSL, without the legacy provider. */
export function isUsableCipher(name: string, release: Release): boolean {
  if (release >= '2.6') return CIPHERS.test(name) || CIPHERS_SINCE_3.test(name)
  // 2.5 has no mode of its own for ARIA's GCM.
  return (CIPHERS.test(name) && !/^ARIA-.*-GCM$/i.test(name)) || LEGACY_CIPHERS.test(name)
}

/** True for a name that a release takes into its list of data ciphers. */
export function isListedCipher(name: string, release: Release): boolean {
  if (release >= '2.6') return isUsableCipher(name, release)
  return CIPHERS.test(name) || LEGACY_CIPHERS.test(name) || LISTED_BEFORE_26.test(name)
}

/** A data cipher. `none` is one to the reference. */
export function cipherName(): Argument<string, 'required'> {
  return custom('cipher', 'a cipher such as AES-256-GCM', (word) =>
    isCipherName(word) || word === 'none' ? word : undefined,
  )
}

/** A list of data ciphers between colons. Nothing between two colons is no name. */
export function cipherList(): Argument<string, 'required'> {
  return custom('list', 'ciphers between colons, 127 characters at most', (word) => {
    const names = word.split(':').filter((name) => name !== '')
    const list = names.join(':')
    const fits = (name: string): boolean =>
      name === 'DEFAULT' || name === 'none' || name.startsWith('?') || isCipherName(name) || LISTED_BEFORE_26.test(name)
    return list.length <= 127 && names.some((name) => !name.startsWith('?')) && names.every(fits) ? list : undefined
  })
}

const DIGESTS =
  /^(MD5-SHA1|SM3|SHA3-(224|256|384|512)|SHA512-(224|256)|BLAKE2(b512|s256)|RIPEMD(160)?|RMD160|SHAKE(128|256))$/i
/** Spellings that came with OpenSSL 3, numbers of objects among them. */
const DIGESTS_SINCE_3 =
  /^(SHA-(1|224|256|384|512|512\/224|512\/256)|SHA2-(224|256|384|512|512\/224|512\/256)|BLAKE2(B-512|S-256)|RIPEMD-160|SHAKE-(128|256)|KECCAK-KMAC-?(128|256)|NULL|2\.16\.840\.1\.101\.3\.4\.2\.([1-9]|1[0-2])|1\.3\.14\.3\.2\.26|1\.2\.840\.113549\.2\.5|1\.3\.36\.3\.2\.1|1\.2\.156\.10197\.1\.401|1\.3\.6\.1\.4\.1\.1722\.12\.2\.(1\.16|2\.8))$/i
/** Digests that came with the OpenSSL of 2.7. */
const DIGESTS_OF_27 = /^KECCAK-(224|256|384|512)$/i
/** Digests and spellings that went with it. */
const DIGESTS_UNTIL_1 =
  /^(MD4|WHIRLPOOL|RSA-(MD4|MD5|SHA1|SHA1-2|RIPEMD160|SM3|SHA(224|256|384|512)|SHA3-(224|256|384|512)|SHA512\/(224|256))|(MD4|MD5|SHA1|SHA(224|256|384|512)|SHA512-(224|256)|SM3)WITHRSAENCRYPTION|RIPEMD160WITHRSA|ID-RSASSA-PKCS1-V1_5-WITH-SHA3-(224|256|384|512))$/i

/** A digest. */
export function digestName(): Argument<string, 'required'> {
  return custom('digest', 'a digest such as SHA256', (word) => (isDigestName(word) ? word : undefined))
}

function isDigestName(name: string): boolean {
  if (name === 'none') return true
  const patterns = [DIGESTS, DIGESTS_SINCE_3, DIGESTS_OF_27, DIGESTS_UNTIL_1]
  return hashByName(name) !== undefined || patterns.some((pattern) => pattern.test(name))
}

/** True for a digest that the OpenSSL of a release knows by this name without its legacy provider. */
export function isUsableDigest(name: string, release: Release): boolean {
  if (DIGESTS_OF_27.test(name)) return release >= '2.7'
  return isDigestName(name) && !(release < '2.6' ? DIGESTS_SINCE_3 : DIGESTS_UNTIL_1).test(name)
}

const SUITE_KEYWORDS =
  /^[!+-]?(ALL|COMPLEMENTOFALL|DEFAULT|COMPLEMENTOFDEFAULT|HIGH|MEDIUM|LOW|EXP|EXPORT\d*|e?NULL|aNULL|ADH|AECDH|[ak]?(RSA|DSS|ECDSA|PSK|SRP|GOST\d*)|k?(DHE|EDH|ECDHE|EECDH|DH|ECDH)|AES(128|256|GCM|CCM)?|CAMELLIA(128|256)?|CHACHA20|ARIA(128|256|GCM)?|3DES|DES|RC4|RC2|IDEA|SEED|MD5|SHA1?|SHA256|SHA384|TLSv1(\.[0-3])?|SSLv[23]|SUITEB(128|128ONLY|192)|CBC|@?STRENGTH)$/
const SUITE_NAME = /^[!+-]?(TLS[-_])?[A-Z0-9]{2,}([-_][A-Z0-9]+)+$/

/** A `tls-cipher` list: one of its items at least must name something. */
export function tlsSuites(): Argument<string, 'required'> {
  return custom('list', 'TLS 1.2 suites between colons', (word) => {
    const items = word.split(/[:, ]/)
    const known = (item: string): boolean =>
      SUITE_NAME.test(item) || item.split('+').every((part) => SUITE_KEYWORDS.test(part))
    return items.some((item) => item.startsWith('@') || known(item)) ? word : undefined
  })
}

/** A `tls-ciphersuites` list. */
export function tls13Suites(): Argument<string, 'required'> {
  const known =
    /^TLS_(AES_(128|256)_GCM_SHA(256|384)|CHACHA20_POLY1305_SHA256|AES_128_CCM(_8)?_SHA256|SM4_(GCM|CCM)_SM3)$/
  return custom('list', 'TLS 1.3 suites between colons', (word) =>
    word.split(':').some((item) => known.test(item.replaceAll('-', '_'))) ? word : undefined,
  )
}

const GROUPS =
  /^(X25519|X448|P-(224|256|384|521)|prime(192v[123]|239v[123]|256v1)|secp(112|128|160|192|224|256|384|521)[rk][12]|sect\d{3}[rk][12]|brainpoolP(256|384|512)[rt]1(tls13)?|ffdhe(2048|3072|4096|6144|8192)|(X25519|SecP256r1|X448|SecP384r1)MLKEM(768|1024)|MLKEM(512|768|1024)|curveSM2)$/i

/** A `tls-groups` list. */
export function tlsGroups(): Argument<string, 'required'> {
  return custom('list', 'groups between colons', (word) =>
    word.split(/[:/]/).some((item) => GROUPS.test(item.replace(/^[?*]+/, ''))) ? word : undefined,
  )
}

const FIELDS =
  /^(CN|C|ST|L|O|OU|SN|GN|DC|UID|SERIALNUMBER|SERIAL|EMAIL|EMAILADDRESS|COMMONNAME|COUNTRYNAME|STATEORPROVINCENAME|LOCALITYNAME|ORGANIZATIONNAME|ORGANIZATIONALUNITNAME|SURNAME|GIVENNAME|DOMAINCOMPONENT|USERID|TITLE|DESCRIPTION|NAME|INITIALS|STREET|STREETADDRESS|POSTALCODE|PSEUDONYM|DNQUALIFIER|GENERATIONQUALIFIER|UNSTRUCTUREDNAME|ROLE|2\.5\.4\.\d{1,2}|1\.2\.840\.113549\.1\.9\.\d{1,2}|0\.9\.2342\.19200300\.100\.1\.\d{1,2})$/i

/** A subject field for `x509-track`; `+` before it means every certificate of the chain. */
export function subjectField(): Argument<string, 'required'> {
  return custom('attribute', 'a field such as CN, or +CN for the whole chain', (word) =>
    FIELDS.test(word.replace(/^\+/, '')) || /^\+?(SHA1|SHA256)$/.test(word) ? word : undefined,
  )
}

/** A fingerprint: pairs of hexadecimal digits between colons. */
export function isFingerprint(word: string, bytes: number): boolean {
  return new RegExp(`^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){${bytes - 1}}$`).test(word)
}
