/**
 * The vectors of the control channel's texts.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/index.ts'
import {
  type ControlMessage,
  emptyOptions,
  expectedOptionsString,
  IvProto,
  type IvProtoBit,
  type KeyMethodProblem,
  type Login,
  type OptionsStringInput,
  parseClientKeyMessage,
  parseControlMessage,
  parsePeerInfo,
  parseServerKeyMessage,
  type PeerAbilities,
  peerHas,
  type PeerInfo,
  pullOptions,
  type ServerKeyMessage,
  verifyAuthToken,
  writeAuthToken,
  writeClientKeyMessage,
  writeControlMessage,
  writeOptionsString,
  writePeerInfo,
  writeServerKeyMessage,
} from '../../src/control/index.ts'
import { noble } from '../../src/crypto/index.ts'

interface OptionsStringCase {
  readonly arguments: string
  readonly input: OptionsStringInput
  readonly own: string
  readonly expected: string
}

/** The cases of each file. */
interface VectorFiles {
  'options-string': OptionsStringCase
  'key-method': KeyMethodCase
  messages: { readonly text: string; readonly message: ControlMessage }
  push: PushCase
  'auth-token': TokenCase
}

function load<N extends keyof VectorFiles>(name: N, count: number): readonly VectorFiles[N][] {
  const url = new URL(`../../vectors/control/${name}.json`, import.meta.url)
  const file = JSON.parse(readFileSync(url, 'utf8')) as {
    readonly source: string
    readonly cases: readonly VectorFiles[N][]
  }
  expect(file.source.length).toBeGreaterThan(20)
  expect(file.cases.length).toBe(count)
  return file.cases
}

interface KeyMethodCase {
  readonly name: string
  readonly from: 'client' | 'server'
  readonly bytes: string
  readonly problem?: KeyMethodProblem
  readonly message?: {
    readonly preMaster?: string
    readonly random1: string
    readonly random2: string
    readonly options: string
    readonly peerInfo: string
    readonly login?: Login
    readonly loginProblem?: string
  }
}

interface TokenCase {
  readonly name: string
  readonly key: string
  readonly username: string
  readonly sessionId: string
  readonly initialTime: number
  readonly renewalTime: number
  readonly token: string
}

interface PushCase {
  readonly text: string
  readonly device: 'tun' | 'tap'
  readonly options: object
  readonly refused: readonly (readonly [string, string])[]
}

function hex(text: string): Uint8Array {
  const bytes = fromHex(text)
  if (bytes === undefined) throw new Error('not hex')
  return bytes
}

/** `value` without the entries that equal those of `base`; objects are gone through, lists are not. */
function without(value: object, base: object): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  const baseFields = new Map(Object.entries(base))
  for (const [name, field] of Object.entries(value) as [string, unknown][]) {
    const other: unknown = baseFields.get(name)
    if (JSON.stringify(field) === JSON.stringify(other)) continue
    const nested = isRecord(field) && isRecord(other)
    out[name] = nested ? without(field, other) : field
  }
  return out
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The abilities of a reference client, as far as its peer info tells them. */
function abilitiesOf(info: PeerInfo): PeerAbilities {
  const value = (name: string): string | undefined => info.values.get(name)
  return {
    proto: (Object.keys(IvProto) as IvProtoBit[]).filter((bit) => peerHas(info, bit)),
    ciphers: info.ciphers ?? [],
    version: value('IV_VER') ?? '',
    platform: value('IV_PLAT') ?? '',
    mtu: info.mtu,
    compression: value('IV_COMP_STUB') === undefined ? undefined : { lzo: false, lz4: false, stubs: true },
    tlsLibrary: value('IV_SSL')?.replaceAll('_', ' '),
    platformVersion: value('IV_PLAT_VER'),
    userVariables: new Map(value('UV_NAME') === undefined ? [] : [['UV_NAME', 'some value']]),
  }
}

describe('vectors of the control channel', () => {
  it('options strings are those of the reference', () => {
    for (const { arguments: name, input, own, expected } of load('options-string', 70)) {
      expect(writeOptionsString(input), name).toBe(own)
      expect(expectedOptionsString(input), name).toBe(expected)
    }
  })

  it('key method messages', () => {
    let written = 0
    for (const { name, from, bytes, problem, message } of load('key-method', 39)) {
      const parsed = from === 'client' ? parseClientKeyMessage(hex(bytes)) : parseServerKeyMessage(hex(bytes))
      if (typeof parsed === 'string' || message === undefined) {
        expect(parsed, name).toBe(problem)
        continue
      }
      const plain: ServerKeyMessage & { readonly preMaster?: Uint8Array } = parsed
      const { preMaster } = plain
      expect(
        {
          ...plain,
          ...(preMaster === undefined ? {} : { preMaster: toHex(preMaster) }),
          random1: toHex(plain.random1),
          random2: toHex(plain.random2),
        },
        name,
      ).toEqual({ login: undefined, loginProblem: undefined, ...message })
      const again =
        preMaster === undefined ? writeServerKeyMessage(plain) : writeClientKeyMessage({ ...plain, preMaster })
      if (toHex(again) === bytes) written++
    }
    expect(written).toBe(20)
  })

  it('peer info is written as releases 2.6 and 2.7 do', () => {
    let compared = 0
    for (const { name, from, message } of load('key-method', 39)) {
      if (!/^caught: .* of release 2\.[67]/.test(name) || from === 'server' || message === undefined) continue
      const detail = name.includes('pair') ? 'p2p' : name.includes('push-peer-info') ? 'full' : 'pull'
      expect(writePeerInfo(abilitiesOf(parsePeerInfo(message.peerInfo)), detail), name).toBe(message.peerInfo)
      compared++
    }
    expect(compared).toBe(6)
  })

  it('control messages, read and written', () => {
    for (const { text, message } of load('messages', 29)) {
      const parsed = parseControlMessage(text)
      expect(JSON.parse(JSON.stringify(parsed)), text).toEqual(message)
      expect(writeControlMessage(parsed), text).toBe(text)
    }
  })

  it('pushed options', () => {
    let refusals = 0
    for (const { text, device, options, refused } of load('push', 39)) {
      const result = pullOptions(text.split(','), { device })
      if (result.type !== 'pulled') throw new Error(text)
      expect(without(result.options, emptyOptions(device)), text).toEqual(options)
      const pairs = result.refused.map((refusal) => `${refusal.option} ${refusal.reason}`)
      expect(pairs.sort(), text).toEqual(refused.map((pair) => pair.join(' ')).sort())
      refusals += pairs.length
    }
    expect(refusals).toBeGreaterThan(30)
  })

  it('session tokens', () => {
    for (const item of load('auth-token', 9)) {
      const contents = {
        sessionId: hex(item.sessionId),
        initialTime: item.initialTime,
        renewalTime: item.renewalTime,
      }
      expect(writeAuthToken(noble, hex(item.key), item.username, contents), item.name).toBe(item.token)
      const policy = { renewalInterval: 3_600_000, lifetime: 0 }
      expect(verifyAuthToken(noble, hex(item.key), item.token, item.username, item.renewalTime, policy)).toEqual({
        type: 'valid',
        contents,
        emptyUsername: false,
      })
    }
  })
})
