import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../src/bytes/index.ts'
import {
  IvProto,
  type IvProtoBit,
  parsePeerInfo,
  type PeerAbilities,
  peerHas,
  protoNumber,
  writePeerInfo,
} from '../../../src/control/index.ts'

const bits27: readonly IvProtoBit[] = [
  'dataV2',
  'requestPush',
  'tlsKeyExport',
  'authPendingKeywords',
  'ncpP2p',
  'ccExit',
  'authFailTemp',
  'dynamicTlsCrypt',
  'dataEpoch',
  'dnsOptionV2',
  'pushUpdate',
]
const abilities: PeerAbilities = {
  proto: bits27,
  ciphers: ['AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305'],
  version: '2.7.0',
  platform: 'linux',
  mtu: 1600,
  compression: { lzo: false, lz4: false, stubs: true },
  sso: ['openurl', 'webauth', 'crtext'],
  guiVersion: 'host_1.0',
  hardwareAddress: '00:11:22:33:44:55',
  tlsLibrary: 'ours',
  platformVersion: '6.1',
  userVariables: new Map([['UV_NAME', 'x']]),
}

describe('peer info, written', () => {
  it('NEG-1 NEG-2 says what a current pulling client says', () => {
    expect(writePeerInfo(abilities, 'pull').split('\n')).toEqual([
      'IV_VER=2.7.0',
      'IV_PLAT=linux',
      'IV_TCPNL=1',
      'IV_MTU=1600',
      'IV_NCP=2',
      'IV_CIPHERS=AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305',
      'IV_PROTO=8094',
      'IV_LZO_STUB=1',
      'IV_COMP_STUB=1',
      'IV_COMP_STUBv2=1',
      'IV_GUI_VER=host_1.0',
      'IV_SSO=openurl,webauth,crtext',
      '',
    ])
  })

  it('NEG-2 a pair leaves out what only a pulling client can mean', () => {
    const lines = writePeerInfo(abilities, 'p2p')
    const value = 8094 - 4 - 16 - 256 + 32
    expect(lines).toBe(`IV_CIPHERS=AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305\nIV_PROTO=${value}\n`)
  })

  it('NEG-2 a server tells nothing but an asymmetric peer-id', () => {
    expect(writePeerInfo(abilities, 'none')).toBe('')
    expect(writePeerInfo({ ...abilities, peerId: 0x1a2b3c }, 'none')).toBe('ID=1a2b3c\n')
  })

  it('NEG-2 the rest is told only with push-peer-info', () => {
    const full = writePeerInfo(abilities, 'full')
    for (const line of ['IV_HWADDR=00:11:22:33:44:55', 'IV_SSL=ours', 'IV_PLAT_VER=6.1', 'UV_NAME=x']) {
      expect(full).toContain(`${line}\n`)
      expect(writePeerInfo(abilities, 'pull')).not.toContain(line)
    }
  })

  it('NEG-2 each bit is there exactly when its ability is', () => {
    for (const bit of bits27) {
      const proto = /IV_PROTO=([0-9]+)/
      const only = Number(proto.exec(writePeerInfo({ ...abilities, proto: [bit] }, 'pull'))?.[1])
      expect(only).toBe(bit === 'ncpP2p' ? 0 : IvProto[bit])
    }
    expect(protoNumber(['dataV2', 'requestPush'])).toBe(6)
  })

  it('NEG-3 IV_NCP needs both AES-GCM sizes', () => {
    expect(writePeerInfo({ ...abilities, ciphers: ['AES-256-GCM'] }, 'pull')).not.toContain('IV_NCP')
    expect(writePeerInfo({ ...abilities, ciphers: ['AES-128-GCM', 'AES-256-GCM'] }, 'pull')).toContain('IV_NCP=2')
  })

  it('tells all compression abilities', () => {
    const lines = writePeerInfo({ ...abilities, compression: { lzo: true, lz4: true, stubs: true } }, 'pull')
    for (const name of ['IV_LZ4', 'IV_LZ4v2', 'IV_LZO', 'IV_COMP_STUB', 'IV_COMP_STUBv2'])
      expect(lines).toContain(`${name}=1\n`)
    expect(lines).not.toContain('IV_LZO_STUB')
    expect(writePeerInfo({ ...abilities, compression: undefined }, 'pull')).not.toMatch(/IV_L|IV_COMP/)
  })

  it('refuses values that would make other lines', () => {
    expect(() => writePeerInfo({ ...abilities, version: '2.7\nIV_X=1' }, 'pull')).toThrow(UsageError)
    expect(() => writePeerInfo({ ...abilities, userVariables: new Map([['IV_VER', 'x']]) }, 'full')).toThrow(UsageError)
    expect(() => writePeerInfo({ ...abilities, userVariables: new Map([['UV_A=B', 'x']]) }, 'full')).toThrow(UsageError)
  })
})

describe('peer info, read', () => {
  it('reads what it writes', () => {
    const info = parsePeerInfo(writePeerInfo({ ...abilities, peerId: 0xabcdef }, 'full'))
    expect(info).toMatchObject({ proto: 8094, ncp: 2, mtu: 1600, peerId: 0xabcdef, dropped: 0 })
    expect(info.ciphers).toEqual(abilities.ciphers)
    expect(peerHas(info, 'pushUpdate')).toBe(true)
    expect(peerHas(info, 'ncpP2p')).toBe(false)
    expect(info.values.get('UV_NAME')).toBe('x')
  })

  it('NEG-4 drops malformed lines, keeps the first of a name, and counts', () => {
    const info = parsePeerInfo('IV_VER=1\nIV_VER=2\nno equals\n=x\nIV-BAD=1\nIV_PROTO=x\n\nUV_OK=1\n')
    expect([...info.values]).toEqual([
      ['IV_VER', '1'],
      ['IV_PROTO', 'x'],
      ['UV_OK', '1'],
    ])
    expect(info.dropped).toBe(4)
    expect(info.proto).toBe(0)
  })

  it('NEG-4 caps names and size', () => {
    const many = Array.from({ length: 100 }, (_, i) => `K${i}=${i}`).join('\n')
    expect(parsePeerInfo(many).values.size).toBe(64)
    expect(parsePeerInfo(many).dropped).toBe(36)
    const long = parsePeerInfo(`IV_VER=${'x'.repeat(65_536)}`)
    expect(long.values.get('IV_VER')?.length).toBe(2048 - 7)
    expect(long.dropped).toBe(1)
  })

  it('NEG-5 makes values harmless', () => {
    expect(parsePeerInfo('UV_A=$(reboot)`x` é\u0007 ok').values.get('UV_A')).toBe('__reboot)_x_____ok')
  })

  it.each(['-1', '1e9', '0x10', ' 2', '99999999999', ''])('reads IV_PROTO=%s as nothing', (text) => {
    expect(parsePeerInfo(`IV_PROTO=${text}`).proto).toBe(0)
  })

  it.each(['', 'g', '1000000', '-1', '0x1'])('reads ID=%s as nothing', (text) => {
    expect(parsePeerInfo(`ID=${text}`).peerId).toBeUndefined()
  })
})
