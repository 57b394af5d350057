/**
 * What a capture of OpenVPN says: pcap and pcapng files into packets with names and fields, and with keys into TLS messages,
 * pushed options and the packets inside the tunnel. Pure, so a page can do it as well as a command.
 *
 * @module
 */
export { type Capture, type Frame, isCapture, readCapture } from './capture.ts'
export { type CaptureOptions, decodeCapture, type DecodedCapture } from './decode.ts'
export { Decoder, type DecodeOptions } from './decoder.ts'
export { describePacket, describeSaid, ladderLines } from './describe.ts'
export { type Endpoint, endpointText, FRAME_SKIPS, type FrameSkip, parseFrame, type Segment } from './frame.ts'
export { type IdleKeys, idleKeys } from './idle-keys.ts'
export { type DataKeyEntry, DecodeKeys, type KeyTexts, type WrapCandidate, type WrapName } from './keys.ts'
export type * from './packet.ts'
