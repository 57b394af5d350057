/**
 * Packets that must change nothing: a pair stopped somewhere on its way, and the check that a session dropped what it got.
 */
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import type { Session } from '../../src/session/index.ts'
import { CLEAN } from './network.ts'
import { Pair, type Side } from './pair.ts'
import { type WrapKind, wrapPair } from './wraps.ts'

/** A pair stopped after so many steps, with everything it sent. */
export function stopped(kind: WrapKind, steps: number): { pair: Pair; seen: { bytes: Uint8Array; side: Side }[] } {
  const wrap = wrapPair(kind)
  const pair = new Pair({
    crypto: nodeCrypto,
    faults: CLEAN,
    client: { wrap: wrap.client },
    server: { wrap: wrap.server },
  })
  const seen: { bytes: Uint8Array; side: Side }[] = []
  pair.network.filter = (bytes, to) => {
    seen.push({ bytes: bytes.slice(), side: pair.side(to) })
    return true
  }
  for (let i = 0; i < steps; i++) pair.step(Infinity)
  return { pair, seen }
}

/** Gives a session a datagram and expects that nothing but one counter moved. */
export function expectDropped(pair: Pair, session: Session, bytes: Uint8Array, what: string): void {
  const before = session.digest()
  const count = (): number => Object.values(session.stats.dropped).reduce((sum, value) => sum + value, 0)
  const already = count()
  session.receive(bytes, pair.now)
  if (session.poll() !== undefined) pair.fail(`${what} made an output`)
  if (count() !== already + 1) pair.fail(`${what} was not counted once`)
  const after = session.digest()
  if (after.join() !== before.join()) pair.fail(`${what} changed the state`)
}
