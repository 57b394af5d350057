import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/bytes/index.ts'
import {
  acceptClientCipher,
  chooseServerCipher,
  chooseServerFeatures,
  cipherByName,
  clientNegotiates,
  type DataCipher,
  featuresOf,
  type IvProtoBit,
  negotiateP2p,
  P2P_FIXED_PEER_ID,
  type P2pInput,
  parseCipherList,
  parsePeerInfo,
  protoNumber,
  readProtocolFlags,
} from '../../../src/control/index.ts'

const all: readonly DataCipher[] = ['AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305', 'AES-256-CBC']
const nothing = parsePeerInfo('')

describe('cipher lists', () => {
  it('NEG-6 knows names in any case and by alias', () => {
    expect(cipherByName('aes-256-gcm')?.name).toBe('AES-256-GCM')
    expect(cipherByName('id-aes128-GCM')?.name).toBe('AES-128-GCM')
    expect(cipherByName('ChaCha20-Poly1305')?.name).toBe('CHACHA20-POLY1305')
    for (const name of ['none', '', '__proto__', 'constructor', 'AES-256-GCM ', 'id-aes129-GCM'])
      expect(cipherByName(name)).toBeUndefined()
  })

  it('NEG-7 expands DEFAULT in its place and keeps each name once', () => {
    expect(parseCipherList('AES-256-CBC:DEFAULT:AES-128-GCM', all)).toEqual([
      'AES-256-CBC',
      'AES-256-GCM',
      'AES-128-GCM',
      'CHACHA20-POLY1305',
    ])
    expect(parseCipherList('DEFAULT', ['AES-128-GCM'])).toEqual(['AES-128-GCM'])
  })

  it('NEG-8 drops optional names and refuses others', () => {
    expect(parseCipherList('?BF-CBC:?nonsense:AES-256-GCM', all)).toEqual(['AES-256-GCM'])
    for (const text of ['BF-CBC', 'nonsense', 'none', 'AES-256-GCM:none', '', 'AES-256-GCM::AES-128-GCM', '?nonsense'])
      expect(() => parseCipherList(text, all)).toThrow(ConfigError)
    const every: readonly DataCipher[] = [...all, 'AES-192-GCM', 'AES-128-CBC', 'AES-192-CBC']
    expect(every.join(':').length).toBeLessThanOrEqual(127)
    expect(parseCipherList(every.join(':'), every)).toEqual(every)
  })
})

describe('what is never negotiated', () => {
  const everything: readonly DataCipher[] = [...all, 'BF-CBC', 'DES-EDE3-CBC']

  it('NEG-26 ciphers with 64-bit blocks are no entry of a list, also where the provider has them', () => {
    for (const name of ['BF-CBC', 'DES-EDE3-CBC', 'des-ede3-cbc']) {
      expect(() => parseCipherList(`AES-256-GCM:${name}`, everything)).toThrow(/64-bit blocks .* never negotiated/)
      expect(parseCipherList(`?${name}:AES-256-GCM`, everything)).toEqual(['AES-256-GCM'])
      expect(() => parseCipherList(`?${name}`, everything)).toThrow(ConfigError)
    }
    const peerInfo = parsePeerInfo('IV_CIPHERS=DES-EDE3-CBC:BF-CBC')
    for (const fallback of ['DES-EDE3-CBC', 'BF-CBC'] as const) {
      const choice = chooseServerCipher({ ours: all, fallback, peerInfo, optionsCipher: fallback })
      expect(choice).toMatchObject({ type: 'failed', reason: 'no-shared-cipher' })
      const pushed = { ours: all, fallback: undefined, pushed: fallback, optionsCipher: fallback }
      expect(acceptClientCipher(pushed)).toMatchObject({ type: 'failed', reason: 'pushed-cipher-not-allowed' })
    }
  })

  it('NEG-27 none is used as the fallback alone, and never with a peer that has a cipher', () => {
    const fallback = 'none'
    const server = (info: string, optionsCipher?: string) =>
      chooseServerCipher({ ours: all, fallback, peerInfo: parsePeerInfo(info), optionsCipher })
    expect(server('')).toEqual({ type: 'chosen', cipher: 'none', source: 'fallback' })
    expect(server('IV_CIPHERS=none:AES-192-GCM')).toEqual({ type: 'chosen', cipher: 'none', source: 'negotiated' })
    const asked = {
      ours: all,
      fallback: undefined,
      peerInfo: parsePeerInfo('IV_CIPHERS=none'),
      optionsCipher: undefined,
    }
    expect(chooseServerCipher(asked)).toMatchObject({ type: 'failed', reason: 'no-shared-cipher' })
    expect(server('IV_CIPHERS=AES-192-GCM')).toMatchObject({ type: 'failed', reason: 'no-shared-cipher' })
    expect(server('IV_CIPHERS=AES-256-GCM:none')).toMatchObject({ cipher: 'AES-256-GCM' })
    expect(server('', 'AES-192-CBC')).toMatchObject({ type: 'failed', reason: 'no-shared-cipher' })
    const client = (pushed: string | undefined, optionsCipher?: string) =>
      acceptClientCipher({ ours: all, fallback, pushed, optionsCipher })
    expect(client('NONE')).toEqual({ type: 'chosen', cipher: 'none', source: 'pushed' })
    const unasked = acceptClientCipher({ ours: all, fallback: undefined, pushed: 'none', optionsCipher: undefined })
    expect(unasked).toMatchObject({ reason: 'pushed-cipher-not-allowed' })
    expect(client('AES-256-GCM')).toMatchObject({ cipher: 'AES-256-GCM', source: 'pushed' })
    expect(client(undefined)).toEqual({ type: 'chosen', cipher: 'none', source: 'fallback' })
    expect(client(undefined, 'AES-256-CBC')).toMatchObject({ cipher: 'AES-256-CBC', source: 'options-string' })
    expect(client(undefined, 'BF-CBC')).toMatchObject({ type: 'failed', reason: 'no-shared-cipher' })
    const pair = (info: string, optionsCipher?: string) =>
      negotiateP2p({
        role: 'client',
        ours: all,
        fallback,
        ourProto: 0,
        peerInfo: parsePeerInfo(info),
        optionsCipher,
      }).cipher
    expect(pair('')).toMatchObject({ cipher: 'none' })
    expect(pair('IV_CIPHERS=AES-192-CBC')).toMatchObject({ type: 'failed', reason: 'no-shared-cipher' })
    expect(pair('', 'AES-192-CBC')).toMatchObject({ type: 'failed' })
  })
})

describe('a server chooses', () => {
  const choose = (info: string, optionsCipher?: string, fallback?: DataCipher) =>
    chooseServerCipher({ ours: all, fallback, peerInfo: parsePeerInfo(info), optionsCipher })

  it('NEG-9 NEG-10 by its own order among what the client can do', () => {
    expect(choose('IV_CIPHERS=CHACHA20-POLY1305:AES-128-GCM')).toEqual({
      type: 'chosen',
      cipher: 'AES-128-GCM',
      source: 'negotiated',
    })
    expect(choose('IV_NCP=2')).toMatchObject({ cipher: 'AES-256-GCM', source: 'negotiated' })
    expect(choose('IV_NCP=1', 'AES-256-CBC')).toMatchObject({ cipher: 'AES-256-CBC', source: 'options-string' })
    expect(choose('', 'AES-256-CBC')).toMatchObject({ cipher: 'AES-256-CBC', source: 'options-string' })
  })

  it('NEG-10 compares names exactly', () => {
    expect(choose('IV_CIPHERS=aes-256-gcm')).toMatchObject({ type: 'failed', reason: 'no-shared-cipher' })
  })

  it('NEG-10 falls back only for a client that named nothing', () => {
    expect(choose('', undefined, 'AES-256-CBC')).toMatchObject({ cipher: 'AES-256-CBC', source: 'fallback' })
    expect(choose('')).toEqual({ type: 'failed', reason: 'peer-cipher-unknown', ours: all, peer: [] })
    expect(choose('IV_CIPHERS=BF-CBC', undefined, 'AES-256-CBC')).toEqual({
      type: 'failed',
      reason: 'no-shared-cipher',
      ours: all,
      peer: ['BF-CBC'],
    })
    expect(choose('', 'BF-CBC', 'AES-256-CBC')).toMatchObject({ reason: 'no-shared-cipher', peer: ['BF-CBC'] })
  })

  it('NEG-11 pushes to clients that negotiate', () => {
    expect(clientNegotiates(nothing)).toBe(false)
    expect(clientNegotiates(parsePeerInfo('IV_NCP=1'))).toBe(false)
    expect(clientNegotiates(parsePeerInfo('IV_NCP=2'))).toBe(true)
    expect(clientNegotiates(parsePeerInfo('IV_CIPHERS=AES-128-GCM'))).toBe(true)
  })
})

describe('a client judges', () => {
  it('NEG-12 a pushed cipher must be its own or its fallback', () => {
    const judge = (pushed: string, fallback?: DataCipher) =>
      acceptClientCipher({ ours: ['AES-256-GCM'], fallback, pushed, optionsCipher: undefined })
    expect(judge('aes-256-gcm')).toEqual({ type: 'chosen', cipher: 'AES-256-GCM', source: 'pushed' })
    expect(judge('BF-CBC', 'BF-CBC')).toMatchObject({ cipher: 'BF-CBC', source: 'pushed' })
    let accepted = 0
    for (const cipher of ['BF-CBC', 'AES-128-GCM', 'none', '', '__proto__', 'NULL', '[null-cipher]']) {
      if (judge(cipher).type === 'chosen') accepted++
      expect(judge(cipher)).toMatchObject({ reason: 'pushed-cipher-not-allowed', peer: [cipher] })
    }
    expect(accepted).toBe(0)
  })

  it('NEG-13 without one it looks at the options string, then at its fallback', () => {
    const judge = (optionsCipher?: string, fallback?: DataCipher) =>
      acceptClientCipher({ ours: all, fallback, pushed: undefined, optionsCipher })
    expect(judge('AES-256-CBC', 'BF-CBC')).toMatchObject({ cipher: 'AES-256-CBC', source: 'options-string' })
    expect(judge('AES-192-CBC', 'BF-CBC')).toMatchObject({ cipher: 'BF-CBC', source: 'fallback' })
    expect(judge(undefined, 'BF-CBC')).toMatchObject({ cipher: 'BF-CBC', source: 'fallback' })
    expect(judge('AES-192-CBC')).toMatchObject({ reason: 'no-shared-cipher', peer: ['AES-192-CBC'] })
    expect(judge()).toMatchObject({ reason: 'peer-cipher-unknown' })
  })
})

describe('a pair computes', () => {
  const everything: readonly IvProtoBit[] = [
    'dataV2',
    'tlsKeyExport',
    'ncpP2p',
    'ccExit',
    'dynamicTlsCrypt',
    'dataEpoch',
  ]
  const info = (bits: readonly IvProtoBit[], ciphers: string, id = '') =>
    parsePeerInfo(`${id}IV_CIPHERS=${ciphers}\nIV_PROTO=${protoNumber(bits)}\n`)
  const input: P2pInput = {
    role: 'server',
    ours: ['AES-128-GCM', 'AES-256-GCM'],
    fallback: undefined,
    ourProto: protoNumber(everything),
    peerInfo: info(everything, 'AES-256-GCM:AES-128-GCM'),
    optionsCipher: undefined,
  }

  it('NEG-14 the TLS server decides, and both ends find the same', () => {
    expect(negotiateP2p(input).cipher).toMatchObject({ cipher: 'AES-128-GCM' })
    const client: P2pInput = {
      ...input,
      role: 'client',
      ours: ['AES-256-GCM', 'AES-128-GCM'],
      peerInfo: info(everything, 'AES-128-GCM:AES-256-GCM'),
    }
    expect(negotiateP2p(client).cipher).toMatchObject({ cipher: 'AES-128-GCM' })
  })

  it('NEG-14 without a common cipher there is the options string, the fallback, or nothing', () => {
    const peerInfo = info(everything, 'CHACHA20-POLY1305')
    expect(negotiateP2p({ ...input, peerInfo }).cipher).toMatchObject({
      reason: 'no-shared-cipher',
      peer: ['CHACHA20-POLY1305'],
    })
    expect(negotiateP2p({ ...input, peerInfo, fallback: 'AES-256-CBC' }).cipher).toMatchObject({ source: 'fallback' })
    expect(negotiateP2p({ ...input, peerInfo: nothing, optionsCipher: 'AES-256-GCM' }).cipher).toMatchObject({
      source: 'options-string',
    })
  })

  it('NEG-15 an older peer gets DATA_V1 and the old derivation', () => {
    const old = everything.filter((bit) => bit !== 'ncpP2p')
    for (const other of [
      { ...input, peerInfo: info(old, 'AES-128-GCM') },
      { ...input, ourProto: protoNumber(old) },
    ]) {
      expect(negotiateP2p(other)).toEqual({
        cipher: { type: 'chosen', cipher: 'AES-128-GCM', source: 'negotiated' },
        peerId: { type: 'none' },
        keyDerivation: 'openvpn-prf',
        ccExit: false,
        dynamicTlsCrypt: false,
        epoch: false,
      })
    }
  })

  it('NEG-16 the peer-id is asymmetric, exported, fixed or none', () => {
    expect(negotiateP2p(input).peerId).toEqual({ type: 'exported' })
    const withId = { ...input, ourPeerId: 5, peerInfo: info(everything, 'AES-128-GCM', 'ID=7\n') }
    expect(negotiateP2p(withId).peerId).toEqual({ type: 'asymmetric', send: 7, receive: 5 })
    const noExport = info(
      everything.filter((bit) => bit !== 'tlsKeyExport'),
      'AES-128-GCM',
      'ID=7\n',
    )
    const fixed = negotiateP2p({ ...withId, peerInfo: noExport })
    expect(fixed.peerId).toEqual({ type: 'fixed', peerId: P2P_FIXED_PEER_ID })
    expect(fixed).toMatchObject({ keyDerivation: 'openvpn-prf', dynamicTlsCrypt: false, epoch: false })
    const v1 = info(
      everything.filter((bit) => bit !== 'dataV2'),
      'AES-128-GCM',
    )
    expect(negotiateP2p({ ...input, peerInfo: v1 })).toMatchObject({ peerId: { type: 'none' }, epoch: false })
  })

  it('NEG-17 epoch keys need an AEAD', () => {
    expect(negotiateP2p(input).epoch).toBe(true)
    const cbc = { ...input, ours: all, peerInfo: info(everything, 'AES-256-CBC') }
    expect(negotiateP2p(cbc)).toMatchObject({ epoch: false, keyDerivation: 'tls-ekm' })
  })
})

describe('protocol flags', () => {
  it('NEG-18 takes the known and reports the others', () => {
    expect(readProtocolFlags(['tls-ekm', 'future', 'cc-exit', 'tls-ekm', '__proto__'])).toEqual({
      known: ['tls-ekm', 'cc-exit'],
      unknown: ['future', '__proto__'],
    })
    expect(featuresOf(['cc-exit'])).toMatchObject({ keyDerivation: 'openvpn-prf', ccExit: true })
    expect(featuresOf([], 'tls-ekm').keyDerivation).toBe('tls-ekm')
  })

  const own: readonly IvProtoBit[] = ['dataV2', 'tlsKeyExport', 'ccExit', 'dynamicTlsCrypt', 'dataEpoch']
  const client = (bits: readonly IvProtoBit[]) => parsePeerInfo(`IV_PROTO=${protoNumber(bits)}`)

  it('NEG-19 pushes a flag only where both have it', () => {
    expect(chooseServerFeatures(own, client(own), true)).toEqual({
      features: { keyDerivation: 'tls-ekm', ccExit: true, dynamicTlsCrypt: true, epoch: true },
      push: ['protocol-flags cc-exit tls-ekm dyn-tls-crypt aead-epoch'],
    })
    expect(chooseServerFeatures(own, client(own), false).features.epoch).toBe(false)
    for (const bit of own) {
      const less = own.filter((other) => other !== bit)
      expect(chooseServerFeatures(own, client(less), true)).toEqual(chooseServerFeatures(less, client(own), true))
    }
    expect(chooseServerFeatures(own, client(['ccExit', 'dynamicTlsCrypt', 'dataEpoch', 'dataV2']), true).push).toEqual([
      'protocol-flags cc-exit',
    ])
    expect(chooseServerFeatures(own, nothing, true)).toEqual({ features: featuresOf([]), push: [] })
  })

  it('NEG-20 a client without protocol-flags is told of the exporter by key-derivation', () => {
    expect(chooseServerFeatures(own, client(['tlsKeyExport', 'dynamicTlsCrypt']), true)).toEqual({
      features: { keyDerivation: 'tls-ekm', ccExit: false, dynamicTlsCrypt: false, epoch: false },
      push: ['key-derivation tls-ekm'],
    })
  })
})
