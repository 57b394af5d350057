/**
 * Whether the keys, certificates and lists of a profile hold what they should, found out by making the configuration of it.
 *
 * The reader knows directives, not contents: that a block is there, not that a key can be read out of it. Making the
 * configuration looks inside, and stops at the first thing it can't use. A finding is a warning: profiles are passed around
 * with their keys taken out, and are right all the same. PROF-60
 */
import { ConfigError } from '../bytes/index.ts'
import { type CryptoProvider, noble } from '../crypto/index.ts'
import { toClientConfig } from './client-config.ts'
import type { ProfileProblem } from './problem.ts'
import type { Profile } from './profile.ts'
import { toServerConfig } from './server-config.ts'
import { toSessionConfig } from './session-config.ts'

/** Length of an auth-token server key. */
const TOKEN_KEY_LENGTH = 128

/**
 * What keeps a configuration from being made of a profile whose directives are right; at most one finding, a warning.
 *
 * @param crypto - default: `noble`.
 */
export function inspectContents(profile: Profile, crypto: CryptoProvider = noble): readonly ProfileProblem[] {
  try {
    if (profile.role === 'server') toServerConfig(profile, { crypto, authTokenKey: new Uint8Array(TOKEN_KEY_LENGTH) })
    else if (profile.connections.length > 0) toClientConfig(profile, { crypto })
    else toSessionConfig(profile, { crypto })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError) || error.option === 'askpass') return []
    const { location, message, option } = error
    return [
      {
        code: 'file-unreadable',
        severity: 'warning',
        file: location?.file ?? profile.file,
        line: location?.line ?? 1,
        column: location?.column ?? 1,
        directive: option,
        message,
        remedy: 'it works once this is right',
      },
    ]
  }
}
