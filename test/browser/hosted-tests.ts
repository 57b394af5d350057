/**
 * Which of the project's tests run on other runtimes, and which of those say what another crypto provider does: there the
 * portable one stands in for Node's.
 */

/** Folders under `test/` whose files are candidates. */
export const FOLDERS: readonly string[] = ['unit', 'vectors']

const OF_ANOTHER_PROVIDER: readonly RegExp[] = [
  /^configuration > SESS-42 /,
  /^static key > SESS-151 .*DES-EDE3-CBC/,
  /^DATA-19 .*triple DES/,
  /^private keys made by OpenSSL > X509-42, X509-46 triple DES/,
  /^PKCS#12 bundles made by OpenSSL > X509-49 triple DES/,
]

/** False for a failure that only says that the provider is another one. */
export function ofThisProvider(failure: string): boolean {
  return !OF_ANOTHER_PROVIDER.some((pattern) => pattern.test(failure))
}
