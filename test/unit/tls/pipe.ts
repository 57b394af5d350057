/** A stream in memory between node:tls and an engine. */
import { Duplex } from 'node:stream'

/** The transport of the node side: what it writes goes to the engine, what the engine sends is pushed into it. */
export class Pipe extends Duplex {
  readonly #toEngine: (bytes: Uint8Array) => void

  constructor(toEngine: (bytes: Uint8Array) => void) {
    super()
    this.#toEngine = toEngine
  }

  override _read(): void {
    // Data is pushed as it comes.
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#toEngine(chunk)
    done()
  }
}
