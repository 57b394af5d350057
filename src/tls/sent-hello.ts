/**
 * A client's own hello, kept until the server has answered it.
 */
import type { KeyShare } from '../crypto/index.ts'
import type { ClientHelloFields } from './client-hello.ts'
import type { OfferedSession } from './resumption13.ts'

/** A ClientHello that is on its way. */
export interface SentHello {
  /** The session in it. */
  readonly offered: OfferedSession | undefined
  readonly fields: ClientHelloFields
  /** The whole message. */
  readonly raw: Uint8Array
  readonly keyShares: readonly KeyShare[]
}
