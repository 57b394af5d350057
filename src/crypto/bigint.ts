/**
 * Whole numbers of any size: between big-endian bytes and `bigint`, and the modular arithmetic that signatures need.
 *
 * JavaScript's `bigint` takes time that depends on its values. Secret exponents therefore go through a fixed sequence of
 * windows and are blinded by the callers, and secret inverses are taken of blinded values; spec/crypto.md states what
 * that does and does not promise.
 */
import { toHex } from '../bytes/index.ts'

/** The number that big-endian `bytes` stand for. */
export function bytesToBigInt(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt('0x' + toHex(bytes))
}

/** `value` as exactly `length` big-endian bytes; `value` must be non-negative and fit. */
export function bigIntToBytes(value: bigint, length: number): Uint8Array {
  const out = new Uint8Array(length)
  const digits = value.toString(16)
  let end = digits.length
  for (let i = length - 1; i >= 0 && end > 0; i--) {
    out[i] = parseInt(digits.slice(Math.max(0, end - 2), end), 16)
    end -= 2
  }
  return out
}

/** Length of `value` in bits; 0 for 0. */
export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length
}

/** The least non-negative residue of `value`. */
export function mod(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus
  return rest < 0n ? rest + modulus : rest
}

/** The inverse of `value`, or `undefined` when it has none. */
export function modInverse(value: bigint, modulus: bigint): bigint | undefined {
  let a = mod(value, modulus)
  let b = modulus
  let x = 1n
  let y = 0n
  while (a > 1n) {
    const quotient = b / a
    const rest = b - quotient * a
    const next = y - quotient * x
    b = a
    y = x
    a = rest
    x = next
  }
  return a === 1n ? mod(x, modulus) : undefined
}

/** `base ^ exponent` for public exponents: square and multiply, time depends on the exponent. */
export function modPow(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  let power = mod(base, modulus)
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * power) % modulus
    power = (power * power) % modulus
  }
  return result % modulus
}

const WINDOW_BITS = 5

/**
 * `base ^ exponent` for secret exponents below `2^bits`: one multiplication per window of 5 bits whatever the digits,
 * so that the sequence of operations tells only `bits`.
 */
export function modPowSecret(base: bigint, exponent: bigint, modulus: bigint, bits: number): bigint {
  const table: bigint[] = [1n]
  const reduced = mod(base, modulus)
  for (let i = 1; i < 1 << WINDOW_BITS; i++) table.push(((table[i - 1] as bigint) * reduced) % modulus)
  const windows = Math.ceil(bits / WINDOW_BITS)
  const digits = exponent.toString(2).padStart(windows * WINDOW_BITS, '0')
  let result = 1n
  for (let i = 0; i < windows; i++) {
    for (let j = 0; j < WINDOW_BITS; j++) result = (result * result) % modulus
    const digit = parseInt(digits.slice(i * WINDOW_BITS, (i + 1) * WINDOW_BITS), 2)
    result = (result * (table[digit] as bigint)) % modulus
  }
  return result
}
