/**
 * What the channel leaves of a provider's own speed, and what libcrypto's does from C.
 *
 * For AEAD the bare call is the provider's `seal` and `open`; for CBC with HMAC it is a fresh IV, encryption and MAC, one
 * after the other, as a packet needs them. Channel and bare call work on rings of buffers of their own, in turns. Two
 * tunnels at once with mixed sizes must cost no more than the same sizes one after another. The C loop is a small program
 * that keeps its context and per packet sets nonce, additional data and tag; it is compiled on the spot where there is a
 * compiler.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AEAD_KEY_LENGTH, type AeadAlgorithm, type CryptoProvider } from '../src/crypto/index.ts'
import { providers } from '../test/unit/crypto/providers.ts'
import { benchKeys, compare, ends, type Ends, OFFSET, print, ROOM, round, SIZES, type Work } from './data-measure.ts'

const TARGET_RATIO = 0.95
const SLOTS = 256
const HEADER = 24
const AEADS = ['AES-256-GCM', 'CHACHA20-POLY1305'] as const
const MIXED = [40, 64, 1400, 576, 1400, 52, 1300, 16, 700, 1400] as const

type Works = Record<'bare seal' | 'seal' | 'bare both' | 'both', Work>

const at = (i: number): number => (i % SLOTS) * ROOM + OFFSET

function channelWorks({ client, server }: Ends, arena: Uint8Array): Pick<Works, 'seal' | 'both'> {
  return {
    seal: (count, size) => {
      for (let i = 0; i < count; i++) client.seal(arena, at(i), size)
    },
    both: (count, size) => {
      for (let i = 0; i < count; i++) {
        const length = client.seal(arena, at(i), size)
        if (server.open(arena, client.resultOffset, length, i) !== size) throw new Error('open failed')
      }
    },
  }
}

/** Two keys, as a tunnel has: what one end seals with, the other opens with, each holding its own tables. */
function aeadWorks(crypto: CryptoProvider, cipher: AeadAlgorithm): Works {
  const key = new Uint8Array(AEAD_KEY_LENGTH[cipher]).fill(9)
  const sealer = crypto.createAead(cipher, key)
  const opener = crypto.createAead(cipher, key)
  const nonce = new Uint8Array(12)
  const arena = new Uint8Array(SLOTS * ROOM)
  let id = 0
  const seal = (offset: number, size: number): void => {
    id++
    nonce[0] = id >>> 24
    nonce[1] = id >>> 16
    nonce[2] = id >>> 8
    nonce[3] = id
    sealer.seal(arena, offset - HEADER, 8, offset, size, offset - 16, nonce)
  }
  return {
    'bare seal': (count, size) => {
      for (let i = 0; i < count; i++) seal(at(i), size)
    },
    'bare both': (count, size) => {
      for (let i = 0; i < count; i++) {
        seal(at(i), size)
        if (!opener.open(arena, at(i) - HEADER, 8, at(i), size, at(i) - 16, nonce)) throw new Error('bare open failed')
      }
    },
    ...channelWorks(ends(crypto, cipher), arena),
  }
}

const CBC = { cipher: 'AES-256-CBC', auth: 'SHA256' } as const
const BLOCK = 16
const MAC = 32

/** Id, payload and padding are one run of blocks behind the IV; the MAC covers both. */
function cbcWorks(crypto: CryptoProvider): Works {
  const { client: keys } = benchKeys()
  const cbc = crypto.createCbc(CBC.cipher, keys.send.cipher.subarray(0, 32))
  const opening = crypto.createCbc(CBC.cipher, keys.send.cipher.subarray(0, 32))
  if (cbc === undefined || opening === undefined) throw new Error('no CBC')
  const mac = crypto.createHmac(CBC.auth, keys.send.hmac.subarray(0, MAC))
  const check = crypto.createHmac(CBC.auth, keys.send.hmac.subarray(0, MAC))
  const sum = new Uint8Array(MAC)
  const arena = new Uint8Array(SLOTS * ROOM)
  const run = (size: number): number => size + 4 + BLOCK - ((size + 4) % BLOCK)
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
  let ivs: Uint8Array = new Uint8Array(0)
  let nextIv = 0
  const seal = (offset: number, size: number): void => {
    const body = offset - 4
    if (nextIv === ivs.length) {
      ivs = random(64 * BLOCK)
      nextIv = 0
    }
    for (let i = 0; i < BLOCK; i++) arena[body - BLOCK + i] = ivs[nextIv++] as number
    cbc.encrypt(arena, body, run(size), arena, body - BLOCK)
    mac.update(arena, body - BLOCK, body + run(size)).finishInto(arena, body - BLOCK - MAC)
  }
  return {
    'bare seal': (count, size) => {
      for (let i = 0; i < count; i++) seal(at(i), size)
    },
    'bare both': (count, size) => {
      for (let i = 0; i < count; i++) {
        seal(at(i), size)
        const body = at(i) - 4
        check.update(arena, body - BLOCK, body + run(size)).finishInto(sum, 0)
        opening.decrypt(arena, body, run(size), arena, body - BLOCK)
      }
    },
    ...channelWorks(ends(crypto, CBC.cipher, false, {}, { auth: CBC.auth, random }), arena),
  }
}

function ladder(): unknown[] {
  const rows: unknown[] = []
  print(['provider and cipher', 'size', 'bare ns', 'channel ns', 'seal ratio', 'seal+open ratio'])
  for (const crypto of providers) {
    for (const cipher of [...AEADS, CBC.cipher]) {
      const works = cipher === CBC.cipher ? cbcWorks(crypto) : aeadWorks(crypto, cipher)
      for (const size of SIZES) {
        const time = compare(works, size, 4000, 11)
        const seal = round(time['bare seal'] / time.seal, 3)
        const both = round(time['bare both'] / time.both, 3)
        const name = `${crypto.name} ${cipher}${cipher === CBC.cipher ? `+${CBC.auth}` : ''}`
        print([name, size, round(time['bare seal'], 0), round(time.seal, 0), seal, both])
        rows.push({
          name,
          size,
          seal,
          sealAndOpen: both,
          target: TARGET_RATIO,
          met: Math.min(seal, both) >= TARGET_RATIO,
        })
      }
    }
  }
  return rows
}

/** Two tunnels with mixed sizes against the same sizes one after another in one tunnel, as throughput. */
function mixed(): unknown[] {
  const rows: unknown[] = []
  print(['two tunnels, mixed sizes', 'to one, sorted'])
  for (const crypto of providers) {
    for (const cipher of AEADS) {
      const arena = new Uint8Array(SLOTS * ROOM)
      const single = channelWorks(ends(crypto, cipher), arena).both
      const pair = [
        channelWorks(ends(crypto, cipher), arena).both,
        channelWorks(ends(crypto, cipher), arena).both,
      ] as const
      const time = compare(
        {
          sorted: (count) => {
            for (const size of MIXED) single(count / MIXED.length, size)
          },
          mixed: (count) => {
            for (let i = 0; i < count; i++) pair[i & 1]?.(1, MIXED[i % MIXED.length] ?? 0)
          },
        },
        0,
        4000,
        11,
      )
      const ratio = round(time.sorted / time.mixed, 3)
      print([`${crypto.name} ${cipher}`, ratio])
      rows.push({ name: `${crypto.name} ${cipher}`, ratio })
    }
  }
  return rows
}

/** ns per packet of the C loop: cipher, then size, then sealing and opening. */
function cLoop(): Record<string, readonly [number, number]> | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'ovpn-bench-'))
  try {
    const program = join(folder, 'evp')
    const source = fileURLToPath(new URL('evp-packet.c', import.meta.url))
    execFileSync('cc', ['-O2', '-o', program, source, '-lcrypto'], { stdio: 'pipe' })
    return JSON.parse(execFileSync(program, SIZES.map(String), { encoding: 'utf8' })) as Record<
      string,
      [number, number]
    >
  } catch {
    return undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function beside(): unknown[] {
  const rows: unknown[] = []
  const natives = providers.filter(({ name }) => name !== 'noble')
  const c = cLoop()
  if (c === undefined) console.log('no C compiler or no headers of libcrypto: the C loop is left out')
  print(['times the C loop', 'size', 'C seal ns', ...natives.flatMap(({ name }) => [`${name} seal`, `${name} both`])])
  for (const cipher of AEADS) {
    for (const size of SIZES) {
      const [sealed, opened] = c?.[`${cipher} ${size}`] ?? [NaN, NaN]
      const times = natives.flatMap((crypto) => {
        const works = aeadWorks(crypto, cipher)
        const time = compare({ seal: works['bare seal'], both: works['bare both'] }, size, 4000, 11)
        return [round(time.seal / sealed, 2), round(time.both / (sealed + opened), 2)]
      })
      print([cipher, size, round(sealed, 0), ...times])
      rows.push({ cipher, size, seal: sealed, open: opened, times })
    }
  }
  return rows
}

/** Runs all of it, prints tables, and returns the figures. */
export function measureProviders(): {
  readonly providers: unknown
  readonly mixedProviders: unknown
  readonly besideC: unknown
} {
  return { providers: ladder(), mixedProviders: mixed(), besideC: beside() }
}
