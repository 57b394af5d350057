/**
 * How much public-key work handshakes may cost a server (SRV-80).
 *
 * Work is counted, not timed: the sessions' crypto provider is wrapped, and each operation on a group or with a signature key
 * adds its units to a ledger. So the figures are the same on every machine and in every test. While a period's budget is used
 * up nobody new begins, and whoever is not connected yet waits: its packets are dropped and it repeats them. Tunnels that are
 * up may overdraw the budget by as much again, so that strangers cannot keep them from their next key.
 */
import type { CryptoProvider, GroupName, PublicKey, SignatureAlgorithm } from '../crypto/index.ts'
import type { Frequency } from './config.ts'

/** What operations cost, in units of about one X25519 multiplication. */
export const WORK_UNITS = { group: 1, signEc: 1, verifyEc: 2, signRsa: 20, verifyRsa: 1 } as const

/** The default: about 250 full handshakes a second. */
const DEFAULT_BUDGET: Frequency = { count: 2000, period: 1000 }

/** Work done, and what is left of the period. */
export class WorkBudget {
  /** The provider whose work is counted. */
  readonly crypto: CryptoProvider
  readonly #count: number
  readonly #period: number
  #total = 0
  #spent = 0
  #periodStart = -Infinity

  constructor(inner: CryptoProvider, frequency: Frequency = DEFAULT_BUDGET) {
    this.#count = frequency.count
    this.#period = frequency.period
    const value = <T>(body: T) => ({ value: body })
    this.crypto = Object.create(inner, {
      createKeyShare: value((...call: Parameters<CryptoProvider['createKeyShare']>) => {
        this.#spend(groupCost(call[0]))
        const share = inner.createKeyShare(...call)
        return { ...share, agree: (peer: Uint8Array) => (this.#spend(groupCost(call[0])), share.agree(peer)) }
      }),
      respondKeyShare: value((...call: Parameters<CryptoProvider['respondKeyShare']>) => {
        this.#spend(2 * groupCost(call[0]))
        return inner.respondKeyShare(...call)
      }),
      sign: value((...call: Parameters<CryptoProvider['sign']>) => {
        this.#spend(isRsa(call[0]) ? WORK_UNITS.signRsa : WORK_UNITS.signEc)
        return inner.sign(...call)
      }),
      verify: value((...call: Parameters<CryptoProvider['verify']>) => {
        this.#spend(isRsa(call[1]) ? WORK_UNITS.verifyRsa : WORK_UNITS.verifyEc)
        return inner.verify(...call)
      }),
    }) as CryptoProvider
  }

  /** Units spent since the beginning. */
  get total(): number {
    return this.#total
  }

  /** Whether another packet may cost work. */
  allows(connected: boolean, now: number): boolean {
    if (now - this.#periodStart >= this.#period) {
      // What was overdrawn is paid back first.
      const periods = Math.floor((now - this.#periodStart) / Math.max(this.#period, 1))
      this.#spent = Math.max(0, this.#spent - this.#count * Math.min(periods, 1e6))
      this.#periodStart = now
    }
    return this.#spent < (connected ? 2 * this.#count : this.#count)
  }

  #spend(units: number): void {
    this.#total += units
    this.#spent += units
  }
}

function groupCost(group: GroupName): number {
  return group.includes('MLKEM') || group.includes('384') || group.includes('521')
    ? 2 * WORK_UNITS.group
    : WORK_UNITS.group
}

function isRsa({ type }: SignatureAlgorithm | PublicKey): boolean {
  return type.startsWith('rsa')
}
