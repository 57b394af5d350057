/**
 * The outcome of what two peers settle inside TLS (`agreement.ts` is how they do it).
 */
import type { ChosenCipher, CompressionFraming, ProtocolFeatures } from '../control/index.ts'
import type { ResolvedConfig } from './resolved-config.ts'

/** What holds for all data keys of a session. */
export interface Agreement extends ProtocolFeatures {
  readonly cipher: ChosenCipher
  readonly auth: ResolvedConfig['auth']
  /** The framing that a server moved its client to; undefined: as configured, or as a client is pushed. SESS-59 */
  readonly compression?: CompressionFraming
  /** In our DATA_V2 headers; undefined: DATA_V1. */
  readonly sendPeerId: number | undefined
  /** That the peer's DATA_V2 headers must carry; undefined: any. */
  readonly receivePeerId: number | undefined
}
