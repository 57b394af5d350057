/**
 * What the host must do with its tunnel device as sessions come and go (spec/client.md, "Tunnel device").
 *
 * The device stays as it is when the next session brings the same addresses, routes and names, and may stay open in
 * between (`persist-tun`), so that nothing passes beside the tunnel while it is down.
 */
import { tunnelDigest, type TunnelOptions } from '../control/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'

/** The device, as the host has been told to set it up. */
export class TunnelDevice {
  readonly #crypto: CryptoProvider
  readonly #persist: boolean
  #digest: string | undefined
  #pushedPersist = false
  #up = false

  /** @param persist - `persist-tun`. */
  constructor(crypto: CryptoProvider, persist: boolean) {
    this.#crypto = crypto
    this.#persist = persist
  }

  /** True while packets can pass. */
  get isUp(): boolean {
    return this.#up
  }

  /** A session is connected, or its options changed: what to do. CLIENT-30 */
  up(options: TunnelOptions): 'open' | 'keep' | 'reopen' {
    const digest = tunnelDigest(this.#crypto, options)
    const action = this.#digest === undefined ? 'open' : this.#digest === digest ? 'keep' : 'reopen'
    this.#digest = digest
    this.#pushedPersist = options.persistTun
    this.#up = true
    return action
  }

  /** No session any more: whether the device stays open. CLIENT-31 */
  down(another: boolean): boolean {
    this.#up = false
    const keep = another && (this.#persist || this.#pushedPersist)
    if (!keep) this.#digest = undefined
    return keep
  }
}
