/**
 * How control packets are wrapped, out of a profile's keys. PROF-28
 */
import { ConfigError } from '../bytes/index.ts'
import type { WrapConfig } from '../session/index.ts'
import { parseStaticKey, parseTlsCryptV2ClientKey, parseTlsCryptV2ServerKey } from '../wire/index.ts'
import type { Connection } from './connection.ts'
import type { Entry } from './entry.ts'
import type { Profile } from './profile.ts'

/** Every wrap that a server takes: a tls-crypt-v2 key may stand beside one of the others. */
export function readWraps(profile: Profile, connection: Connection, role: 'client' | 'server'): WrapConfig[] {
  const wraps = [readWrap(profile, connection, role), readShared(profile, connection)]
  const found = wraps.filter((wrap) => wrap !== undefined)
  return found.filter((wrap, index) => found.findIndex(({ type }) => type === wrap.type) === index)
}

/** The wrap of a connection. @throws ConfigError at the line of a key that can't be read. */
export function readWrap(profile: Profile, connection: Connection, role: 'client' | 'server'): WrapConfig | undefined {
  const v2 = connection.entry('tls-crypt-v2')
  if (v2 !== undefined) return atLine(v2, () => readV2(profile.textOf(v2), role))
  return readShared(profile, connection)
}

/** The wrap whose key all clients share. */
function readShared(profile: Profile, connection: Connection): WrapConfig | undefined {
  const crypt = connection.entry('tls-crypt')
  if (crypt !== undefined) {
    return atLine(crypt, () => ({ type: 'tls-crypt', key: parseStaticKey(profile.textOf(crypt), 'tls-crypt') }))
  }
  const auth = connection.entry('tls-auth')
  if (auth === undefined) return undefined
  const direction = keyDirection(profile, 'tls-auth', connection)
  return atLine(auth, () => ({ type: 'tls-auth', key: parseStaticKey(profile.textOf(auth), 'tls-auth'), direction }))
}

function readV2(text: string, role: 'client' | 'server'): WrapConfig {
  if (role === 'server') return { type: 'tls-crypt-v2-server', serverKey: parseTlsCryptV2ServerKey(text) }
  const { key, wrappedKey } = parseTlsCryptV2ClientKey(text)
  return { type: 'tls-crypt-v2', key, wrappedKey }
}

/** The direction that the last `key-direction`, or second word of the directive that names the key, gives. */
export function keyDirection(
  profile: Profile,
  name: 'tls-auth' | 'secret',
  connection?: Connection,
): 0 | 1 | undefined {
  const block = connection?.block === undefined ? [] : profile.entriesIn(connection.block)
  const stated = [...profile.entriesOf('key-direction'), ...profile.entriesOf(name)]
    .sort((a, b) => a.index - b.index)
    .concat(block)
    .map((entry) => directionWord(entry, name))
    .filter((word) => word !== undefined)
    .at(-1)
  return stated === undefined ? undefined : stated === '0' ? 0 : 1
}

function directionWord(entry: Entry, name: string): string | undefined {
  if (entry.content !== undefined) return undefined
  if (entry.name === 'key-direction') return entry.words[0]
  return entry.name === name ? entry.words[1] : undefined
}

/** Runs `read`; a configuration error that names no place gets the entry's, which may depend on the option at fault. */
export function atLine<T>(entry: Entry | ((option: string) => Entry), read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ConfigError) || error.location !== undefined) throw error
    const plain = error.message.startsWith(`${error.option}: `)
      ? error.message.slice(error.option.length + 2)
      : error.message
    const { place } = typeof entry === 'function' ? entry(error.option) : entry
    throw new ConfigError(error.option, plain, place)
  }
}
