/**
 * Every reason for which bytes from the network are refused on this floor: one closed list.
 *
 * A parser returns its record or one of these words, never both and never a throw (WIRE-14); `isWireProblem` tells them apart. The
 * words are stable: counters, events and tests name them. Each has a line that says what an operator should look at.
 */

/** Reasons with what they mean for the person who reads a counter. */
export const WIRE_PROBLEMS = {
  'too-short': 'The packet ends inside a field. Noise, a port scan, or a path that cuts packets.',
  'too-long': 'A control packet is larger than any peer sends. Lower the peer’s max-packet-size, or ignore the noise.',
  'opcode-unknown': 'The first byte names no OpenVPN packet. Another protocol talks to this port.',
  'opcode-draft': 'An opcode that exists only in the protocol draft.',
  'opcode-obsolete': 'Key method 1, last spoken by 2.4. Update the peer.',
  'opcode-wrong-direction': 'A reset for the other role: both ends are configured as client, or both as server.',
  'opcode-not-control': 'A data packet where only a control packet can be.',
  'opcode-needs-wrapped-key': 'The peer uses tls-crypt-v2; this side has no tls-crypt-v2 server key.',
  'session-id-zero': 'The sender’s session id is all zero.',
  'too-many-acks': 'More than eight acknowledgements in one packet.',
  'peer-session-id-zero': 'Acknowledgements for a session id that is all zero.',
  'tls-auth-mismatch': 'The tls-auth HMAC is wrong: another key, another direction, another auth digest, or a forgery.',
  'tls-crypt-mismatch': 'The tls-crypt tag is wrong: another key, or a forgery.',
  'wrapped-key-length': 'The length of the wrapped client key does not fit the packet or the format.',
  'wrapped-key-mismatch': 'The wrapped client key was not made with this tls-crypt-v2 server key, or is a forgery.',
  'wrapped-key-unknown-server':
    'The wrapped client key names a tls-crypt-v2 server key that this server does not hold.',
  'early-negotiation-malformed': 'The settings in a hard reset do not parse.',
  'frame-length': 'A TCP frame of impossible length: another protocol talks to this port, or the stream is damaged.',
  'data-header-short': 'A DATA_V2 packet without room for its peer-id.',
  'cookie-missing': 'A packet of an unknown peer that carries no proof of its address.',
  'cookie-invalid': 'A packet of an unknown peer whose proof of address is wrong or too old.',
} as const

/** A reason from {@link WIRE_PROBLEMS}. */
export type WireProblem = keyof typeof WIRE_PROBLEMS

/** True when a parser's result is a reason instead of its record. */
export function isWireProblem(result: unknown): result is WireProblem {
  return typeof result === 'string' && Object.hasOwn(WIRE_PROBLEMS, result)
}
