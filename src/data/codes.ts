/**
 * What a data-channel call says instead of a length: negative integers, and their names.
 *
 * The packet path returns plain numbers because a result object per packet costs more than the framing itself. Zero and
 * above is a length; below zero is a {@link DataCode}. Codes down to {@link LAST_DROP_CODE} are drops, to be counted
 * under the name that {@link dataReason} gives them; the codes below that are packets which the channel took for itself
 * (a ping, a fragment that waits for its siblings) and which are no loss.
 *
 * Spec: data.md, "Results".
 */

/** Negative results of `seal` and `open`. */
export const DataCode = {
  /** Fewer bytes than the format's smallest packet. */
  TOO_SHORT: -1,
  /** The first byte is no data opcode. */
  WRONG_OPCODE: -2,
  /** A data packet of another key. */
  WRONG_KEY_ID: -3,
  /** A DATA_V2 packet for another peer. */
  WRONG_PEER_ID: -4,
  /** An epoch that is over, or too far ahead. */
  WRONG_EPOCH: -5,
  /** Packet id 0, or the long form's time is older than one already seen. */
  BAD_PACKET_ID: -6,
  /** This packet id was received before. */
  REPLAYED: -7,
  /** The packet id lies behind the replay window, or is given up because later ones are older than its time allows. */
  TOO_OLD: -8,
  /** The tag or HMAC does not match. */
  BAD_TAG: -9,
  /** Authentic, but the block padding is malformed. */
  BAD_PADDING: -10,
  /** The receive key saw so many forgeries that it is no longer used. */
  KEY_RETIRED: -11,
  /** The send key has no packet ids, epochs or usage left: nothing may be sealed under it. */
  KEY_EXHAUSTED: -12,
  /** An unknown compression byte. */
  UNKNOWN_COMPRESSION: -13,
  /** A compressed payload while compression is not allowed. */
  COMPRESSION_REFUSED: -14,
  /** A compressed payload that does not decompress, or not into the room there is. */
  BAD_COMPRESSION: -15,
  /** A fragment header that breaks the rules, or contradicts its siblings. */
  BAD_FRAGMENT: -16,
  /** A fragment that arrived twice. */
  DUPLICATE_FRAGMENT: -17,
  /** The payload is neither IPv4 nor IPv6 (tun), or no Ethernet frame (tap). */
  NOT_IP: -18,
  /** Sealing: `fragment` cannot split the packet into 32 fragments. */
  UNSPLITTABLE: -19,
  /** An OCC message of an unknown type or a broken body. */
  BAD_OCC: -20,
  /** An IPv6 packet while `block-ipv6` is on. */
  IPV6_BLOCKED: -21,
  /** More payload than the tunnel's largest packet. */
  TOO_LONG: -22,

  /** A ping: proof of life, nothing to deliver. */
  PING: -32,
  /** An OCC message: read it from `lastOcc`. */
  OCC: -33,
  /** A fragment was stored; its packet is not complete. */
  FRAGMENT_STORED: -34,
  /** A fragmentation test packet, which carries nothing. */
  FRAGMENT_TEST: -35,
  /** A payload of no bytes. */
  EMPTY: -36,
} as const

/** Any negative result. */
export type DataCodeValue = (typeof DataCode)[keyof typeof DataCode]

/** Codes from -1 down to this one are drops; smaller ones are packets that did their work inside the channel. */
export const LAST_DROP_CODE = -31

/** Why a data packet was dropped, or what became of it. */
export type DataReason =
  | 'too-short'
  | 'too-long'
  | 'wrong-opcode'
  | 'wrong-key-id'
  | 'wrong-peer-id'
  | 'wrong-epoch'
  | 'bad-packet-id'
  | 'replayed'
  | 'too-old'
  | 'bad-tag'
  | 'bad-padding'
  | 'key-retired'
  | 'key-exhausted'
  | 'unknown-compression'
  | 'compression-refused'
  | 'bad-compression'
  | 'bad-fragment'
  | 'duplicate-fragment'
  | 'not-ip'
  | 'unsplittable'
  | 'bad-occ'
  | 'ipv6-blocked'
  | 'ping'
  | 'occ'
  | 'fragment-stored'
  | 'fragment-test'
  | 'empty'

const REASONS: ReadonlyMap<number, DataReason> = new Map<number, DataReason>(
  Object.entries(DataCode).map(([name, code]) => [code, name.toLowerCase().replaceAll('_', '-') as DataReason]),
)

/** The name of a negative result, for counters and logs. */
export function dataReason(code: number): DataReason {
  return REASONS.get(code) ?? 'bad-tag'
}

/** True when `code` is a drop and not a packet that did its work inside the channel. */
export function isDrop(code: number): boolean {
  return code < 0 && code >= LAST_DROP_CODE
}

/**
 * True when the result of an `open` shows that the datagram was authentic and new: a length, news, or a fault of the layers
 * inside the encryption. Such a datagram is a sign of life whatever became of its payload (DATA-42).
 */
export function isAuthentic(result: number): boolean {
  return result >= 0 || result <= DataCode.UNKNOWN_COMPRESSION
}
