/**
 * Laws of the control channel's texts: what is written reads back, and nothing a peer sends makes a parser throw.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concat, utf8Decode, utf8Encode } from '../../src/bytes/index.ts'
import {
  type AdvanceHint,
  type AuthFailure,
  type ControlMessage,
  formatIpv4,
  formatIpv6,
  parseClientKeyMessage,
  parseControlMessage,
  parseIpv4Bytes,
  parseIpv6Bytes,
  parsePeerInfo,
  parseServerKeyMessage,
  PushAssembler,
  pullOptions,
  type PullPolicy,
  quoteOptionWord,
  splitControlText,
  splitOptionWords,
  type TunnelOptions,
  updateOptions,
  writeClientKeyMessage,
  writeControlMessage,
  writeControlText,
  writePushParts,
} from '../../src/control/index.ts'
import { PUSH_OPTIONS } from '../../src/control/push-table.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'

const seed = 0x6f76706e
const runs = (numRuns: number) => ({ seed, numRuns })

/** Text that the channel carries unchanged. */
const text = fc.string({ unit: 'grapheme-ascii', maxLength: 60 })
const word = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/)
const option = fc.stringMatching(/^[a-z-]{1,20}( [a-z0-9.]{1,20}){0,5}$/)

const failure: fc.Arbitrary<AuthFailure> = fc.oneof(
  fc.record({
    type: fc.constant('refused' as const),
    message: text.filter((message) => !/^(TEMP|CRV1:|SESSION:)/.test(message)),
  }),
  fc.record({ type: fc.constant('session' as const), message: text.map((message) => message.trimStart()) }),
  fc.record({
    type: fc.constant('temporary' as const),
    message: text,
    backoffSeconds: fc.option(fc.integer({ min: 0, max: 86_400 }), { nil: undefined }),
    advance: fc.option(fc.constantFrom<AdvanceHint>('no', 'remote', 'addr'), { nil: undefined }),
  }),
  fc.record({
    type: fc.constant('challenge' as const),
    challenge: fc.record({ text, username: text, stateId: word, echo: fc.boolean(), responseRequired: fc.boolean() }),
  }),
)

const url = word.map((path) => `https://host.example/${path}?a=b`)
const message: fc.Arbitrary<ControlMessage> = fc.oneof(
  fc.constantFrom<ControlMessage>({ type: 'push-request' }, { type: 'exit' }),
  fc.record({ type: fc.constantFrom('push-reply' as const, 'push-update' as const), options: text }),
  fc.record({ type: fc.constant('auth-failed' as const), failure }),
  fc.record({
    type: fc.constant('auth-pending' as const),
    timeoutSeconds: fc.option(fc.integer({ min: 1, max: 86_400 }), { nil: undefined }),
  }),
  fc.record({ type: fc.constant('info' as const), text }),
  fc.record({ type: fc.constant('cr-response' as const), response: text }),
  fc.record({
    type: fc.constant('restart' as const),
    advance: fc.boolean(),
    keepCredentials: fc.boolean(),
    text: text.filter((value) => !value.startsWith('[')),
  }),
  fc.record({
    type: fc.constant('halt' as const),
    keepCredentials: fc.boolean(),
    text: text.filter((value) => !value.startsWith('[')),
  }),
  fc.record({
    type: fc.constant('info-pre' as const),
    request: fc.oneof(
      fc.record({ type: fc.constant('text' as const), text, echo: fc.boolean(), responseRequired: fc.boolean() }),
      fc.record({ type: fc.constant('web-auth' as const), url, flags: fc.uniqueArray(word, { maxLength: 3 }) }),
      fc.record({ type: fc.constant('open-url' as const), url }),
    ),
  }),
)

describe('what is written reads back', () => {
  it('control messages', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), (list) => {
        const plaintext = concat(...list.map((item) => writeControlText(writeControlMessage(item))))
        const { messages, ignored } = splitControlText(plaintext)
        expect(ignored).toEqual([])
        expect(messages.map(parseControlMessage)).toEqual(list)
      }),
      runs(scaled(2_000, 200_000)),
    )
  })

  it('key method messages', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((value) => {
      const length = utf8Encode(value).length
      return length < 128 && !value.includes('\0') && utf8Decode(utf8Encode(value)) === value
    })
    fc.assert(
      fc.property(name, name, text, fc.string({ maxLength: 300 }), (username, password, options, info) => {
        const random = new SeededRandom(options)
        const sent = {
          preMaster: random.bytes(48),
          random1: random.bytes(32),
          random2: random.bytes(32),
          options,
          login: { username, password },
          peerInfo: info.replace(/[^ -~]/g, ''),
        }
        expect(parseClientKeyMessage(writeClientKeyMessage(sent))).toEqual({ ...sent, loginProblem: undefined })
      }),
      runs(scaled(1_000, 100_000)),
    )
  })

  it('parts of a push, in any cut', () => {
    fc.assert(
      fc.property(fc.array(option, { maxLength: 200 }), (options) => {
        const assembler = new PushAssembler()
        const parts = writePushParts('PUSH_REPLY', options)
        const results = parts.map((part) => assembler.add(part.slice(11)))
        expect(results.slice(0, -1).every((result) => result.type === 'more')).toBe(true)
        expect(results.at(-1)).toEqual({ type: 'complete', options })
      }),
      runs(scaled(500, 50_000)),
    )
  })

  it('quoted words', () => {
    const anyWord = fc.string({ unit: 'grapheme-ascii', maxLength: 12 })
    fc.assert(
      fc.property(fc.array(anyWord, { maxLength: 8 }), (words) => {
        expect(splitOptionWords(['echo', ...words.map(quoteOptionWord)].join(' '))).toEqual(['echo', ...words])
      }),
      runs(scaled(2_000, 200_000)),
    )
  })

  it('addresses', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        expect(parseIpv6Bytes(formatIpv6(bytes))).toEqual(new Uint8Array(bytes))
        expect(parseIpv4Bytes(formatIpv4(bytes))).toEqual(new Uint8Array(bytes.subarray(0, 4)))
      }),
      runs(scaled(2_000, 200_000)),
    )
  })
})

describe('updates', () => {
  const updatable = [...PUSH_OPTIONS].filter(([, entry]) => entry.update !== undefined).map(([name]) => name)
  const values = [
    '10.0.0.1',
    '10.0.0.1 255.255.0.0',
    'fd00::1/64',
    '',
    'subnet',
    '1400',
    'server 1 address 1.1.1.1',
    'DNS 1.1.1.1',
  ]
  const line = fc.tuple(fc.constantFrom(...updatable), fc.constantFrom(...values)).map((pair) => pair.join(' ').trim())
  const policy: PullPolicy = { device: 'tun' }

  it('PUSH-17 an update of everything is the same as pulling it afresh', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), fc.array(line, { maxLength: 20 }), (before, after) => {
        const first = pullOptions(before, policy)
        const fresh = pullOptions(after, policy)
        if (first.type !== 'pulled' || fresh.type !== 'pulled') throw new Error('rejected')
        const clear = updatable.map((name) => `-${name}`)
        const updated = updateOptions(first.state, [...clear, ...after], policy)
        if (updated.type !== 'pulled') throw new Error('rejected')
        expect(updated.options).toEqual(fresh.options)
        const nothing = updateOptions(first.state, [], policy)
        expect(nothing).toMatchObject({ type: 'pulled', options: first.options, state: first.state, refused: [] })
      }),
      runs(scaled(500, 50_000)),
    )
  })
})

/** Pieces that pushed options are made of, good and bad. */
const PIECES = [
  ...PUSH_OPTIONS.keys(),
  ...'auth-token auth-token-user push-continuation setenv opt __proto__ constructor toString up plugin remote'.split(
    ' ',
  ),
  ...'10.8.0.1 255.255.255.0 0.0.0.0 010.0.0.1 256.1.1.1 255.0.255.0 fd00::1/64 fd00::1 ::/0 ::/129 ::ffff:1.2.3.4'.split(
    ' ',
  ),
  ...'0 1 -1 68 1500 65536 2147483647 2147483648 4294967296 9007199254740993 1e9 0x10 NaN Infinity +1'.split(' '),
  ...'vpn_gateway net_gateway remote_host default dhcp def1 ipv6 !ipv4 block-local subnet net30 p2p yes no lz4 stub-v2'.split(
    ' ',
  ),
  ...'server address resolve-domains dnssec transport DoT sni search-domains a.example DNS DOMAIN WINS NBT PROXY_HTTP'.split(
    ' ',
  ),
  ...'AES-256-GCM none tls-ekm cc-exit UV_A OPENVPN_B PATH TCP_NODELAY snat dnat dXNlcg== $(reboot) `id` a;b ../../etc'.split(
    ' ',
  ),
  '"',
  "'",
  '\\',
  '"two words"',
  '#',
  ';',
  '',
  '\t',
  'é',
  '\u202e',
  '\ufffd',
  'x'.repeat(300),
  '-',
  '?',
]

/** Every string and number inside `value` is one that may be shown and computed with. */
function assertSafe(value: unknown): void {
  if (typeof value === 'string') {
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e))
        throw new Error(`unsafe ${JSON.stringify(value)}`)
    }
  } else if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new Error(`unsafe ${value}`)
  } else if (Array.isArray(value)) {
    for (const item of value) assertSafe(item)
  } else if (typeof value === 'object' && value !== null) {
    if (Object.getPrototypeOf(value) !== Object.prototype) throw new Error('not plain data')
    for (const item of Object.values(value)) assertSafe(item)
  }
}

describe('hostile input', () => {
  it('PUSH-4 any pushed option is typed or refused with a reason, and nothing leaks into prototypes', () => {
    const count = scaled(50_000, 5_000_000)
    const random = new SeededRandom('pushed options')
    const before = Object.getOwnPropertyNames(Object.prototype)
    let done = 0
    let refused = 0
    let taken = 0
    let rejected = 0
    while (done < count) {
      const texts: string[] = []
      for (let i = random.int(1, 40); i > 0; i--) {
        const words = [random.chance(0.8) ? random.pick([...PUSH_OPTIONS.keys()]) : random.pick(PIECES)]
        for (let k = random.below(5); k > 0; k--) words.push(random.pick(PIECES))
        texts.push(words.join(' '))
      }
      done += texts.length
      const policy: PullPolicy = { device: random.pick(['tun', 'tap'] as const) }
      let result = pullOptions(texts, policy)
      if (result.type === 'pulled' && random.chance(0.3)) {
        const marked = texts.map((item) => random.pick(['', '-', '?', '-?']) + item)
        result = updateOptions(result.state, marked, policy)
      }
      if (result.type === 'rejected') {
        rejected++
        expect(result.by).toBe('not-updatable')
        continue
      }
      refused += result.refused.length
      taken += result.state.lines.length
      const options: TunnelOptions = result.options
      assertSafe(options)
      assertSafe(result.refused)
      assertSafe(result.state)
    }
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before)
    expect(refused).toBeGreaterThan(count / 5)
    expect(taken).toBeGreaterThan(count / 50)
    expect(rejected).toBeGreaterThan(10)
  })

  it('any bytes are messages or ignored', () => {
    const random = new SeededRandom('control bytes')
    const keywords =
      'PUSH_REPLY, PUSH_UPDATE, AUTH_FAILED, AUTH_FAILED,TEMP[ AUTH_FAILED,CRV1: AUTH_PENDING,timeout INFO_PRE,WEB_AUTH: RESTART,[ HALT CR_RESPONSE, INFO,'.split(
        ' ',
      )
    let known = 0
    for (let i = scaled(20_000, 2_000_000); i > 0; i--) {
      const noise = random.bytes(random.below(40)).map((byte) => (random.chance(0.7) ? 0x20 + (byte % 95) : byte))
      const bytes = concat(utf8Encode(random.pick(keywords)), noise, Uint8Array.of(random.pick([0, 0, 0, 10])))
      for (const item of splitControlText(bytes).messages) {
        const parsed = parseControlMessage(item)
        assertSafe(parsed)
        if (parsed.type !== 'unknown') known++
      }
    }
    expect(known).toBeGreaterThan(5_000)
  })

  it('any bytes are a key method message or a reason', () => {
    const random = new SeededRandom('key method bytes')
    const base = writeClientKeyMessage({
      preMaster: random.bytes(48),
      random1: random.bytes(32),
      random2: random.bytes(32),
      options: 'V4,tls-client',
      login: { username: 'user', password: 'pass' },
      peerInfo: 'IV_VER=2.7\nIV_PROTO=990\n',
    })
    let good = 0
    let bad = 0
    for (let i = scaled(20_000, 2_000_000); i > 0; i--) {
      const bytes = base.slice(0, random.chance(0.3) ? random.below(base.length) : base.length)
      for (let k = random.below(4); k > 0; k--) bytes[random.below(bytes.length)] = random.below(256)
      for (const parsed of [parseClientKeyMessage(bytes), parseServerKeyMessage(bytes)]) {
        if (typeof parsed === 'string') {
          bad++
          expect(parsed).toMatch(/^key-method-/)
        } else {
          good++
          assertSafe(parsed.options)
          const info = parsePeerInfo(parsed.peerInfo)
          for (const value of info.values.values()) assertSafe(value)
        }
      }
    }
    expect(good).toBeGreaterThan(1_000)
    expect(bad).toBeGreaterThan(1_000)
  })
})
