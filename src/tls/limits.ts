/**
 * Every cap of the engine in one place: what a peer can make it hold, skip or repeat.
 */

/** Largest plaintext of a record (RFC 8446 section 5.1). */
export const MAX_PLAINTEXT = 16_384
/** Consecutive records without content (and ChangeCipherSpec records under 1.3) that are skipped. */
export const MAX_EMPTY_RECORDS = 32
/** Consecutive warning alerts that are skipped. */
export const MAX_WARNING_ALERTS = 4
/** Consecutive KeyUpdates, tickets and refused renegotiations without application data between them. */
export const MAX_POST_HANDSHAKE = 32
/** Bytes of a peer's 0-RTT data that are skipped. */
export const MAX_SKIPPED_EARLY_DATA = 16_384
/** Most certificates read from one message, unless a host says otherwise (the reference's MAX_CERT_DEPTH). */
export const MAX_CERTIFICATES = 16
/** Longest handshake message other than ClientHello, Certificate and CertificateRequest. */
export const MAX_HANDSHAKE_MESSAGE = 16_384
/** Longest ticket that is given to a client or taken from one. */
export const MAX_TICKET = 12_288
/** Identities of pre_shared_key that are tried. */
export const MAX_PSK_IDENTITIES = 4
/** Bytes held while a signature is awaited from the host. */
export const MAX_HELD_INPUT = 262_144
