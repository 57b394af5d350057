/**
 * What tests take from Node, for a page: the files they read are carried in the bundle, the fast crypto provider is the
 * portable one.
 */
import { noble } from '../../src/crypto/index.ts'

declare const CARRIED_FILES: Readonly<Record<string, string>>

/** Same name, portable. */
export const nodeCrypto = noble

function carried(path: string | URL): string {
  const text = CARRIED_FILES[new URL(String(path), 'file:///').pathname]
  if (text === undefined) throw new Error(`${String(path)} is not in the bundle`)
  return text
}

/** A carried file as text. */
export function readFileSync(path: string | URL): string {
  return carried(path)
}

/** Names of the carried files in a folder. */
export function readdirSync(path: string | URL): string[] {
  const folder = new URL(String(path), 'file:///').pathname
  return Object.keys(CARRIED_FILES).flatMap((name) => (name.startsWith(folder) ? [name.slice(folder.length)] : []))
}

/** The path of a file URL. */
export function fileURLToPath(url: string | URL): string {
  return new URL(String(url)).pathname
}
