/**
 * The primitives, side by side.
 *
 * - Packet ciphers: each provider's in-place seal and open against the bare call beneath it (what one would write with that
 *   library for one packet), and the portable ones against the documented call of @noble/ciphers.
 * - Steadiness: two keys and mixed sizes against the same sizes one after another, because compiled code can fall off a
 *   cliff when sizes change; and bytes allocated per packet.
 * - Handshakes: each provider's public-key operations, and node:crypto's own beside them.
 *
 * Ratios are throughput: 1 is as fast as the yardstick, 2 twice as fast.
 */
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto'
import { gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import {
  type Aead,
  type AeadAlgorithm,
  type CryptoProvider,
  noble,
  type SignatureAlgorithm,
} from '../src/crypto/index.ts'
import { nodeCrypto } from '../src/node/crypto/index.ts'
import { SeededRandom } from '../test/support/random.ts'
import { fixedKey, providers } from '../test/unit/crypto/providers.ts'
import { interleave, round2 } from './crypto-interleave.ts'

const SIZES = [64, 512, 1400] as const
const AAD_LENGTH = 8
const TAG_OFFSET = 8
const OFFSET = 24

type Figures = Record<string, number>

const random = new SeededRandom('bench')
const key = random.bytes(32)
const nonce = random.bytes(12)
const aad = random.bytes(AAD_LENGTH)

/** One packet sealed by node:crypto as its documentation has it. */
function bareNodeSeal(name: string, length: number): () => void {
  const object = createSecretKey(key)
  const data = random.bytes(length)
  return () => {
    const cipher = createCipheriv(name as 'aes-128-ccm', object, nonce, { authTagLength: 16 })
    cipher.setAAD(aad, { plaintextLength: length })
    cipher.update(data)
    cipher.final()
    cipher.getAuthTag()
  }
}

function bareNodeOpen(name: string, length: number): () => void {
  const object = createSecretKey(key)
  const cipher = createCipheriv(name as 'aes-128-ccm', object, nonce, { authTagLength: 16 })
  cipher.setAAD(aad, { plaintextLength: length })
  const sealed = cipher.update(random.bytes(length))
  cipher.final()
  const tag = cipher.getAuthTag()
  const buffer = random.bytes(length)
  return () => {
    buffer.set(sealed)
    const decipher = createDecipheriv(name as 'aes-128-ccm', object, nonce, { authTagLength: 16 })
    decipher.setAAD(aad, { plaintextLength: length })
    decipher.setAuthTag(tag)
    decipher.update(buffer)
    decipher.final()
  }
}

function sealing(aead: Aead, length: number): () => void {
  const buffer = random.bytes(OFFSET + length)
  return () => {
    aead.seal(buffer, 0, AAD_LENGTH, OFFSET, length, TAG_OFFSET, nonce)
  }
}

/** Opening needs a sealed packet each time: here and in the bare call the sealed bytes are put back first. */
function opening(aead: Aead, length: number): () => void {
  const sealed = random.bytes(OFFSET + length)
  aead.seal(sealed, 0, AAD_LENGTH, OFFSET, length, TAG_OFFSET, nonce)
  const buffer = sealed.slice()
  return () => {
    buffer.set(sealed)
    if (!aead.open(buffer, 0, AAD_LENGTH, OFFSET, length, TAG_OFFSET, nonce))
      throw new Error('a good packet was refused')
  }
}

function packetCiphers(native: CryptoProvider | undefined): Record<string, Figures> {
  const out: Record<string, Figures> = {}
  for (const [algorithm, name, documented] of [
    ['AES-256-GCM', 'aes-256-gcm', gcm],
    ['CHACHA20-POLY1305', 'chacha20-poly1305', chacha20poly1305],
  ] as const) {
    for (const length of SIZES) {
      const data = random.bytes(length)
      const sealed = documented(key, nonce, aad).encrypt(data)
      const ns = interleave({
        documentedSeal: () => documented(key, nonce, aad).encrypt(data),
        documentedOpen: () => documented(key, nonce, aad).decrypt(sealed),
        portableSeal: sealing(noble.createAead(algorithm, key), length),
        portableOpen: opening(noble.createAead(algorithm, key), length),
        bareNodeSeal: bareNodeSeal(name, length),
        bareNodeOpen: bareNodeOpen(name, length),
        nodeSeal: sealing(nodeCrypto.createAead(algorithm, key), length),
        nodeOpen: opening(nodeCrypto.createAead(algorithm, key), length),
        nativeSeal: native === undefined ? () => undefined : sealing(native.createAead(algorithm, key), length),
        nativeOpen: native === undefined ? () => undefined : opening(native.createAead(algorithm, key), length),
      })
      const figures: Figures = {
        portableSealNs: Math.round(ns.portableSeal),
        portableSealToDocumented: round2(ns.documentedSeal / ns.portableSeal),
        portableOpenToDocumented: round2(ns.documentedOpen / ns.portableOpen),
        nodeSealNs: Math.round(ns.nodeSeal),
        nodeSealToBare: round2(ns.bareNodeSeal / ns.nodeSeal),
        nodeOpenToBare: round2(ns.bareNodeOpen / ns.nodeOpen),
      }
      if (native !== undefined) {
        figures['nativeSealNs'] = Math.round(ns.nativeSeal)
        figures['nativeSealToBareNode'] = round2(ns.bareNodeSeal / ns.nativeSeal)
        figures['nativeOpenToBareNode'] = round2(ns.bareNodeOpen / ns.nativeOpen)
      }
      out[`${algorithm} ${length}`] = figures
    }
  }
  return out
}

/** Mixed sizes on two keys against the same packets size by size, as throughput; and bytes allocated per packet. */
function steadiness(): Record<string, Figures> {
  const out: Record<string, Figures> = {}
  const sizes = [1400, 64, 1401, 40, 512, 1399, 100, 17, 1024, 700]
  for (const algorithm of ['AES-256-GCM', 'CHACHA20-POLY1305'] as const satisfies AeadAlgorithm[]) {
    const keys = [noble.createAead(algorithm, key), noble.createAead(algorithm, random.bytes(32))] as const
    const single = interleave(
      Object.fromEntries(sizes.map((size) => [String(size), sealing(noble.createAead(algorithm, key), size)])),
    )
    const buffer = random.bytes(1500)
    const { mixed } = interleave({
      mixed: () => {
        for (let i = 0; i < sizes.length; i++) {
          keys[i & 1]?.seal(buffer, 0, AAD_LENGTH, OFFSET, sizes[i] ?? 0, TAG_OFFSET, nonce)
        }
      },
    })
    const sum = Object.values(single).reduce((total, value) => total + value, 0)
    out[algorithm] = { mixedToSingle: round2(sum / mixed), allocatedBytesPerPacket: allocated(keys[0], buffer) }
  }
  return out
}

function allocated(aead: Aead, buffer: Uint8Array): number {
  const packets = 20_000
  const smallest = Array.from({ length: 5 }, () => {
    globalThis.gc?.()
    const before = process.memoryUsage()
    for (let i = 0; i < packets; i++) {
      aead.seal(buffer, 0, AAD_LENGTH, OFFSET, 1400, TAG_OFFSET, nonce)
      aead.open(buffer, 0, AAD_LENGTH, OFFSET, 1400, TAG_OFFSET, nonce)
    }
    const after = process.memoryUsage()
    return (after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers) / (2 * packets)
  })
  return round2(Math.max(0, Math.min(...smallest)))
}

/** Public-key operations in milliseconds of CPU. */
function handshakes(): Record<string, Figures> {
  const out: Record<string, Figures> = {}
  const message = random.bytes(130)
  const rows: [string, (crypto: CryptoProvider) => () => void][] = [
    ...(['x25519', 'secp256r1', 'X25519MLKEM768'] as const).map(
      (group): [string, (c: CryptoProvider) => () => void] => [
        `${group} share and agreement`,
        (crypto) => {
          const peer = crypto.createKeyShare(group, random.source)
          return () => crypto.respondKeyShare(group, peer.share, random.source)
        },
      ],
    ),
    ...SIGNATURES.flatMap(({ title, name, algorithm }): [string, (c: CryptoProvider) => () => void][] => [
      [`${title} sign`, (crypto) => () => crypto.sign(algorithm, fixedKey(name), message, random.source)],
      [
        `${title} verify`,
        (crypto) => {
          const signature = crypto.sign(algorithm, fixedKey(name), message, random.source)
          return () => crypto.verify(algorithm, fixedKey(name).public, message, signature)
        },
      ],
    ]),
  ]
  for (const [title, make] of rows) {
    const ns = interleave({ portable: make(noble), node: make(nodeCrypto) }, 5, 20)
    out[title] = {
      portableMs: round2(ns.portable / 1e6),
      nodeMs: Math.round(ns.node / 1e3) / 1e3,
      nodeToPortable: round2(ns.portable / ns.node),
    }
  }
  return out
}

const SIGNATURES: readonly { title: string; name: string; algorithm: SignatureAlgorithm }[] = [
  { title: 'ECDSA P-256', name: 'P-256', algorithm: { type: 'ecdsa', hash: 'SHA256' } },
  { title: 'ECDSA P-384', name: 'P-384', algorithm: { type: 'ecdsa', hash: 'SHA384' } },
  { title: 'Ed25519', name: 'ed25519', algorithm: { type: 'ed25519' } },
  { title: 'RSA-2048 PSS', name: 'rsa-2048', algorithm: { type: 'rsa-pss', hash: 'SHA256', saltLength: 32 } },
]

/** What {@link runCryptoBench} found; each table maps a row to its figures. */
export interface CryptoBench {
  readonly native: boolean
  readonly packetCiphers: Record<string, Figures>
  readonly steadiness: Record<string, Figures>
  readonly handshakes: Record<string, Figures>
}

/** Measures the primitives and prints a line for each row. */
export function runCryptoBench(): CryptoBench {
  const native = providers.find((crypto) => crypto.name === 'native')
  const tables = { packetCiphers: packetCiphers(native), steadiness: steadiness(), handshakes: handshakes() }
  for (const [title, table] of Object.entries(tables)) {
    console.log(title)
    for (const [row, figures] of Object.entries(table)) {
      const text = Object.entries(figures).map(([name, value]) => `${name} ${value}`)
      console.log(`  ${row}: ${text.join(', ')}`)
    }
  }
  if (native === undefined) console.log('the native provider was left out: koffi is not installed')
  return { native: native !== undefined, ...tables }
}
