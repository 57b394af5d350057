import { describe, expect, it } from 'vitest'
import { concat, fromBase64, toHex, UsageError, utf8Encode } from '../../../src/bytes/index.ts'
import {
  HttpProxy,
  type HttpProxyOptions,
  type ProxyOutput,
  socksDatagramHeader,
  type SocksOptions,
  type SocksOutput,
  SocksProxy,
  unwrapSocksDatagram,
} from '../../../src/client/index.ts'
import { writeDigest } from '../../../src/client/http-digest.ts'
import { parseChallenges } from '../../../src/client/http-header.ts'
import { noble } from '../../../src/crypto/index.ts'
import { SeededRandom } from '../../support/random.ts'

const target = { host: 'vpn.example', port: 1194 }
const login = { username: 'user', password: 'pass word' }

function text(data: Uint8Array): string {
  return Buffer.from(data).toString('latin1')
}

function http(options: Partial<HttpProxyOptions> = {}): HttpProxy {
  return new HttpProxy({ ...target, ...options }, noble, new SeededRandom('proxy').source)
}

/** The request after `connected`. */
function ask(proxy: HttpProxy): string {
  proxy.connected()
  const output = proxy.poll()
  if (output?.type !== 'transmit') throw new Error('no request')
  return text(output.data)
}

function answer(proxy: HttpProxy, ...lines: readonly string[]): ProxyOutput | undefined {
  proxy.receive(utf8Encode(`${lines.join('\r\n')}\r\n\r\n`))
  return proxy.poll()
}

describe('HTTP CONNECT', () => {
  it('PROXY-1 asks for the server, with the headers wanted', () => {
    expect(ask(http())).toBe('CONNECT vpn.example:1194 HTTP/1.0\r\nHost: vpn.example:1194\r\n\r\n')
    expect(ask(http({ host: 'fd00::1', version: '1.1', userAgent: 'x/1', headers: [['X-A', 'b c']] }))).toBe(
      'CONNECT [fd00::1]:1194 HTTP/1.1\r\nHost: [fd00::1]:1194\r\nUser-Agent: x/1\r\nX-A: b c\r\n\r\n',
    )
  })

  it('PROXY-1 refuses what would break out of its line', () => {
    for (const bad of [
      { host: 'a\r\nX: y' },
      { host: 'a b' },
      { host: 'a/b' },
      { userAgent: 'a\nb' },
      { headers: [['X-A', 'b\r\nX-C: d']] as const },
      { headers: [['X A', 'b']] as const },
      { headers: [['X:A', 'b']] as const },
    ])
      expect(() => http(bad)).toThrow(UsageError)
  })

  it('PROXY-3 hands over what came behind the answer, however it was cut', () => {
    const whole = concat(utf8Encode('HTTP/1.1 200 OK\r\nVia: x\r\n\r\n'), Uint8Array.of(0, 14, 56, 1))
    for (let cut = 0; cut <= whole.length; cut++) {
      const proxy = http()
      ask(proxy)
      proxy.receive(whole.subarray(0, cut))
      const early = proxy.poll()
      proxy.receive(whole.subarray(cut))
      const output = early ?? proxy.poll()
      if (output?.type !== 'open') throw new Error(`cut at ${cut}`)
      expect(toHex(output.rest)).toBe(
        cut < whole.length - 4 ? '000e3801' : toHex(whole.subarray(whole.length - 4, cut)),
      )
    }
    const bare = http()
    ask(bare)
    bare.receive(utf8Encode('HTTP/1.0 200\n\nrest'))
    expect(bare.poll()).toMatchObject({ type: 'open', rest: utf8Encode('rest') })
  })

  it('PROXY-2 refuses what is not HTTP, or has no end', () => {
    for (const bad of [
      'SSH-2.0-x\r\n\r\n',
      'HTTP/2 200\r\n\r\n',
      'HTTP/1.1 20 OK\r\n\r\n',
      'HTTP/1.1 200 OK\r\nbad line\r\n\r\n',
      'HTTP/1.1 200 OK\r\n: x\r\n\r\n',
      'HTTP/1.1 200 OK\r\nA: \u0001\r\n\r\n',
    ]) {
      const proxy = http()
      ask(proxy)
      proxy.receive(Buffer.from(bad, 'latin1'))
      expect(proxy.poll(), bad).toMatchObject({ type: 'failed', problem: 'proxy-malformed' })
    }
    const proxy = http()
    ask(proxy)
    let failed = 0
    for (let i = 0; i < 100; i++) {
      proxy.receive(utf8Encode(`X-${i}: ${'x'.repeat(1000)}\r\n`))
      if (proxy.poll()?.type === 'failed') failed++
    }
    expect(failed).toBe(1)
  })

  it('tells why there is no tunnel', () => {
    const refused = http()
    ask(refused)
    expect(answer(refused, 'HTTP/1.1 403 Forbidden')).toEqual({
      type: 'failed',
      problem: 'proxy-refused',
      detail: '403 Forbidden',
    })
    refused.closed()
    expect(refused.poll()).toBeUndefined()
    const gone = http()
    ask(gone)
    gone.closed()
    expect(gone.poll()).toMatchObject({ problem: 'proxy-closed' })
  })

  it('PROXY-4 logs in with Basic when asked, on a new connection', () => {
    const proxy = http({ login })
    expect(ask(proxy)).not.toContain('Authorization')
    expect(answer(proxy, 'HTTP/1.1 407 No', 'Proxy-Authenticate: Basic realm="x"')).toEqual({ type: 'reconnect' })
    const value = /Proxy-Authorization: Basic (.*)\r\n/.exec(ask(proxy))?.[1] ?? ''
    expect(text(fromBase64(value)!)).toBe('user:pass word')
    expect(answer(proxy, 'HTTP/1.1 407 No', 'Proxy-Authenticate: Basic realm="x"')).toMatchObject({
      problem: 'proxy-login-refused',
    })
  })

  it('PROXY-4 with basic it logs in at once', () => {
    const proxy = http({ login, authentication: 'basic' })
    expect(ask(proxy)).toContain('Proxy-Authorization: Basic ')
    expect(answer(proxy, 'HTTP/1.1 407 No', 'Proxy-Authenticate: Basic realm="x"')).toMatchObject({
      problem: 'proxy-login-refused',
    })
  })

  it('PROXY-5 never sends a password in the clear with auto-nct', () => {
    const proxy = http({ login, authentication: 'auto-nct' })
    ask(proxy)
    expect(answer(proxy, 'HTTP/1.1 407 No', 'Proxy-Authenticate: Basic realm="x"')).toEqual({
      type: 'failed',
      problem: 'proxy-login-needed',
      detail: 'basic',
    })
    for (const options of [{}, { login, authentication: 'none' as const }]) {
      const other = http(options)
      ask(other)
      expect(answer(other, 'HTTP/1.1 407 No', 'Proxy-Authenticate: Basic realm="x"')).toMatchObject({
        problem: 'proxy-login-needed',
      })
    }
  })

  it('PROXY-6 prefers Digest, and the better hash', () => {
    const proxy = http({ login })
    ask(proxy)
    const challenge =
      'Proxy-Authenticate: Basic realm="x", Digest realm="r", nonce="n1", qop="auth,auth-int", algorithm=MD5, ' +
      'Digest realm="r", nonce="n2", qop="auth", algorithm=SHA-256, opaque="o"'
    expect(answer(proxy, 'HTTP/1.1 407 No', challenge)).toEqual({ type: 'reconnect' })
    const request = ask(proxy)
    expect(request).toMatch(
      /Digest username="user", realm="r", nonce="n2", uri="vpn.example:1194", response="[0-9a-f]{64}", algorithm=SHA-256, opaque="o", qop=auth, nc=00000001, cnonce="[0-9a-f]{32}"\r\n/,
    )
    expect(request).not.toContain('pass')
    // A stale nonce is forgiven once.
    const stale = 'Proxy-Authenticate: Digest realm="r", nonce="n3", stale=TRUE'
    expect(answer(proxy, 'HTTP/1.1 407 No', stale)).toEqual({ type: 'reconnect' })
    expect(ask(proxy)).toContain('nonce="n3"')
    expect(answer(proxy, 'HTTP/1.1 407 No', stale)).toMatchObject({ problem: 'proxy-login-refused' })
  })

  it('PROXY-6 computes the answers of RFC 7616', () => {
    const input = {
      login: { username: 'Mufasa', password: 'Circle of Life' },
      method: 'GET',
      uri: '/dir/index.html',
      clientNonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
      count: 1,
    }
    const common =
      'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"'
    const answers = {
      MD5: '8ca523f5e9506fed4657c9700eebdbec',
      'SHA-256': '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    }
    for (const [algorithm, response] of Object.entries(answers)) {
      const [challenge] = parseChallenges([`Digest ${common}, algorithm=${algorithm}`])
      expect(writeDigest(noble, { ...input, challenge: challenge! })).toContain(`response="${response}"`)
    }
    // RFC 2617, section 3.5, with its quality of protection left out: the form of RFC 2069.
    const [old] = parseChallenges(['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'])
    const answer = writeDigest(noble, {
      ...input,
      login: { username: 'Mufasa', password: 'Circle Of Life' },
      challenge: old!,
    })
    expect(answer).toContain('response="670fd8c2df070c60b045671b8b24ff02"')
    const [session] = parseChallenges([`Digest ${common}, algorithm=MD5-sess`])
    expect(writeDigest(noble, { ...input, challenge: session! })).toMatch(/response="[0-9a-f]{32}", algorithm=MD5-sess/)
  })

  it('PROXY-6 leaves challenges alone that it cannot answer', () => {
    for (const value of [
      'Digest realm="r"',
      'Digest nonce="n"',
      'Digest realm="r", nonce="n", qop="auth-int"',
      'Digest realm="r", nonce="n", algorithm=SHA-512-256',
      'NTLM',
      'Negotiate abc==',
      '',
      '"',
    ]) {
      const proxy = http({ login })
      ask(proxy)
      expect(answer(proxy, 'HTTP/1.1 407 No', `Proxy-Authenticate: ${value}`), value).toMatchObject({
        problem: 'proxy-login-needed',
      })
    }
  })
})

function socks(options: Partial<SocksOptions> = {}): SocksProxy {
  const proxy = new SocksProxy({ command: 'connect', target, ...options })
  proxy.connected()
  return proxy
}

function sent(proxy: SocksProxy): string {
  const output = proxy.poll()
  return output?.type === 'transmit' ? toHex(output.data) : (output?.type ?? 'nothing')
}

function reply(proxy: SocksProxy, ...bytes: readonly number[]): SocksOutput | undefined {
  proxy.receive(Uint8Array.from(bytes))
  return proxy.poll()
}

describe('SOCKS5', () => {
  it('PROXY-7 asks for a tunnel by name', () => {
    const proxy = socks()
    expect(sent(proxy)).toBe('050100')
    proxy.receive(Uint8Array.of(5, 0))
    expect(sent(proxy)).toBe(`050100030b${toHex(utf8Encode('vpn.example'))}04aa`)
    expect(reply(proxy, 5, 0, 0, 1, 10, 0, 0, 1, 4, 5, 99)).toEqual({ type: 'open', rest: Uint8Array.of(99) })
  })

  it('PROXY-7 asks for addresses as addresses', () => {
    for (const [host, bytes] of [
      ['192.0.2.1', '01c0000201'],
      ['fd00::1', '04fd000000000000000000000000000001'],
    ] as const) {
      const proxy = socks({ target: { host, port: 443 } })
      sent(proxy)
      proxy.receive(Uint8Array.of(5, 0))
      expect(sent(proxy)).toBe(`050100${bytes}01bb`)
    }
  })

  it('PROXY-7 logs in when the proxy chooses so', () => {
    const proxy = socks({ login: { username: 'user', password: 'pw' } })
    expect(sent(proxy)).toBe('05020002')
    proxy.receive(Uint8Array.of(5, 2))
    expect(sent(proxy)).toBe(`0104${toHex(utf8Encode('user'))}02${toHex(utf8Encode('pw'))}`)
    expect(reply(proxy, 1, 1)).toMatchObject({ type: 'failed', problem: 'proxy-login-refused' })
  })

  it('PROXY-8 asks for a relay and tells where it is', () => {
    const proxy = socks({ command: 'udp-associate' })
    sent(proxy)
    proxy.receive(Uint8Array.of(5, 0))
    expect(sent(proxy)).toBe('05030001000000000000')
    expect(reply(proxy, 5, 0, 0, 1, 10, 0, 0, 9, 4, 1)).toEqual({
      type: 'associated',
      relay: { host: '10.0.0.9', port: 1025 },
    })
  })

  it('takes answers in any cut', () => {
    const stream = [5, 0, 5, 0, 0, 3, 2, 104, 105, 0, 80, 7, 8]
    for (let cut = 0; cut <= stream.length; cut++) {
      const proxy = socks()
      proxy.receive(Uint8Array.from(stream.slice(0, cut)))
      proxy.receive(Uint8Array.from(stream.slice(cut)))
      const outputs: (SocksOutput | undefined)[] = []
      for (let output = proxy.poll(); output !== undefined; output = proxy.poll()) outputs.push(output)
      expect(outputs.map((output) => output?.type)).toEqual(['transmit', 'transmit', 'open'])
    }
  })

  it.each<[string, number[], string]>([
    ['not SOCKS5', [4, 0], 'proxy-malformed'],
    ['no method', [5, 255], 'proxy-login-needed'],
    ['login without one', [5, 2], 'proxy-login-needed'],
    ['refused', [5, 0, 5, 5, 0, 1, 0, 0, 0, 0, 0, 0], 'proxy-refused'],
    ['refused with an unknown code', [5, 0, 5, 77, 0, 1, 0, 0, 0, 0, 0, 0], 'proxy-refused'],
    ['answer of another version', [5, 0, 4, 0, 0, 1, 0, 0, 0, 0, 0, 0], 'proxy-malformed'],
    ['unknown address type', [5, 0, 5, 0, 0, 9, 0, 0, 0, 0, 0, 0], 'proxy-malformed'],
  ])('fails with a reason: %s', (_, bytes, problem) => {
    const proxy = socks()
    proxy.receive(Uint8Array.from(bytes))
    const outputs: SocksOutput[] = []
    for (let output = proxy.poll(); output !== undefined; output = proxy.poll()) outputs.push(output)
    expect(outputs.at(-1)).toMatchObject({ type: 'failed', problem })
    proxy.receive(Uint8Array.of(5, 0))
    proxy.closed()
    expect(proxy.poll()).toBeUndefined()
  })

  it('fails when the proxy hangs up, and refuses names that do not fit', () => {
    const proxy = socks()
    sent(proxy)
    proxy.closed()
    expect(proxy.poll()).toMatchObject({ problem: 'proxy-closed' })
    expect(() => socks({ target: { host: 'x'.repeat(256), port: 1 } })).toThrow(UsageError)
    expect(() => socks({ login: { username: '', password: 'x' } })).toThrow(UsageError)
  })

  it('PROXY-9 wraps datagrams for the relay and takes only the server’s', () => {
    const server = { host: '192.0.2.1', port: 1194 }
    const header = socksDatagramHeader(server)
    expect(toHex(header)).toBe('00000001c000020104aa')
    expect(socksDatagramHeader({ host: 'fd00::1', port: 1 }).length).toBe(22)
    const payload = Uint8Array.of(0x38, 1, 2)
    const datagram = concat(header, payload)
    expect(unwrapSocksDatagram(datagram, server)).toEqual(payload)
    let accepted = 0
    for (let i = 2; i < header.length; i++) {
      for (let bit = 0; bit < 8; bit++) {
        const forged = datagram.slice()
        forged[i]! ^= 1 << bit
        if (unwrapSocksDatagram(forged, server) !== undefined) accepted++
      }
    }
    for (let length = 0; length < header.length; length++)
      if (unwrapSocksDatagram(datagram.subarray(0, length), server) !== undefined) accepted++
    expect(accepted).toBe(0)
  })
})
