/**
 * Directives out of documents: names, words, includes, blocks, and what may stand where.
 */
import { describe, expect, it } from 'vitest'
import { MAX_FINDINGS } from '../../../src/profile/problem-list.ts'
import {
  commandLineText,
  inspectProfile,
  MAX_INCLUDED_TEXT,
  parseProfile,
  ProfileError,
  type ProblemCode,
  type ProfileProblem,
} from '../../../src/profile/index.ts'

const problemsOf = (text: string, files?: ReadonlyMap<string, string>, file = 'a.ovpn'): readonly ProfileProblem[] =>
  inspectProfile(text, files, { file }).problems
const codes = (text: string, files?: ReadonlyMap<string, string>): readonly ProblemCode[] =>
  problemsOf(text, files).map(({ code }) => code)
const find = (text: string, code: ProblemCode, files?: ReadonlyMap<string, string>): ProfileProblem | undefined =>
  problemsOf(text, files).find((problem) => problem.code === code)

describe('directives', () => {
  it('PROF-9 finds unknown names and offers the nearest one', () => {
    expect(find('dev tun\nremot a\n', 'unknown-directive')).toMatchObject({
      line: 2,
      column: 1,
      directive: 'remot',
      severity: 'error',
      remedy: 'did you mean "remote"',
    })
    expect(find('scramble obfuscate x\n', 'unknown-directive')?.remedy).toContain('XOR')
    expect(find('Remote_Cert_TLS server\n', 'unknown-directive')?.remedy).toContain('"remote-cert-tls"')
  })

  it.each(['<ca', 'ca>', '< ca >', '  <ca '])('PROF-7 finds one thing wrong with a block that %j opens', (tag) => {
    const secret = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nverb 3\nnot-a-directive\n'
    const found = problemsOf(`dev tun\n${tag}\n${secret}</ca>\nremot a\n`).filter(({ line }) => line > 1)
    expect(found.map(({ code, line }) => `${line} ${code}`)).toEqual(['2 broken-tag', '7 unknown-directive'])
    expect(found[0]).toMatchObject({ directive: 'ca', severity: 'error', remedy: 'write <ca> alone on its line' })
    // Without a line that closes it, it is no block.
    expect(codes(`dev tun\n${tag}\n`)).not.toContain('broken-tag')
  })

  it('PROF-11 misses no file of a line that another one replaces', () => {
    const files = new Map([['c', '']])
    const missing = (text: string): readonly string[] =>
      inspectProfile(text, files).profile.missingFiles.map(({ path }) => path)
    expect(missing('ca gone\nca c\n')).toEqual([])
    expect(missing('ca c\nca gone\n')).toEqual(['gone'])
    expect(missing('ca gone\n<ca>\nx\n</ca>\n')).toEqual([])
    expect(missing('tls-auth gone\n<connection>\ntls-auth c\n</connection>\n')).toEqual(['gone'])
  })

  it('takes the spelling of the command line', () => {
    const text = commandLineText([
      '--dev',
      'tun',
      '--remote',
      'vpn.example.com',
      '1194',
      '--push',
      'route 10.0.0.0 255.0.0.0',
    ])
    const { profile } = inspectProfile(text)
    expect(profile.value('remote')).toEqual(['vpn.example.com', 1194, undefined])
    expect(profile.values('push')).toEqual([['route 10.0.0.0 255.0.0.0']])
    expect(commandLineText(['client.ovpn'])).toBe('config client.ovpn\n')
    expect(codes(commandLineText(['tun', '--dev', 'tun']))).toContain('unknown-directive')
  })

  it('PROF-10 counts words and reads them', () => {
    expect(find('dev tun tap\n', 'argument-count')).toMatchObject({
      directive: 'dev',
      remedy: 'after its name come: device',
    })
    expect(find('client now\n', 'argument-count')?.remedy).toBe('write it alone on its line')
    expect(find('remote a 70000\n', 'bad-argument')).toMatchObject({
      column: 10,
      remedy: 'it wants a port number from 1 to 65535',
    })
    expect(find('ping ten\n', 'bad-argument')?.severity).toBe('error')
    expect(find('verb ten\n', 'bad-argument')?.severity).toBe('warning')
    expect(find('dns server x address 1.1.1.1\n', 'bad-argument')?.remedy).toContain('-128 to 127')
  })

  it('PROF-14 lets unknown directives pass where the profile says so', () => {
    expect(find('setenv opt no-such thing\n', 'ignored')?.severity).toBe('note')
    expect(codes('setenv opt no-such thing\n')).not.toContain('unknown-directive')
    expect(codes('no-such\nignore-unknown-option no-such\n')).toContain('unknown-directive')
    expect(codes('ignore-unknown-option no-such\nno-such\n')).not.toContain('unknown-directive')
    expect(codes('setenv FORWARD_COMPATIBLE 1\nno-such\n')).not.toContain('unknown-directive')
    const { profile } = inspectProfile('setenv opt cipher AES-128-GCM\n')
    expect(profile.value('cipher')).toEqual(['AES-128-GCM'])
    expect(profile.entry('cipher')?.optional).toBe(true)
  })

  it('tells every problem at once, and counts what is beyond a thousand of a kind', () => {
    expect(codes('remot a\n"x\ndev tun tap\nverb x\n').slice(0, 2)).toHaveLength(2)
    const many = problemsOf('x 1\n'.repeat(MAX_FINDINGS + 5))
    expect(many.filter(({ code }) => code === 'unknown-directive')).toHaveLength(MAX_FINDINGS + 1)
    expect(many.some(({ message }) => message === '5 more findings of this kind are left out')).toBe(true)
  })

  it('PROF-21 throws all of them together, at the first error', () => {
    const text = 'client\ndev tun\nremote a\nbogus-one\nbogus-two\n'
    expect(() => parseProfile(text, undefined, { file: 'x.ovpn' })).toThrow(ProfileError)
    try {
      parseProfile(text, undefined, { file: 'x.ovpn' })
    } catch (error) {
      const thrown = error as ProfileError
      expect(thrown.problems.filter(({ code }) => code === 'unknown-directive')).toHaveLength(2)
      expect(thrown.location).toMatchObject({ file: 'x.ovpn', line: 4 })
      expect(thrown.line).toBe(4)
    }
  })
})

describe('files', () => {
  it('PROF-11 resolves names against the file they stand in, and against cd', () => {
    const missing = (text: string, file: string, files = new Map<string, string>()): readonly string[] =>
      inspectProfile(text, files, { file }).profile.missingFiles.map(({ path }) => path)
    expect(missing('ca keys/../ca.crt\n', 'client.ovpn')).toEqual(['ca.crt'])
    expect(missing('ca ca.crt\n', '/etc/openvpn/client.conf')).toEqual(['/etc/openvpn/ca.crt'])
    expect(missing('ca /x/ca.crt\n', '/etc/openvpn/client.conf')).toEqual(['/x/ca.crt'])
    expect(missing('ca ca.crt\ncd keys\n', '/etc/client.conf')).toEqual(['/etc/keys/ca.crt'])
    expect(missing('ca C:\\\\keys\\\\ca.crt\n', 'client.ovpn')).toEqual(['C:\\keys\\ca.crt'])
    expect(missing('config sub/more.conf\n', 'a/b.conf', new Map([['a/sub/more.conf', 'ca x.crt\n']]))).toEqual([
      'a/sub/x.crt',
    ])
    expect(missing('dh none\nauth-user-pass stdin\n', 'a')).toEqual([])
  })

  it('misses files only where files were handed over', () => {
    expect(codes('ca ca.crt\n')).not.toContain('file-missing')
    expect(find('ca ca.crt\n', 'file-missing', new Map())).toMatchObject({ severity: 'error', directive: 'ca' })
  })

  it('passes over the old marker of inline blocks', () => {
    expect(codes('ca [inline]\n<ca>\nx\n</ca>\n', new Map())).not.toContain('file-missing')
    expect(codes('ca [inline]\n', new Map())).toContain('file-missing')
  })

  it('PROF-12 follows includes, ten deep and no deeper', () => {
    const files = new Map([['more', 'verb 4\nping 7\n']])
    const { profile } = inspectProfile('config more\nverb 3\n', files)
    expect(profile.value('ping')).toEqual([7])
    expect(profile.value('verb')).toEqual([3])
    expect(profile.documents.map(({ file }) => file)).toEqual(['profile.ovpn', 'more'])
    expect(profile.entry('ping')?.place).toEqual({ file: 'more', line: 2, column: 1 })
    const chain = new Map(Array.from({ length: 12 }, (_, i) => [`f${i}`, `config f${i + 1}\n`]))
    expect(find('config f0\n', 'include-depth', chain)).toMatchObject({ file: 'f8', line: 1 })
    expect(find('config me\n', 'include-depth', new Map([['me', 'config me\n']]))).toBeDefined()
    expect(find('config gone\n', 'file-missing', new Map())).toMatchObject({ directive: 'config' })
  })

  it('PROF-12 stops where includes come to too much', () => {
    const big = `# ${'x'.repeat(MAX_INCLUDED_TEXT / 8)}\n`
    expect(find('config a\n'.repeat(20), 'include-limit', new Map([['a', big]]))).toBeDefined()
  })
})

describe('connection blocks', () => {
  it('PROF-13 hold what may stand there, once, and no blocks of their kind', () => {
    expect(find('<connection>\nremote a\nverb 3\n</connection>\n', 'connection-directive')).toMatchObject({ line: 3 })
    expect(find('<connection>\n<connection>\nremote a\n</connection>\n', 'nested-connection')).toMatchObject({
      line: 2,
    })
    expect(codes('<connection>\nremote a\n</connection>\n')).not.toContain('connection-directive')
    expect(find('<verb>\n3\n</verb>\n', 'block-not-allowed')).toMatchObject({ directive: 'verb' })
  })

  it('PROF-13 keeps nested and open blocks from going deep', () => {
    const { problems } = inspectProfile('<connection>\n'.repeat(50_000))
    expect(problems.map(({ code }) => code)).toContain('unterminated-block')
  })
})

describe('what stands where', () => {
  it('PROF-39 keeps a client’s file and a server’s configuration apart', () => {
    const own = inspectProfile('ifconfig-push 10.8.0.5 255.255.255.0\nremote a\n', undefined, { context: 'per-client' })
    expect(own.problems.map(({ directive }) => directive)).toEqual(['remote'])
    expect(codes('ifconfig-push 10.8.0.5 255.255.255.0\n')).toContain('connection-directive')
    expect(codes('push-continuation 1\n')).toContain('connection-directive')
  })
})

describe('secrets', () => {
  const SECRET = 'hunter2SECRET'
  it.each([
    `auth-token ${SECRET} and more\n`,
    `askpass ${SECRET}\n`,
    `auth-user-pass ${SECRET}\n`,
    `auth-user-pass user ${SECRET}\n`,
    `http-proxy-user-pass ${SECRET}\n`,
    `socks-proxy host 1080 ${SECRET}\n`,
    `<key>\n${SECRET}\n</key>\n`,
    `<key>\n${SECRET}\n`,
    `<tls-crypt>\n${SECRET}\n</tls-crypt>\n<ca>\n${SECRET}\n</ca>\n`,
    `${SECRET}\n</auth-user-pass>\n`,
    `MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj${SECRET}\n`,
    `-----BEGIN ${SECRET}-----\n`,
  ])('PROF-20 are in no message: %j', (text) => {
    const { problems } = inspectProfile(`client\ndev tun\nremote a\n${text}`, new Map())
    expect(problems.length).toBeGreaterThan(0)
    expect(JSON.stringify(problems)).not.toContain(SECRET)
  })

  it('PROF-20 does not take lines of a key for names', () => {
    const text = '0123456789abcdef0123456789abcdef\nfedcba9876543210fedcba9876543210\n'
    expect(JSON.stringify(problemsOf(text))).not.toContain('fedcba98')
  })
})
