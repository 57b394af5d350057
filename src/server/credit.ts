/**
 * What may be sent to an address that nobody has proved to be behind (spec/server.md, SRV-3).
 *
 * A tls-crypt-v2 client of 2.5 begins with its first packet, without a cookie; until it repeats something that only the
 * receiver of our answer knows, that packet may be forged, and whoever owns the address must not be flooded. So every packet
 * from there earns 1.3 times its size on the wire, and answers, repeated ones too, are paid out of that. An honest client whose
 * answers are lost repeats its packet, which pays for more.
 */

/** Bytes of IPv4 and UDP headers. */
const HEADERS = 28
const FACTOR = 1.3

/** One address's account. */
export class Credit {
  #left = 0

  /** A datagram of so many bytes came. */
  earn(bytes: number): void {
    this.#left += FACTOR * (bytes + HEADERS)
  }

  /** Whether a datagram of so many bytes may leave; then it is paid. */
  pay(bytes: number): boolean {
    if (bytes + HEADERS > this.#left) return false
    this.#left -= bytes + HEADERS
    return true
  }
}
