/**
 * A connected client as plain data, as it moves from one server to another (`moving.ts`).
 */
import type { SessionSnapshot } from '../session/index.ts'
import type { ClientKeyMetadata } from '../wire/index.ts'
import type { Identity, ServerClient } from './client.ts'
import type { ClientLimits } from './config.ts'
import type { ClientAddresses } from './output.ts'

/** A client as plain data. */
export interface ClientState {
  readonly address: string
  readonly peerId: number
  readonly keyMetadata: ClientKeyMetadata | undefined
  readonly certificateName: string | undefined
  readonly identity: Identity | undefined
  readonly name: string | undefined
  readonly addresses: ClientAddresses
  readonly networks: readonly { readonly network: Uint8Array; readonly prefix: number }[]
  readonly token: ServerClient['token']
  readonly limits: ClientLimits
  readonly vlan: number
  readonly session: SessionSnapshot
}
