/**
 * AES (FIPS 197) on 32-bit words: key expansion, and one block forwards and backwards.
 *
 * Each round is sixteen look-ups in four tables that hold the S-box and the column mixing together. The rounds are
 * written out: with the round keys at constant indices the compiled code is twice as fast as a loop. The tables are
 * constants of a function that runs once, so that the compiler can build their addresses and lengths into the code;
 * as module constants they would be, too, until a bundler turns those into variables and costs it 40 %. A block is four
 * big-endian words in an `Int32Array`, in and out.
 *
 * Table look-ups take time that depends on cached lines and so, in principle, on key and data. spec/crypto.md says so;
 * where that matters, CHACHA20-POLY1305 has no tables.
 */
/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index is masked or within the key schedule */
import { UsageError } from '../bytes/index.ts'

/** The cipher's functions. */
interface AesFunctions {
  /** The round keys of a key of 16, 24 or 32 bytes: 44, 52 or 60 words. @throws UsageError for other lengths. */
  readonly expandAesKey: (key: Uint8Array) => Int32Array
  /** The round keys for `decryptAesBlock` from those of `expandAesKey`. */
  readonly invertAesKey: (w: Int32Array) => Int32Array
  /** Encrypts the four words of `state` in place under the round keys `w`. CRY-26 */
  readonly encryptAesBlock: (w: Int32Array, state: Int32Array) => void
  /** Decrypts the four words of `state` in place under the inverted round keys `w`. CRY-26 */
  readonly decryptAesBlock: (w: Int32Array, state: Int32Array) => void
}

/** Multiplication by x in GF(2^8). */
function double(value: number): number {
  return ((value << 1) ^ ((value >> 7) * 0x11b)) & 255
}

function rotateRight8(word: number): number {
  return (word >>> 8) | (word << 24)
}

function createAes(): AesFunctions {
  /** S-box and its inverse. */
  const SBOX = new Uint8Array(256)
  const INVERSE_SBOX = new Uint8Array(256)
  /** Forward tables: the S-box times the columns of MixColumns, one per byte of a word. */
  const T0 = new Int32Array(256)
  const T1 = new Int32Array(256)
  const T2 = new Int32Array(256)
  const T3 = new Int32Array(256)
  /** Backward tables: the inverse S-box times the columns of InvMixColumns. */
  const D0 = new Int32Array(256)
  const D1 = new Int32Array(256)
  const D2 = new Int32Array(256)
  const D3 = new Int32Array(256)

  // 3 generates the multiplicative group: `power` runs through it and `inverse` through the inverses (3^-1 = 0xf6)
  let power = 1
  let inverse = 1
  for (let i = 0; i < 255; i++) {
    let box = inverse ^ 0x63
    for (let turn = 1; turn < 5; turn++) box ^= ((inverse << turn) | (inverse >> (8 - turn))) & 255
    SBOX[power] = box
    power ^= double(power)
    // times 0xf6 = x^7 + x^6 + x^5 + x^4 + x^2 + x
    const x1 = double(inverse)
    const x2 = double(x1)
    const x4 = double(double(x2))
    const x5 = double(x4)
    const x6 = double(x5)
    inverse = x1 ^ x2 ^ x4 ^ x5 ^ x6 ^ double(x6)
  }
  SBOX[0] = 0x63
  for (let i = 0; i < 256; i++) {
    const s = SBOX[i]!
    INVERSE_SBOX[s] = i
    let word = (double(s) << 24) | (s << 16) | (s << 8) | (double(s) ^ s)
    for (const table of [T0, T1, T2, T3]) {
      table[i] = word
      word = rotateRight8(word)
    }
  }
  for (let i = 0; i < 256; i++) {
    const s = INVERSE_SBOX[i]!
    const s2 = double(s)
    const s4 = double(s2)
    const s8 = double(s4)
    let word = ((s8 ^ s4 ^ s2) << 24) | ((s8 ^ s) << 16) | ((s8 ^ s4 ^ s) << 8) | (s8 ^ s2 ^ s)
    for (const table of [D0, D1, D2, D3]) {
      table[i] = word
      word = rotateRight8(word)
    }
  }

  function substitute(word: number): number {
    return (
      (SBOX[word >>> 24]! << 24) |
      (SBOX[(word >>> 16) & 255]! << 16) |
      (SBOX[(word >>> 8) & 255]! << 8) |
      SBOX[word & 255]!
    )
  }

  function expandAesKey(key: Uint8Array): Int32Array {
    const words = key.length / 4
    if (words !== 4 && words !== 6 && words !== 8) throw new UsageError('an AES key has 16, 24 or 32 bytes')
    const w = new Int32Array(4 * (words + 7))
    for (let i = 0; i < words; i++) {
      w[i] = (key[4 * i]! << 24) | (key[4 * i + 1]! << 16) | (key[4 * i + 2]! << 8) | key[4 * i + 3]!
    }
    let constant = 1
    for (let i = words; i < w.length; i++) {
      let word = w[i - 1]!
      if (i % words === 0) {
        word = substitute((word << 8) | (word >>> 24)) ^ (constant << 24)
        constant = double(constant)
      } else if (words === 8 && i % words === 4) {
        word = substitute(word)
      }
      w[i] = w[i - words]! ^ word
    }
    return w
  }

  function invertAesKey(w: Int32Array): Int32Array {
    const out = new Int32Array(w.length)
    for (let i = 0; i < w.length; i++) {
      const word = w[w.length - 4 - (i & ~3) + (i & 3)]!
      const inner = i >= 4 && i < w.length - 4
      out[i] = inner
        ? D0[SBOX[word >>> 24]!]! ^
          D1[SBOX[(word >>> 16) & 255]!]! ^
          D2[SBOX[(word >>> 8) & 255]!]! ^
          D3[SBOX[word & 255]!]!
        : word
    }
    return out
  }

  function encryptAesBlock(w: Int32Array, state: Int32Array): void {
    const last = w.length - 4
    let s0 = state[0]! ^ w[0]!
    let s1 = state[1]! ^ w[1]!
    let s2 = state[2]! ^ w[2]!
    let s3 = state[3]! ^ w[3]!
    let t0 = T0[s0 >>> 24]! ^ T1[(s1 >>> 16) & 255]! ^ T2[(s2 >>> 8) & 255]! ^ T3[s3 & 255]! ^ w[4]!
    let t1 = T0[s1 >>> 24]! ^ T1[(s2 >>> 16) & 255]! ^ T2[(s3 >>> 8) & 255]! ^ T3[s0 & 255]! ^ w[5]!
    let t2 = T0[s2 >>> 24]! ^ T1[(s3 >>> 16) & 255]! ^ T2[(s0 >>> 8) & 255]! ^ T3[s1 & 255]! ^ w[6]!
    let t3 = T0[s3 >>> 24]! ^ T1[(s0 >>> 16) & 255]! ^ T2[(s1 >>> 8) & 255]! ^ T3[s2 & 255]! ^ w[7]!
    s0 = T0[t0 >>> 24]! ^ T1[(t1 >>> 16) & 255]! ^ T2[(t2 >>> 8) & 255]! ^ T3[t3 & 255]! ^ w[8]!
    s1 = T0[t1 >>> 24]! ^ T1[(t2 >>> 16) & 255]! ^ T2[(t3 >>> 8) & 255]! ^ T3[t0 & 255]! ^ w[9]!
    s2 = T0[t2 >>> 24]! ^ T1[(t3 >>> 16) & 255]! ^ T2[(t0 >>> 8) & 255]! ^ T3[t1 & 255]! ^ w[10]!
    s3 = T0[t3 >>> 24]! ^ T1[(t0 >>> 16) & 255]! ^ T2[(t1 >>> 8) & 255]! ^ T3[t2 & 255]! ^ w[11]!
    t0 = T0[s0 >>> 24]! ^ T1[(s1 >>> 16) & 255]! ^ T2[(s2 >>> 8) & 255]! ^ T3[s3 & 255]! ^ w[12]!
    t1 = T0[s1 >>> 24]! ^ T1[(s2 >>> 16) & 255]! ^ T2[(s3 >>> 8) & 255]! ^ T3[s0 & 255]! ^ w[13]!
    t2 = T0[s2 >>> 24]! ^ T1[(s3 >>> 16) & 255]! ^ T2[(s0 >>> 8) & 255]! ^ T3[s1 & 255]! ^ w[14]!
    t3 = T0[s3 >>> 24]! ^ T1[(s0 >>> 16) & 255]! ^ T2[(s1 >>> 8) & 255]! ^ T3[s2 & 255]! ^ w[15]!
    s0 = T0[t0 >>> 24]! ^ T1[(t1 >>> 16) & 255]! ^ T2[(t2 >>> 8) & 255]! ^ T3[t3 & 255]! ^ w[16]!
    s1 = T0[t1 >>> 24]! ^ T1[(t2 >>> 16) & 255]! ^ T2[(t3 >>> 8) & 255]! ^ T3[t0 & 255]! ^ w[17]!
    s2 = T0[t2 >>> 24]! ^ T1[(t3 >>> 16) & 255]! ^ T2[(t0 >>> 8) & 255]! ^ T3[t1 & 255]! ^ w[18]!
    s3 = T0[t3 >>> 24]! ^ T1[(t0 >>> 16) & 255]! ^ T2[(t1 >>> 8) & 255]! ^ T3[t2 & 255]! ^ w[19]!
    t0 = T0[s0 >>> 24]! ^ T1[(s1 >>> 16) & 255]! ^ T2[(s2 >>> 8) & 255]! ^ T3[s3 & 255]! ^ w[20]!
    t1 = T0[s1 >>> 24]! ^ T1[(s2 >>> 16) & 255]! ^ T2[(s3 >>> 8) & 255]! ^ T3[s0 & 255]! ^ w[21]!
    t2 = T0[s2 >>> 24]! ^ T1[(s3 >>> 16) & 255]! ^ T2[(s0 >>> 8) & 255]! ^ T3[s1 & 255]! ^ w[22]!
    t3 = T0[s3 >>> 24]! ^ T1[(s0 >>> 16) & 255]! ^ T2[(s1 >>> 8) & 255]! ^ T3[s2 & 255]! ^ w[23]!
    s0 = T0[t0 >>> 24]! ^ T1[(t1 >>> 16) & 255]! ^ T2[(t2 >>> 8) & 255]! ^ T3[t3 & 255]! ^ w[24]!
    s1 = T0[t1 >>> 24]! ^ T1[(t2 >>> 16) & 255]! ^ T2[(t3 >>> 8) & 255]! ^ T3[t0 & 255]! ^ w[25]!
    s2 = T0[t2 >>> 24]! ^ T1[(t3 >>> 16) & 255]! ^ T2[(t0 >>> 8) & 255]! ^ T3[t1 & 255]! ^ w[26]!
    s3 = T0[t3 >>> 24]! ^ T1[(t0 >>> 16) & 255]! ^ T2[(t1 >>> 8) & 255]! ^ T3[t2 & 255]! ^ w[27]!
    t0 = T0[s0 >>> 24]! ^ T1[(s1 >>> 16) & 255]! ^ T2[(s2 >>> 8) & 255]! ^ T3[s3 & 255]! ^ w[28]!
    t1 = T0[s1 >>> 24]! ^ T1[(s2 >>> 16) & 255]! ^ T2[(s3 >>> 8) & 255]! ^ T3[s0 & 255]! ^ w[29]!
    t2 = T0[s2 >>> 24]! ^ T1[(s3 >>> 16) & 255]! ^ T2[(s0 >>> 8) & 255]! ^ T3[s1 & 255]! ^ w[30]!
    t3 = T0[s3 >>> 24]! ^ T1[(s0 >>> 16) & 255]! ^ T2[(s1 >>> 8) & 255]! ^ T3[s2 & 255]! ^ w[31]!
    s0 = T0[t0 >>> 24]! ^ T1[(t1 >>> 16) & 255]! ^ T2[(t2 >>> 8) & 255]! ^ T3[t3 & 255]! ^ w[32]!
    s1 = T0[t1 >>> 24]! ^ T1[(t2 >>> 16) & 255]! ^ T2[(t3 >>> 8) & 255]! ^ T3[t0 & 255]! ^ w[33]!
    s2 = T0[t2 >>> 24]! ^ T1[(t3 >>> 16) & 255]! ^ T2[(t0 >>> 8) & 255]! ^ T3[t1 & 255]! ^ w[34]!
    s3 = T0[t3 >>> 24]! ^ T1[(t0 >>> 16) & 255]! ^ T2[(t1 >>> 8) & 255]! ^ T3[t2 & 255]! ^ w[35]!
    t0 = T0[s0 >>> 24]! ^ T1[(s1 >>> 16) & 255]! ^ T2[(s2 >>> 8) & 255]! ^ T3[s3 & 255]! ^ w[36]!
    t1 = T0[s1 >>> 24]! ^ T1[(s2 >>> 16) & 255]! ^ T2[(s3 >>> 8) & 255]! ^ T3[s0 & 255]! ^ w[37]!
    t2 = T0[s2 >>> 24]! ^ T1[(s3 >>> 16) & 255]! ^ T2[(s0 >>> 8) & 255]! ^ T3[s1 & 255]! ^ w[38]!
    t3 = T0[s3 >>> 24]! ^ T1[(s0 >>> 16) & 255]! ^ T2[(s1 >>> 8) & 255]! ^ T3[s2 & 255]! ^ w[39]!
    if (last > 40) {
      s0 = T0[t0 >>> 24]! ^ T1[(t1 >>> 16) & 255]! ^ T2[(t2 >>> 8) & 255]! ^ T3[t3 & 255]! ^ w[40]!
      s1 = T0[t1 >>> 24]! ^ T1[(t2 >>> 16) & 255]! ^ T2[(t3 >>> 8) & 255]! ^ T3[t0 & 255]! ^ w[41]!
      s2 = T0[t2 >>> 24]! ^ T1[(t3 >>> 16) & 255]! ^ T2[(t0 >>> 8) & 255]! ^ T3[t1 & 255]! ^ w[42]!
      s3 = T0[t3 >>> 24]! ^ T1[(t0 >>> 16) & 255]! ^ T2[(t1 >>> 8) & 255]! ^ T3[t2 & 255]! ^ w[43]!
      t0 = T0[s0 >>> 24]! ^ T1[(s1 >>> 16) & 255]! ^ T2[(s2 >>> 8) & 255]! ^ T3[s3 & 255]! ^ w[44]!
      t1 = T0[s1 >>> 24]! ^ T1[(s2 >>> 16) & 255]! ^ T2[(s3 >>> 8) & 255]! ^ T3[s0 & 255]! ^ w[45]!
      t2 = T0[s2 >>> 24]! ^ T1[(s3 >>> 16) & 255]! ^ T2[(s0 >>> 8) & 255]! ^ T3[s1 & 255]! ^ w[46]!
      t3 = T0[s3 >>> 24]! ^ T1[(s0 >>> 16) & 255]! ^ T2[(s1 >>> 8) & 255]! ^ T3[s2 & 255]! ^ w[47]!
    }
    if (last > 48) {
      s0 = T0[t0 >>> 24]! ^ T1[(t1 >>> 16) & 255]! ^ T2[(t2 >>> 8) & 255]! ^ T3[t3 & 255]! ^ w[48]!
      s1 = T0[t1 >>> 24]! ^ T1[(t2 >>> 16) & 255]! ^ T2[(t3 >>> 8) & 255]! ^ T3[t0 & 255]! ^ w[49]!
      s2 = T0[t2 >>> 24]! ^ T1[(t3 >>> 16) & 255]! ^ T2[(t0 >>> 8) & 255]! ^ T3[t1 & 255]! ^ w[50]!
      s3 = T0[t3 >>> 24]! ^ T1[(t0 >>> 16) & 255]! ^ T2[(t1 >>> 8) & 255]! ^ T3[t2 & 255]! ^ w[51]!
      t0 = T0[s0 >>> 24]! ^ T1[(s1 >>> 16) & 255]! ^ T2[(s2 >>> 8) & 255]! ^ T3[s3 & 255]! ^ w[52]!
      t1 = T0[s1 >>> 24]! ^ T1[(s2 >>> 16) & 255]! ^ T2[(s3 >>> 8) & 255]! ^ T3[s0 & 255]! ^ w[53]!
      t2 = T0[s2 >>> 24]! ^ T1[(s3 >>> 16) & 255]! ^ T2[(s0 >>> 8) & 255]! ^ T3[s1 & 255]! ^ w[54]!
      t3 = T0[s3 >>> 24]! ^ T1[(s0 >>> 16) & 255]! ^ T2[(s1 >>> 8) & 255]! ^ T3[s2 & 255]! ^ w[55]!
    }
    state[0] =
      (SBOX[t0 >>> 24]! << 24) ^
      (SBOX[(t1 >>> 16) & 255]! << 16) ^
      (SBOX[(t2 >>> 8) & 255]! << 8) ^
      SBOX[t3 & 255]! ^
      w[last + 0]!
    state[1] =
      (SBOX[t1 >>> 24]! << 24) ^
      (SBOX[(t2 >>> 16) & 255]! << 16) ^
      (SBOX[(t3 >>> 8) & 255]! << 8) ^
      SBOX[t0 & 255]! ^
      w[last + 1]!
    state[2] =
      (SBOX[t2 >>> 24]! << 24) ^
      (SBOX[(t3 >>> 16) & 255]! << 16) ^
      (SBOX[(t0 >>> 8) & 255]! << 8) ^
      SBOX[t1 & 255]! ^
      w[last + 2]!
    state[3] =
      (SBOX[t3 >>> 24]! << 24) ^
      (SBOX[(t0 >>> 16) & 255]! << 16) ^
      (SBOX[(t1 >>> 8) & 255]! << 8) ^
      SBOX[t2 & 255]! ^
      w[last + 3]!
  }

  function decryptAesBlock(w: Int32Array, state: Int32Array): void {
    const last = w.length - 4
    let s0 = state[0]! ^ w[0]!
    let s1 = state[1]! ^ w[1]!
    let s2 = state[2]! ^ w[2]!
    let s3 = state[3]! ^ w[3]!
    let t0 = D0[s0 >>> 24]! ^ D1[(s3 >>> 16) & 255]! ^ D2[(s2 >>> 8) & 255]! ^ D3[s1 & 255]! ^ w[4]!
    let t1 = D0[s1 >>> 24]! ^ D1[(s0 >>> 16) & 255]! ^ D2[(s3 >>> 8) & 255]! ^ D3[s2 & 255]! ^ w[5]!
    let t2 = D0[s2 >>> 24]! ^ D1[(s1 >>> 16) & 255]! ^ D2[(s0 >>> 8) & 255]! ^ D3[s3 & 255]! ^ w[6]!
    let t3 = D0[s3 >>> 24]! ^ D1[(s2 >>> 16) & 255]! ^ D2[(s1 >>> 8) & 255]! ^ D3[s0 & 255]! ^ w[7]!
    s0 = D0[t0 >>> 24]! ^ D1[(t3 >>> 16) & 255]! ^ D2[(t2 >>> 8) & 255]! ^ D3[t1 & 255]! ^ w[8]!
    s1 = D0[t1 >>> 24]! ^ D1[(t0 >>> 16) & 255]! ^ D2[(t3 >>> 8) & 255]! ^ D3[t2 & 255]! ^ w[9]!
    s2 = D0[t2 >>> 24]! ^ D1[(t1 >>> 16) & 255]! ^ D2[(t0 >>> 8) & 255]! ^ D3[t3 & 255]! ^ w[10]!
    s3 = D0[t3 >>> 24]! ^ D1[(t2 >>> 16) & 255]! ^ D2[(t1 >>> 8) & 255]! ^ D3[t0 & 255]! ^ w[11]!
    t0 = D0[s0 >>> 24]! ^ D1[(s3 >>> 16) & 255]! ^ D2[(s2 >>> 8) & 255]! ^ D3[s1 & 255]! ^ w[12]!
    t1 = D0[s1 >>> 24]! ^ D1[(s0 >>> 16) & 255]! ^ D2[(s3 >>> 8) & 255]! ^ D3[s2 & 255]! ^ w[13]!
    t2 = D0[s2 >>> 24]! ^ D1[(s1 >>> 16) & 255]! ^ D2[(s0 >>> 8) & 255]! ^ D3[s3 & 255]! ^ w[14]!
    t3 = D0[s3 >>> 24]! ^ D1[(s2 >>> 16) & 255]! ^ D2[(s1 >>> 8) & 255]! ^ D3[s0 & 255]! ^ w[15]!
    s0 = D0[t0 >>> 24]! ^ D1[(t3 >>> 16) & 255]! ^ D2[(t2 >>> 8) & 255]! ^ D3[t1 & 255]! ^ w[16]!
    s1 = D0[t1 >>> 24]! ^ D1[(t0 >>> 16) & 255]! ^ D2[(t3 >>> 8) & 255]! ^ D3[t2 & 255]! ^ w[17]!
    s2 = D0[t2 >>> 24]! ^ D1[(t1 >>> 16) & 255]! ^ D2[(t0 >>> 8) & 255]! ^ D3[t3 & 255]! ^ w[18]!
    s3 = D0[t3 >>> 24]! ^ D1[(t2 >>> 16) & 255]! ^ D2[(t1 >>> 8) & 255]! ^ D3[t0 & 255]! ^ w[19]!
    t0 = D0[s0 >>> 24]! ^ D1[(s3 >>> 16) & 255]! ^ D2[(s2 >>> 8) & 255]! ^ D3[s1 & 255]! ^ w[20]!
    t1 = D0[s1 >>> 24]! ^ D1[(s0 >>> 16) & 255]! ^ D2[(s3 >>> 8) & 255]! ^ D3[s2 & 255]! ^ w[21]!
    t2 = D0[s2 >>> 24]! ^ D1[(s1 >>> 16) & 255]! ^ D2[(s0 >>> 8) & 255]! ^ D3[s3 & 255]! ^ w[22]!
    t3 = D0[s3 >>> 24]! ^ D1[(s2 >>> 16) & 255]! ^ D2[(s1 >>> 8) & 255]! ^ D3[s0 & 255]! ^ w[23]!
    s0 = D0[t0 >>> 24]! ^ D1[(t3 >>> 16) & 255]! ^ D2[(t2 >>> 8) & 255]! ^ D3[t1 & 255]! ^ w[24]!
    s1 = D0[t1 >>> 24]! ^ D1[(t0 >>> 16) & 255]! ^ D2[(t3 >>> 8) & 255]! ^ D3[t2 & 255]! ^ w[25]!
    s2 = D0[t2 >>> 24]! ^ D1[(t1 >>> 16) & 255]! ^ D2[(t0 >>> 8) & 255]! ^ D3[t3 & 255]! ^ w[26]!
    s3 = D0[t3 >>> 24]! ^ D1[(t2 >>> 16) & 255]! ^ D2[(t1 >>> 8) & 255]! ^ D3[t0 & 255]! ^ w[27]!
    t0 = D0[s0 >>> 24]! ^ D1[(s3 >>> 16) & 255]! ^ D2[(s2 >>> 8) & 255]! ^ D3[s1 & 255]! ^ w[28]!
    t1 = D0[s1 >>> 24]! ^ D1[(s0 >>> 16) & 255]! ^ D2[(s3 >>> 8) & 255]! ^ D3[s2 & 255]! ^ w[29]!
    t2 = D0[s2 >>> 24]! ^ D1[(s1 >>> 16) & 255]! ^ D2[(s0 >>> 8) & 255]! ^ D3[s3 & 255]! ^ w[30]!
    t3 = D0[s3 >>> 24]! ^ D1[(s2 >>> 16) & 255]! ^ D2[(s1 >>> 8) & 255]! ^ D3[s0 & 255]! ^ w[31]!
    s0 = D0[t0 >>> 24]! ^ D1[(t3 >>> 16) & 255]! ^ D2[(t2 >>> 8) & 255]! ^ D3[t1 & 255]! ^ w[32]!
    s1 = D0[t1 >>> 24]! ^ D1[(t0 >>> 16) & 255]! ^ D2[(t3 >>> 8) & 255]! ^ D3[t2 & 255]! ^ w[33]!
    s2 = D0[t2 >>> 24]! ^ D1[(t1 >>> 16) & 255]! ^ D2[(t0 >>> 8) & 255]! ^ D3[t3 & 255]! ^ w[34]!
    s3 = D0[t3 >>> 24]! ^ D1[(t2 >>> 16) & 255]! ^ D2[(t1 >>> 8) & 255]! ^ D3[t0 & 255]! ^ w[35]!
    t0 = D0[s0 >>> 24]! ^ D1[(s3 >>> 16) & 255]! ^ D2[(s2 >>> 8) & 255]! ^ D3[s1 & 255]! ^ w[36]!
    t1 = D0[s1 >>> 24]! ^ D1[(s0 >>> 16) & 255]! ^ D2[(s3 >>> 8) & 255]! ^ D3[s2 & 255]! ^ w[37]!
    t2 = D0[s2 >>> 24]! ^ D1[(s1 >>> 16) & 255]! ^ D2[(s0 >>> 8) & 255]! ^ D3[s3 & 255]! ^ w[38]!
    t3 = D0[s3 >>> 24]! ^ D1[(s2 >>> 16) & 255]! ^ D2[(s1 >>> 8) & 255]! ^ D3[s0 & 255]! ^ w[39]!
    if (last > 40) {
      s0 = D0[t0 >>> 24]! ^ D1[(t3 >>> 16) & 255]! ^ D2[(t2 >>> 8) & 255]! ^ D3[t1 & 255]! ^ w[40]!
      s1 = D0[t1 >>> 24]! ^ D1[(t0 >>> 16) & 255]! ^ D2[(t3 >>> 8) & 255]! ^ D3[t2 & 255]! ^ w[41]!
      s2 = D0[t2 >>> 24]! ^ D1[(t1 >>> 16) & 255]! ^ D2[(t0 >>> 8) & 255]! ^ D3[t3 & 255]! ^ w[42]!
      s3 = D0[t3 >>> 24]! ^ D1[(t2 >>> 16) & 255]! ^ D2[(t1 >>> 8) & 255]! ^ D3[t0 & 255]! ^ w[43]!
      t0 = D0[s0 >>> 24]! ^ D1[(s3 >>> 16) & 255]! ^ D2[(s2 >>> 8) & 255]! ^ D3[s1 & 255]! ^ w[44]!
      t1 = D0[s1 >>> 24]! ^ D1[(s0 >>> 16) & 255]! ^ D2[(s3 >>> 8) & 255]! ^ D3[s2 & 255]! ^ w[45]!
      t2 = D0[s2 >>> 24]! ^ D1[(s1 >>> 16) & 255]! ^ D2[(s0 >>> 8) & 255]! ^ D3[s3 & 255]! ^ w[46]!
      t3 = D0[s3 >>> 24]! ^ D1[(s2 >>> 16) & 255]! ^ D2[(s1 >>> 8) & 255]! ^ D3[s0 & 255]! ^ w[47]!
    }
    if (last > 48) {
      s0 = D0[t0 >>> 24]! ^ D1[(t3 >>> 16) & 255]! ^ D2[(t2 >>> 8) & 255]! ^ D3[t1 & 255]! ^ w[48]!
      s1 = D0[t1 >>> 24]! ^ D1[(t0 >>> 16) & 255]! ^ D2[(t3 >>> 8) & 255]! ^ D3[t2 & 255]! ^ w[49]!
      s2 = D0[t2 >>> 24]! ^ D1[(t1 >>> 16) & 255]! ^ D2[(t0 >>> 8) & 255]! ^ D3[t3 & 255]! ^ w[50]!
      s3 = D0[t3 >>> 24]! ^ D1[(t2 >>> 16) & 255]! ^ D2[(t1 >>> 8) & 255]! ^ D3[t0 & 255]! ^ w[51]!
      t0 = D0[s0 >>> 24]! ^ D1[(s3 >>> 16) & 255]! ^ D2[(s2 >>> 8) & 255]! ^ D3[s1 & 255]! ^ w[52]!
      t1 = D0[s1 >>> 24]! ^ D1[(s0 >>> 16) & 255]! ^ D2[(s3 >>> 8) & 255]! ^ D3[s2 & 255]! ^ w[53]!
      t2 = D0[s2 >>> 24]! ^ D1[(s1 >>> 16) & 255]! ^ D2[(s0 >>> 8) & 255]! ^ D3[s3 & 255]! ^ w[54]!
      t3 = D0[s3 >>> 24]! ^ D1[(s2 >>> 16) & 255]! ^ D2[(s1 >>> 8) & 255]! ^ D3[s0 & 255]! ^ w[55]!
    }
    state[0] =
      (INVERSE_SBOX[t0 >>> 24]! << 24) ^
      (INVERSE_SBOX[(t3 >>> 16) & 255]! << 16) ^
      (INVERSE_SBOX[(t2 >>> 8) & 255]! << 8) ^
      INVERSE_SBOX[t1 & 255]! ^
      w[last + 0]!
    state[1] =
      (INVERSE_SBOX[t1 >>> 24]! << 24) ^
      (INVERSE_SBOX[(t0 >>> 16) & 255]! << 16) ^
      (INVERSE_SBOX[(t3 >>> 8) & 255]! << 8) ^
      INVERSE_SBOX[t2 & 255]! ^
      w[last + 1]!
    state[2] =
      (INVERSE_SBOX[t2 >>> 24]! << 24) ^
      (INVERSE_SBOX[(t1 >>> 16) & 255]! << 16) ^
      (INVERSE_SBOX[(t0 >>> 8) & 255]! << 8) ^
      INVERSE_SBOX[t3 & 255]! ^
      w[last + 2]!
    state[3] =
      (INVERSE_SBOX[t3 >>> 24]! << 24) ^
      (INVERSE_SBOX[(t2 >>> 16) & 255]! << 16) ^
      (INVERSE_SBOX[(t1 >>> 8) & 255]! << 8) ^
      INVERSE_SBOX[t0 & 255]! ^
      w[last + 3]!
  }

  return { expandAesKey, invertAesKey, encryptAesBlock, decryptAesBlock }
}

export const { expandAesKey, invertAesKey, encryptAesBlock, decryptAesBlock } = createAes()
