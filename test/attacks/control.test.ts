/**
 * Known attacks on what OpenVPN says inside TLS, one named test each: what a hostile server pushes, what a hostile client
 * writes into its login and peer info, and what either puts into messages.
 */
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { concat, utf8Encode } from '../../src/bytes/index.ts'
import {
  acceptClientCipher,
  compareOptionsStrings,
  type DataCipher,
  MAX_PUSH_LENGTH,
  parseClientKeyMessage,
  parseControlMessage,
  parsePeerInfo,
  PushAssembler,
  pullOptions,
  type PullPolicy,
  splitControlText,
  splitOptionWords,
  updateOptions,
  verifyAuthToken,
  writeAuthToken,
} from '../../src/control/index.ts'
import { NOT_PULLABLE } from '../../src/control/push-refused.ts'
import { PUSH_OPTIONS } from '../../src/control/push-table.ts'
import { noble } from '../../src/crypto/index.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'

const tun: PullPolicy = { device: 'tun' }

function pull(texts: readonly string[]) {
  const result = pullOptions(texts, tun)
  if (result.type !== 'pulled') throw new Error('rejected')
  return result
}

/** Everything the host gets to see of a push, as one text. */
function visible(texts: readonly string[]): string {
  return JSON.stringify(pull(texts).options)
}

describe('B5 a malformed session token (CVE-2026-13122)', () => {
  const random = new SeededRandom('attack token')
  const key = random.bytes(128)
  const contents = { sessionId: random.bytes(12), initialTime: 1e12, renewalTime: 1e12 }
  const token = writeAuthToken(noble, key, 'user', contents)
  const policy = { renewalInterval: 3_600_000, lifetime: 0 }

  it('is refused at every length, with every kind of wrong base64, and never throws', () => {
    let accepted = 0
    let tried = 0
    const judge = (text: string): void => {
      tried++
      if (verifyAuthToken(noble, key, text, 'user', 1e12, policy).type === 'valid') accepted++
    }
    for (let length = 0; length <= 4096; length++) {
      if (length !== token.length) judge(`SESS_ID_AT_${'A'.repeat(length)}`.slice(0, length))
      if (length < 80) judge(`${token.slice(0, 11 + length)}${'='.repeat(80 - length)}`)
    }
    for (let i = 11; i < token.length; i++)
      for (const character of '=-_\n \0é') judge(token.slice(0, i) + character + token.slice(i + 1))
    expect(tried).toBeGreaterThan(4_500)
    expect(accepted).toBe(0)
    expect(verifyAuthToken(noble, key, token, 'user', 1e12, policy).type).toBe('valid')
  })
})

describe('B6 an overlong or odd login in the key method message (CVE-2017-12166 and its kind)', () => {
  it('never shifts the fields behind it and never becomes a login', () => {
    const head = concat(Uint8Array.of(0, 0, 0, 0, 2), new Uint8Array(112).fill(7), Uint8Array.of(0, 3, 0x56, 0x34, 0))
    let logins = 0
    for (const length of [130, 131, 255, 256, 4096, 4097, 8000]) {
      // The username's own bytes spell a password and peer info, for a reader that stops early.
      const forged = utf8Encode('\0\u0004abc\0\0\u0009IV_EVIL=1\0'.padEnd(length - 1, 'x'))
      const name = concat(
        Uint8Array.of(forged.length >> 8, forged.length & 255),
        forged.subarray(0, -1),
        Uint8Array.of(0),
      )
      const rest = utf8Encode('\0\u0002p\0\0\u000bIV_GOOD=1\0\0')
      const message = parseClientKeyMessage(
        concat(head, name, rest.slice(0, 4), Uint8Array.of(0, 10), utf8Encode('IV_GOOD=1\0')),
      )
      if (typeof message === 'string') throw new Error(message)
      if (message.login !== undefined) logins++
      expect(message.loginProblem).toBe('login-too-long')
      expect([...parsePeerInfo(message.peerInfo).values]).toEqual([['IV_GOOD', '1']])
    }
    expect(logins).toBe(0)
  })

  it('a length field of 65,535 is cut short, not read past the end', () => {
    const head = concat(Uint8Array.of(0, 0, 0, 0, 2), new Uint8Array(112), Uint8Array.of(0xff, 0xff))
    expect(parseClientKeyMessage(concat(head, new Uint8Array(100)))).toBe('key-method-string-cut')
  })
})

describe('B7 control characters in messages (CVE-2024-5594)', () => {
  it('no message with one reaches a host, whatever the command and position', () => {
    const commands = [
      'PUSH_REPLY,echo x',
      'AUTH_FAILED,reason',
      'INFO,text',
      'INFO_PRE,CR_TEXT:R:q',
      'RESTART,[N]x',
      'HALT,x',
    ]
    let reached = 0
    let tried = 0
    for (const command of commands) {
      for (let byte = 1; byte < 0x20; byte++) {
        for (let position = 0; position < command.length; position++) {
          const bytes = utf8Encode(
            `${command.slice(0, position)}${String.fromCharCode(byte)}${command.slice(position)}\0`,
          )
          tried++
          reached += splitControlText(bytes).messages.length
        }
      }
    }
    expect(tried).toBe(31 * commands.join('').length)
    expect(reached).toBe(0)
  })

  it('a trailing line end is forgiven (the first fix was too strict)', () => {
    expect(splitControlText(utf8Encode('PUSH_REPLY,ping 10\r\n\0')).messages).toEqual(['PUSH_REPLY,ping 10'])
  })

  it('terminal sequences and right-to-left tricks in UTF-8 are replaced', () => {
    const [message] = splitControlText(utf8Encode('INFO,\u009b2Jabc\u202etxt.exe\0')).messages
    expect(message).toBe('INFO,\ufffd2Jabc\ufffdtxt.exe')
  })
})

describe('B8 shell syntax in pushed names (CVE-2025-10680)', () => {
  const payloads = [
    '$(touch /tmp/x)',
    '`id`',
    'a;id',
    'a|id',
    'a&id',
    "a'b",
    'a"b',
    'a\\b',
    'a b',
    'a>b',
    'a{b}',
    'a*',
    '../x',
    '-rf',
  ]

  it('reaches no field of the options', () => {
    const forms = [
      'dhcp-option DOMAIN',
      'dhcp-option DOMAIN-SEARCH',
      'dhcp-option ADAPTER_DOMAIN_SUFFIX',
      'dhcp-option NBS',
      'dhcp-option DNS',
      'dhcp-option PROXY_AUTO_CONFIG_URL',
      'dhcp-option PROXY_BYPASS',
      'dns search-domains',
      'dns server 1 address',
      'dns server 1 resolve-domains',
      'dns server 1 sni',
      'dns server 1 transport',
      'route',
      'route-gateway',
      'ifconfig-ipv6',
      'lladdr',
      'setenv',
      'cipher',
    ]
    let tried = 0
    const empty = visible([])
    for (const form of forms) {
      for (const payload of payloads) {
        tried++
        const quoted = `"${payload.replace(/["\\]/g, '\\$&')}"`
        const result = pull([`${form} ${quoted}`])
        expect(JSON.stringify(result.options), `${form} ${payload}`).toBe(empty)
        expect(result.refused.length).toBeGreaterThan(0)
      }
    }
    expect(tried).toBe(forms.length * payloads.length)
  })
})

describe('B8 pushed numbers out of range', () => {
  it.each<[string, number, number]>([
    ['tun-mtu', 68, 65_535],
    ['ping', 0, 86_400],
    ['ping-restart', 0, 86_400],
    ['ping-exit', 0, 86_400],
    ['session-timeout', 0, 0x7fffffff],
    ['inactive', 0, 0x7fffffff],
    ['peer-id', 0, 0xffffff],
    ['route-metric', 0, 0x7fffffff],
    ['explicit-exit-notify', 0, 255],
    ['sndbuf', 0, 100_000_000],
    ['rcvbuf', 0, 100_000_000],
    ['shaper', 100, 100_000_000],
  ])('%s is %i to %i and nothing else (a pushed tun-mtu 1 once ended the reference)', (name, min, max) => {
    for (const good of [min, max]) expect(pull([`${name} ${good}`]).refused, `${name} ${good}`).toEqual([])
    const bad = [min - 1, max + 1, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 64, -(2 ** 31)].filter((n) => n < min || n > max)
    const odd = ['NaN', 'Infinity', '1e9', '0x10', '1.5', '+1', ' ', '٣', '1_0', '--1', '']
    for (const value of [...bad, ...odd]) {
      const { refused } = pull([`${name} "${String(value)}"`])
      expect(
        refused.map((refusal) => refusal.reason),
        `${name} ${value}`,
      ).toEqual(['bad-value'])
    }
  })

  it('an AUTH_PENDING or back-off out of range is as none (an underflow in the reference)', () => {
    for (const value of ['0', '-1', '4294967295', '4294967296', '18446744073709551616', '1e9']) {
      expect(parseControlMessage(`AUTH_PENDING,timeout ${value}`)).toMatchObject({ timeoutSeconds: undefined })
      if (value !== '0')
        expect(parseControlMessage(`AUTH_FAILED,TEMP[backoff ${value}]`)).toMatchObject({
          failure: { backoffSeconds: undefined },
        })
    }
  })
})

describe('B8 options that run programs, name files or weaken the session', () => {
  it('none of the reference’s can be pushed, plain, quoted, marked optional, or by update', () => {
    expect(NOT_PULLABLE.size).toBeGreaterThan(170)
    const empty = visible([])
    const state = pull([]).state
    for (const name of NOT_PULLABLE) {
      expect(PUSH_OPTIONS.has(name), name).toBe(false)
      for (const text of [`${name} x`, `"${name}" x`, `setenv opt ${name} x`, `  ${name} x y`, `\\${name} x`])
        expect(visible([text]), text).toBe(empty)
      expect(updateOptions(state, [`${name} x`], tun)).toMatchObject({ type: 'rejected' })
      const optional = updateOptions(state, [`?${name} x`], tun)
      if (optional.type !== 'pulled') throw new Error(name)
      expect(JSON.stringify(optional.options)).toBe(empty)
    }
  })

  it('upper case and look-alikes are other words', () => {
    for (const text of ['UP x', 'Plugin x', 'up\u00a0x', 'ｕｐ x', '--up x']) expect(visible([text])).toBe(visible([]))
  })
})

describe('B9 endless and oversized pushes', () => {
  it('a push that never ends is cut at the cap, with the memory of one', () => {
    const assembler = new PushAssembler()
    const part = `${'route 10.0.0.0,'.repeat(60)}push-continuation 2`
    let results = 0
    for (let i = 0; i < scaled(100_000, 1_000_000); i++) if (assembler.add(part).type === 'more') results++
    expect(results).toBeLessThan(MAX_PUSH_LENGTH / part.length)
    expect(assembler.pending).toBe(false)
  })

  it('100,000 routes are 4,096 at most, and the refusals are counted, not listed', () => {
    const texts = Array.from({ length: 100_000 }, () => 'route 10.0.0.0 255.0.0.0')
    const result = pull(texts)
    expect(result.options.routes.length).toBe(4096)
    expect(result.refused.length).toBe(256)
    expect(result.unreported).toBe(100_000 - 4096 - 256)
  })

  it('work grows with length, not faster (quotes, backslashes, spaces)', () => {
    for (const unit of ['"', '\\', ' ', "'", '"\\', '# ', "' "]) {
      const text = unit.repeat(1_000_000)
      expect(splitOptionWords(text)).toBe('too-long')
      const list = `${unit.repeat(120)},`.repeat(2_000)
      const assembled = new PushAssembler().add(list)
      if (assembled.type === 'complete') pullOptions(assembled.options, tun)
    }
  })
})

describe('B10 names out of the language’s own prototypes', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']

  it('are plain unknown words everywhere', () => {
    const before = Object.getOwnPropertyNames(Object.prototype)
    const frozen = Object.freeze(Object.create(null))
    expect(frozen).toEqual({})
    for (const name of names) {
      expect(pull([`${name} x`]).refused[0]?.reason).toBe('unknown-option')
      expect(pull([`dhcp-option ${name} x`]).refused[0]?.reason).toBe('bad-value')
      expect(pull([`redirect-gateway ${name}`]).refused[0]?.reason).toBe('unknown-flag')
      expect(pull([`protocol-flags ${name}`]).refused[0]?.reason).toBe('unknown-flag')
      expect(pull([`compress ${name}`]).refused[0]?.reason).toBe('bad-value')
      expect(pull([`dns server 1 ${name} x`]).refused[0]?.reason).toBe('bad-value')
      const variable = pull([`setenv-safe ${name} x`])
      expect(variable.options.variables).toEqual([{ name: `OPENVPN_${name}`, value: 'x' }])
      const info = parsePeerInfo(`${name}=polluted\nIV_VER=1`)
      expect(info.values.get('IV_VER')).toBe('1')
      expect(info.values.get(name)).toBe('polluted')
      expect(compareOptionsStrings('V4', `V4,${name} x`, true)).toHaveLength(1)
      expect(parseControlMessage(name).type).toBe('unknown')
    }
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before)
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })
})

describe('B10 peer info as a weapon', () => {
  it('floods, repeats and shell syntax are bounded and cleaned', () => {
    const flood = Array.from({ length: 10_000 }, (_, i) => `UV_${i}=${'x'.repeat(100)}`).join('\n')
    const info = parsePeerInfo(flood)
    expect(info.values.size).toBeLessThanOrEqual(64)
    expect([...info.values.values()].join('').length).toBeLessThanOrEqual(2048)
    const hostile = parsePeerInfo('UV_A=$(x)\nUV_A=second\nUV_B=a`b`\nUV_C=a\u001b[2J\nUV D=x\nUV_E\n=x\nIV_PROTO=-1')
    expect([...hostile.values]).toEqual([
      ['UV_A', '__x)'],
      ['UV_B', 'a_b_'],
      ['UV_C', 'a_[2J'],
      ['IV_PROTO', '-1'],
    ])
    expect(hostile.proto).toBe(0)
  })
})

describe('C9 downgrade of the data cipher (SWEET32 and null ciphers)', () => {
  it('a server cannot push or hint a cipher that is not in the client’s list', () => {
    const ours: readonly DataCipher[] = ['AES-256-GCM', 'AES-128-GCM']
    const weak =
      'BF-CBC DES-EDE3-CBC DES-CBC CAST5-CBC RC2-CBC none NONE null [null-cipher] AES-256-CBC CHACHA20-POLY1305'
    let accepted = 0
    for (const name of weak.split(' ')) {
      for (const pushed of [name, name.toLowerCase(), ` ${name}`])
        if (acceptClientCipher({ ours, fallback: undefined, pushed, optionsCipher: undefined }).type === 'chosen')
          accepted++
      if (acceptClientCipher({ ours, fallback: undefined, pushed: undefined, optionsCipher: name }).type === 'chosen')
        accepted++
    }
    expect(accepted).toBe(0)
  })
})

describe('secrets', () => {
  it('a pushed token shows in no option, refusal, state or log', () => {
    const secret = 'SESS_ID_AT_0123456789'
    const texts = [
      `auth-token ${secret}`,
      `auth-token "${secret}`,
      `auth-token ${secret} ${secret}`,
      `auth-token-x ${secret}`,
    ]
    const result = pull(texts)
    expect(result.token).toBeDefined()
    expect(JSON.stringify(result)).not.toContain(secret)
    expect(inspect(result.token, { depth: 5, showHidden: true })).not.toContain(secret)
    const update = updateOptions(result.state, [`?auth-token ${secret}`], tun)
    expect(JSON.stringify(update)).not.toContain(secret)
  })
})
