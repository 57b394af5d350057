/**
 * libcrypto through koffi: finding it, and the handful of its functions that are used.
 *
 * Node carries an OpenSSL of its own and shows its symbols to the whole process, so that one is tried first; a Node
 * without it is served by the system's libcrypto. koffi is loaded when a provider is made, not before: who never makes
 * one need not have it (CRY-36).
 */
import { createRequire } from 'node:module'
import { UsageError } from '../../bytes/index.ts'

/** Memory of libcrypto's. */
export type Pointer = bigint

/** Memory that a C function may read or write while it runs. */
type Memory = Uint8Array | Int32Array | null

/** What is used of koffi. */
interface Koffi {
  load(path: string | null): { func(name: string, result: string, parameters: readonly string[]): unknown }
}

/** The functions of libcrypto in use, named as there. */
export interface Libcrypto {
  readonly EVP_get_cipherbyname: (name: string) => Pointer | null
  readonly EVP_get_digestbyname: (name: string) => Pointer | null
  readonly EVP_CIPHER_CTX_new: () => Pointer | null
  readonly EVP_CIPHER_CTX_free: (context: Pointer) => void
  readonly EVP_CIPHER_CTX_set_padding: (context: Pointer, on: number) => number
  readonly EVP_CIPHER_CTX_ctrl: (context: Pointer, command: number, length: number, memory: Memory) => number
  readonly EVP_CipherInit_ex: (
    context: Pointer,
    cipher: Pointer | null,
    engine: null,
    key: Memory,
    iv: Memory,
    encrypt: number,
  ) => number
  readonly EVP_CipherUpdate: (
    context: Pointer,
    out: Memory,
    outLength: Int32Array,
    input: Uint8Array,
    length: number,
  ) => number
  readonly EVP_CipherFinal_ex: (context: Pointer, out: Memory, outLength: Int32Array) => number
  readonly HMAC_CTX_new: () => Pointer | null
  readonly HMAC_CTX_free: (context: Pointer) => void
  readonly HMAC_Init_ex: (context: Pointer, key: Memory, length: number, digest: Pointer | null, engine: null) => number
  readonly HMAC_Update: (context: Pointer, data: Uint8Array, length: number) => number
  readonly HMAC_Final: (context: Pointer, out: Uint8Array, outLength: Memory) => number
}

/** `result(parameters)` of each function: p a pointer, i an int, z a size_t, s a string, v nothing. */
const SIGNATURES: Readonly<Record<keyof Libcrypto, string>> = {
  EVP_get_cipherbyname: 'p(s)',
  EVP_get_digestbyname: 'p(s)',
  EVP_CIPHER_CTX_new: 'p()',
  EVP_CIPHER_CTX_free: 'v(p)',
  EVP_CIPHER_CTX_set_padding: 'i(pi)',
  EVP_CIPHER_CTX_ctrl: 'i(piip)',
  EVP_CipherInit_ex: 'i(pppppi)',
  EVP_CipherUpdate: 'i(ppppi)',
  EVP_CipherFinal_ex: 'i(ppp)',
  HMAC_CTX_new: 'p()',
  HMAC_CTX_free: 'v(p)',
  HMAC_Init_ex: 'i(ppipp)',
  HMAC_Update: 'i(ppz)',
  HMAC_Final: 'i(ppp)',
}

const C_TYPES: Readonly<Record<string, string>> = {
  p: 'void *',
  i: 'int',
  z: 'size_t',
  s: 'const char *',
  v: 'void',
}

/** Where libcrypto may be: in this process, or under the names of OpenSSL 3 and 1.1 on Linux, macOS and Windows. */
const CANDIDATES: readonly (string | null)[] = [
  null,
  'libcrypto.so.3',
  'libcrypto.so.1.1',
  'libcrypto.3.dylib',
  '/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib',
  '/usr/local/opt/openssl@3/lib/libcrypto.3.dylib',
  'libcrypto-3-x64.dll',
  'libcrypto-1_1-x64.dll',
]

/**
 * The installed koffi.
 *
 * @param who - what needs it.
 * @throws UsageError saying what to install. CRY-36
 */
export function requireKoffi(
  load: (name: string) => unknown = createRequire(import.meta.url),
  who = 'the native crypto provider',
): unknown {
  try {
    return load('koffi')
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw new UsageError(`${who} needs the package koffi: npm install koffi (${reason})`)
  }
}

function bind(koffi: Koffi, path: string | null): Libcrypto {
  const library = koffi.load(path)
  const types = (letters: string): string[] => Array.from(letters, (letter) => C_TYPES[letter] ?? 'void')
  const functions = Object.entries(SIGNATURES).map(([name, signature]) => {
    const [result = 'void'] = types(signature.slice(0, 1))
    return [name, library.func(name, result, types(signature.slice(2, -1)))]
  })
  return Object.fromEntries(functions) as Libcrypto
}

/**
 * The functions of libcrypto.
 *
 * @param path - a file to load instead of looking for one.
 * @throws UsageError when no libcrypto can be loaded. CRY-36
 */
export function loadLibcrypto(koffi: unknown, path?: string): Libcrypto {
  const reasons: string[] = []
  for (const candidate of path === undefined ? CANDIDATES : [path]) {
    try {
      return bind(koffi as Koffi, candidate)
    } catch (error) {
      reasons.push(`${candidate ?? 'this process'}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new UsageError(`no libcrypto found; install OpenSSL 3 or name its library file (${reasons.join('; ')})`)
}
