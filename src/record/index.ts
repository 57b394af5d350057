/**
 * A session, client or server written down as it runs, and run again bit for bit: on this machine, on another, in a browser.
 *
 * @module
 */
export type { MachineName, RecordingHeader } from './format.ts'
export { recordClient, recordServer, recordSession, type WriteLine } from './recorder.ts'
export { isRecording, Replay, type ReplayOptions, type ReplayStep, type ReplayVerdict } from './replay.ts'
export { type RecordedPacket, recordedTraffic, type RecordedTraffic } from './traffic.ts'
