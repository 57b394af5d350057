/**
 * What a server takes of a client's offer: cipher suite and group, for both versions (RFC 8446 section 4.1.1).
 *
 * The own order decides. Where it leaves a choice, between entries of one level or because the host follows clients, the
 * client's order does.
 */
import type { GroupName } from '../crypto/index.ts'
import type { ClientHello } from './client-hello.ts'
import type { ResolvedConfig } from './config.ts'
import { type CipherSuite, GROUP_CODES, groupFits, type TlsVersion } from './registry.ts'

/** The first usable suite: in this side's order, where that leaves a choice in the client's. TLS-19 */
export function preferredSuite(
  config: ResolvedConfig,
  offered: readonly number[],
  usable: (suite: CipherSuite) => boolean,
): CipherSuite | undefined {
  const groups = config.preferOwnCipherOrder ? config.suitePreference : [config.cipherSuites]
  for (const group of groups) {
    for (const id of offered) {
      const suite = group.find((candidate) => candidate.id === id && usable(candidate))
      if (suite !== undefined) return suite
    }
  }
  return undefined
}

/** The first group of the own order that the client knows; among equals the client's order decides. TLS-41 */
export function preferredGroup(
  { groupPreference }: ResolvedConfig,
  hello: ClientHello,
  version: TlsVersion,
): GroupName | undefined {
  for (const equals of groupPreference) {
    for (const code of hello.supportedGroups ?? []) {
      const group = equals.find((own) => GROUP_CODES[own] === code && groupFits(own, version))
      if (group !== undefined) return group
    }
  }
  return undefined
}
