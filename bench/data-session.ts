/**
 * The fast lane of whole sessions over a provider that does nothing: what a host pays per packet beside the cipher.
 *
 * Two sessions connect through a virtual link and then hand one buffer to and fro: sealed by the client, opened by the
 * server. Its clock moves with every packet, as a host's does.
 */
import { type CryptoProvider, noble } from '../src/crypto/index.ts'
import type { Session, SessionConfig } from '../src/session/index.ts'
import { connectPair } from '../test/support/pair.ts'

/**
 * A clock of fractions of milliseconds that runs for a second and stands still. Beside something that is no number, numbers
 * in an array are objects of their own: handing one on makes no new one, as a clock just read would.
 */
const CLOCK: readonly unknown[] = ['start', ...Array.from({ length: 1 << 16 }, (_, i) => 1e6 + i / 65.536)]
const at = (i: number): number => CLOCK[1 + (i & 0xffff)] as number

/** A provider whose AEADs do nothing. Everything else is noble's: handshakes and key derivation need it. */
export const nullProvider: CryptoProvider = {
  ...noble,
  name: 'null',
  createAead: (algorithm) => ({ algorithm, seal: () => undefined, open: () => true }),
}

interface Lane {
  readonly client: Session
  readonly server: Session
}

function lane(change: Partial<SessionConfig>, transport: 'udp' | 'tcp' = 'udp'): Lane {
  const timers = { renegotiateAfter: 0, ping: 0, pingRestart: 0 }
  const end = { timers, dataCiphers: ['AES-256-GCM'], ...change }
  const push = { options: ['route-gateway 10.8.0.1'], ifconfig: '10.8.0.2 255.255.255.0', peerId: 7 }
  const pair = connectPair({ crypto: nullProvider, watch: false, transport, client: end, server: { ...end, push } })
  return { client: pair.client.session, server: pair.server.session }
}

/** `count` packets of `size` bytes in `buffer`, whose room in front is `offset` bytes. */
export type LaneWork = (buffer: Uint8Array, offset: number, count: number, size: number) => void

/** The candidates: sealing alone, and sealing and opening. */
export function sessionWorks(): Record<string, LaneWork> {
  const works: Record<string, LaneWork> = {}
  for (const [name, change, transport] of [
    ['session', {}, 'udp'],
    ['session over tcp', {}, 'tcp'],
    ['session, comp-lzo', { compression: 'comp-lzo' }, 'udp'],
  ] as const) {
    const sealing = lane(change, transport)
    const both = lane(change, transport)
    const framing = transport === 'tcp' ? 2 : 0
    works[`${name} seal`] = (buffer, offset, count, size) => {
      for (let i = 0; i < count; i++) {
        if (sealing.client.seal(buffer, offset, size, at(i)) < 0) throw new Error('not sealed')
      }
    }
    works[`${name} seal+open`] = (buffer, offset, count, size) => {
      for (let i = 0; i < count; i++) {
        const length = both.client.seal(buffer, offset, size, at(i))
        const start = both.client.resultOffset + framing
        if (both.server.open(buffer, start, length - framing, at(i)) !== size) throw new Error('not opened')
      }
    }
  }
  return works
}
