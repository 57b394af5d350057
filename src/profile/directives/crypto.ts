/**
 * Directives of the data channel: ciphers, digests, keys, compression, and what is negotiated about them.
 */
import { choice, custom, file, integer, optional, rangedInteger, rest, text } from '../argument.ts'
import { directive } from '../directive.ts'
import { cipherList, cipherName, digestName } from '../openssl-names.ts'

const protocolFlag = choice('flag', ['cc-exit', 'tls-ekm', 'dyn-tls-crypt', 'aead-epoch'])

const NEGOTIATED = { pushable: true } as const

/** Ciphers, digests, static keys, compression. */
export const cryptoDirectives = {
  'allow-compression': directive([choice('mode', ['no', 'asym', 'yes'])], {
    status: 'supported',
    since: '2.5',
    does: 'Whether compressed packets are taken.',
  }),
  'allow-deprecated-insecure-static-crypto': directive([rest(text('word'))], {
    status: 'supported',
    since: '2.7',
    does: 'Permits a tunnel without TLS.',
    danger: 'a tunnel without TLS has no forward secrecy: who learns the key reads all past traffic',
  }),
  auth: directive([digestName()], { status: 'supported', does: 'The digest of tls-auth and of CBC data packets.' }),
  cipher: directive([cipherName()], {
    ...NEGOTIATED,
    status: 'supported',
    perClient: true,
    does: 'The data cipher of old peers.',
  }),
  'comp-lzo': directive([optional(choice('mode', ['yes', 'no', 'adaptive']))], {
    status: 'supported',
    pushable: true,
    does: 'LZO framing. Nothing is compressed on sending.',
    deprecated: { since: '2.4', instead: 'leave it out on both ends' },
    danger: 'compression lets an observer guess what is inside the tunnel',
  }),
  'comp-noadapt': directive([], {
    status: 'ignored',
    pushable: true,
    does: 'Nothing is compressed on sending.',
    deprecated: { since: '2.4', instead: 'leave it out' },
  }),
  compress: directive([optional(choice('algorithm', ['lzo', 'lz4', 'lz4-v2', 'stub', 'stub-v2', 'migrate']))], {
    status: 'supported',
    pushable: true,
    does: 'Compression framing. Nothing is compressed on sending.',
    deprecated: { since: '2.5', instead: 'leave it out on both ends' },
    danger: 'compression lets an observer guess what is inside the tunnel',
  }),
  'data-ciphers': directive([cipherList()], {
    status: 'supported',
    since: '2.5',
    perClient: true,
    does: 'Data ciphers to negotiate, most wanted first.',
  }),
  'data-ciphers-fallback': directive([cipherName()], {
    status: 'supported',
    since: '2.5',
    perClient: true,
    does: 'The data cipher for peers that negotiate nothing.',
  }),
  'force-tls-key-material-export': directive([rest(text('word'))], {
    status: 'supported',
    since: '2.6',
    does: 'Refuses peers that derive data keys the old way.',
  }),
  'key-derivation': directive([choice('method', ['tls-ekm']), rest(text('word'))], {
    status: 'supported',
    since: '2.6',
    pushable: '2.6',
    does: 'How data keys are derived.',
  }),
  keysize: directive([rangedInteger('bits', 0, 512)], {
    status: 'ignored',
    until: '2.5',
    pushable: true,
    does: 'Key sizes follow from the cipher.',
    deprecated: { since: '2.5', instead: 'leave it out' },
  }),
  'ncp-ciphers': directive([cipherList()], {
    status: 'supported',
    does: 'The old name of data-ciphers.',
    aliasOf: 'data-ciphers',
    perClient: true,
    deprecated: { since: '2.5', instead: 'data-ciphers' },
  }),
  'ncp-disable': directive([], {
    status: 'refused',
    until: '2.5',
    perClient: true,
    does: 'Ciphers are always negotiated with peers that can.',
    deprecated: { since: '2.5', instead: 'data-ciphers with one cipher' },
  }),
  'no-iv': directive([], {
    status: 'refused',
    until: '2.4',
    does: 'Packets without IVs are not spoken.',
    danger: 'equal packets look equal',
  }),
  'no-replay': directive([], {
    status: 'refused',
    fatalSince: '2.7',
    does: 'Replay protection is never given up.',
    danger: 'recorded packets can be played again',
    deprecated: { since: '2.4', instead: 'leave it out' },
  }),
  'peer-id': directive([integer('id', -2_147_483_648, 16_777_215)], {
    status: 'supported',
    pushable: true,
    does: 'Marks this client’s data packets.',
  }),
  'persist-key': directive([], {
    status: 'ignored',
    pushable: true,
    inertSince: '2.7',
    does: 'Keys stay in memory over reconnects.',
  }),
  'protocol-flags': directive([protocolFlag, rest(protocolFlag)], {
    status: 'supported',
    since: '2.6',
    pushable: '2.6',
    does: 'What both ends agreed on.',
  }),
  'push-continuation': directive(
    [custom('part', '1 or 2', (word) => (/^[012]$/.test(word) ? Number(word) : undefined), 'never')],
    {
      status: 'supported',
      pushedOnly: true,
      pushable: true,
      does: 'Whether more settings follow.',
    },
  ),
  secret: directive([file(), optional(choice('direction', ['0', '1']))], {
    status: 'supported',
    roles: ['peer'],
    inline: true,
    does: 'A tunnel without TLS, under a key that both ends have.',
    deprecated: { since: '2.6', instead: 'certificates, or peer-fingerprint' },
    danger: 'a tunnel without TLS has no forward secrecy: who learns the key reads all past traffic',
  }),
} as const
