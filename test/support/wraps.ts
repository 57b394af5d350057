/**
 * Control wraps for both ends of a test tunnel, each kind with keys of its own.
 */
import { noble } from '../../src/crypto/index.ts'
import type { WrapConfig } from '../../src/session/index.ts'
import {
  createTlsCryptV2Wrapper,
  generateStaticKey,
  generateTlsCryptV2ClientKey,
  generateTlsCryptV2ServerKey,
} from '../../src/wire/index.ts'
import { SeededRandom } from './random.ts'

/** Kinds of wrap. */
export type WrapKind = 'none' | 'tls-auth' | 'tls-crypt' | 'tls-crypt-v2'

/** All kinds. */
export const WRAP_KINDS: readonly WrapKind[] = ['none', 'tls-auth', 'tls-crypt', 'tls-crypt-v2']

const random = new SeededRandom('wraps').source
const authKey = generateStaticKey(random)
const cryptKey = generateStaticKey(random)
const serverKey = generateTlsCryptV2ServerKey(random)
const clientKey = generateTlsCryptV2ClientKey(createTlsCryptV2Wrapper(noble, serverKey), random, {
  type: 'timestamp',
  unixSeconds: 1_750_000_000,
})

/** The wrap of each end. */
export function wrapPair(kind: WrapKind): { readonly client: WrapConfig; readonly server: WrapConfig } {
  switch (kind) {
    case 'none':
      return { client: { type: 'none' }, server: { type: 'none' } }
    case 'tls-auth':
      return {
        client: { type: 'tls-auth', key: authKey, direction: 1 },
        server: { type: 'tls-auth', key: authKey, direction: 0 },
      }
    case 'tls-crypt':
      return { client: { type: 'tls-crypt', key: cryptKey }, server: { type: 'tls-crypt', key: cryptKey } }
    case 'tls-crypt-v2':
      return {
        client: { type: 'tls-crypt-v2', ...clientKey },
        server: { type: 'tls-crypt-v2-server', serverKey },
      }
  }
}
