/**
 * What OpenVPN 3 asks of the words of directives that it reads: facts of its client (core 3.11.7), which checks fewer of them
 * than 2.x does, and some more closely.
 */
import type { Entry } from './entry.ts'
import type { Profile } from './profile.ts'

interface Wanted {
  /** True when it takes the words. */
  readonly takes: (words: readonly string[]) => boolean
  readonly remedy: string
}

const oneOf = (...values: readonly string[]): Wanted => ({
  takes: ([word = '']) => values.includes(word),
  remedy: `it wants ${values.map((value) => `"${value}"`).join(' or ')}`,
})

const inRange = (least: number, most: number): Wanted => ({
  takes: ([word = '']) => isNumber(word, least, most),
  remedy: `it wants a number from ${least} to ${most}`,
})

const seconds: Wanted = { takes: ([word = '']) => /^\d+$/.test(word), remedy: 'it wants a number of seconds' }

const file: Wanted = { takes: ([name]) => name !== undefined, remedy: 'it wants a file' }

const PROTOCOL = /^(?:udp[46]?|tcp[46]?(?:-client)?)$/

const CIPHER = /^(?:none|AES-(?:128|192|256)-(?:CBC|GCM|CTR)|CHACHA20-POLY1305|BF-CBC|DES-CBC|DES-EDE3-CBC)$/i
const DIGEST = /^(?:none|MD4|MD5|SHA1|SHA224|SHA256|SHA384|SHA512)$/i

const WANTED: Readonly<Record<string, Wanted>> = {
  auth: { takes: ([word = '']) => DIGEST.test(word), remedy: 'it knows MD5, SHA1 and SHA-2' },
  ca: file,
  cert: file,
  cipher: { takes: ([word = '']) => CIPHER.test(word), remedy: 'it knows AES, CHACHA20-POLY1305, BF and DES' },
  compress: {
    takes: ([word]) => word === undefined || /^(?:lzo|lz4|lz4-v2|stub|stub-v2|snappy)$/.test(word),
    remedy: 'it wants no word, or "stub-v2"',
  },
  'hand-window': seconds,
  'http-proxy': { takes: ([, port = '']) => isNumber(port, 1, 65_535), remedy: 'it wants a host and a port' },
  key: file,
  'key-method': oneOf('2'),
  mode: oneOf('p2p'),
  'ns-cert-type': oneOf('client', 'server'),
  ping: seconds,
  'ping-restart': seconds,
  port: inRange(1, 65_535),
  proto: { takes: ([word = '']) => PROTOCOL.test(word), remedy: 'it wants udp or tcp' },
  'pull-filter': oneOf('accept', 'ignore', 'reject'),
  remote: {
    takes: ([, port, protocol]) =>
      (port === undefined || isNumber(port, 1, 65_535)) && (protocol === undefined || PROTOCOL.test(protocol)),
    remedy: 'it wants HOST [PORT [udp or tcp]]',
  },
  'remote-cert-tls': oneOf('client', 'server'),
  'reneg-sec': seconds,
  'server-poll-timeout': seconds,
  setenv: {
    takes: ([name]) => name !== 'GENERIC_CONFIG',
    remedy: 'take it out: profiles that are locked to an Access Server are not taken any more',
  },
  'static-challenge': { takes: ([text]) => text !== undefined, remedy: 'it wants a question' },
  'tcp-queue-limit': inRange(1, 65_536),
  'tls-cert-profile': oneOf('legacy', 'preferred', 'suiteb'),
  'tls-timeout': seconds,
  'tls-version-min': {
    takes: ([version = '', alternative]) => /^1\.[0-3]$/.test(version) || alternative === 'or-highest',
    remedy: 'it wants 1.2 or 1.3',
  },
  'tran-window': seconds,
  'tun-mtu': inRange(576, 65_535),
  'tun-mtu-max': inRange(576, 65_535),
  'verify-x509-name': {
    takes: ([, kind]) => kind === undefined || /^(?:subject|name|name-prefix)$/.test(kind),
    remedy: 'it wants NAME [subject, name or name-prefix]',
  },
}

const DIRECTION = /^(?:0|1|bi|bidirectional)$/

/** What the words of a directive should be; undefined when OpenVPN 3 takes them as they are. */
export function openvpn3Remedy(entry: Entry, profile: Profile): string | undefined {
  const { content, name, words } = entry
  // The direction behind the file stands above the one on a line of its own.
  const direction = name === 'tls-auth' ? words[1] : name === 'key-direction' ? words[0] : undefined
  const isRead = name === 'tls-auth' ? content === undefined : profile.entry('tls-auth')?.content !== undefined
  const counts = isRead || (name === 'key-direction' && !profile.has('tls-auth'))
  if (counts && direction !== undefined && !DIRECTION.test(direction)) return 'it wants the direction 0 or 1'
  const wanted = WANTED[name]
  return content !== undefined || wanted === undefined || wanted.takes(words) ? undefined : wanted.remedy
}

function isNumber(text: string, least: number, most: number): boolean {
  return /^\d{1,6}$/.test(text) && Number(text) >= least && Number(text) <= most
}
