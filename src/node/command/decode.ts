/**
 * `ovpn decode`: what a capture of OpenVPN says, packet by packet, as a ladder or as JSON.
 */
import { parseArgs } from 'node:util'
import {
  type DecodedCapture,
  decodeCapture,
  DecodeKeys,
  Decoder,
  FRAME_SKIPS,
  type IdleKeys,
  idleKeys,
  type KeyTexts,
  ladderLines,
} from '../../decode/index.ts'
import { isRecording, recordedTraffic } from '../../record/index.ts'
import { nodeCrypto } from '../crypto/index.ts'
import { readInput, readInputAs, readInputText } from './files.ts'
import { type CommandIo, CommandLineError, EXIT, integerOption } from './io.ts'

const HELP = `ovpn decode: what a capture of OpenVPN says, packet by packet

usage: ovpn decode FILE [options]

FILE is a pcap or pcapng file, as tcpdump -w or Wireshark write it, or a recording of --record, which holds its own keys.
Without keys: packet types, session ids, acks,
packet ids, and the TLS handshake as far as it is readable. With keys, each option as often as there are keys:

  --tls-auth FILE[,DIGEST]  a tls-auth key; without DIGEST every digest is tried
  --tls-crypt FILE          a tls-crypt key
  --tls-crypt-v2 FILE       a tls-crypt-v2 key, of the server or of a client
  --keylog FILE             session secrets, written by --keylog of connect, serve and probe (or TLS secrets in the NSS
                            format by others): opens TLS messages, pushed options and data packets

  --port N                  N is an OpenVPN port too, beside 1194 and whatever begins like OpenVPN
  --control                 leave data packets out
  --reveal                  show passwords, tokens and randoms, which are hidden otherwise
  --json                    one JSON object a line instead of a ladder

A key that opens nothing is named on standard error (with --json in the last line, as idleKeys).

The ladder: frame number, seconds, flow, direction (client --> server), packet; below it what was said with it.
Exit codes: 0 the capture was read, 1 it is damaged or nothing in it is OpenVPN, 2 it is no capture or the command line is
wrong.`

/** A capture, or a recording as one. */
type Decoded = Omit<DecodedCapture, 'format'> & { readonly format: string }

/** What is shown of it. */
type Shown = Decoded & { readonly idleKeys: readonly IdleKeys[] }

/** Runs `ovpn decode`. */
export function runDecode(args: readonly string[], io: CommandIo): number {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'tls-auth': { type: 'string', multiple: true },
      'tls-crypt': { type: 'string', multiple: true },
      'tls-crypt-v2': { type: 'string', multiple: true },
      keylog: { type: 'string', multiple: true },
      port: { type: 'string', multiple: true },
      control: { type: 'boolean', default: false },
      reveal: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    io.out(HELP)
    return EXIT.ok
  }
  const [path, ...more] = positionals
  if (path === undefined || more.length > 0) throw new CommandLineError('exactly one capture is wanted')
  const keys: KeyTexts = {
    tlsAuth: (values['tls-auth'] ?? []).map(readTlsAuth),
    tlsCrypt: (values['tls-crypt'] ?? []).map((path) => readKey(path, (text) => ({ tlsCrypt: [text] }))),
    tlsCryptV2: (values['tls-crypt-v2'] ?? []).map((path) => readKey(path, (text) => ({ tlsCryptV2: [text] }))),
    keyLogs: (values.keylog ?? []).map(readInputText),
  }
  const ports = (values.port ?? []).map((text) => integerOption('port', text, 0, 1))
  const bytes = readInput(path)
  const { reveal } = values
  const decoded: Decoded | undefined = isRecordingFile(bytes)
    ? decodeRecording(bytes, reveal)
    : decodeCapture(bytes, { keys, ports, crypto: nodeCrypto, reveal })
  if (decoded === undefined) throw new CommandLineError(`${path} is no pcap file, no pcapng file and no recording`)
  const packets = values.control ? decoded.packets.filter(({ data }) => data === undefined) : decoded.packets
  const shown = { ...decoded, packets, idleKeys: idleKeys(keys, decoded.packets) }
  if (values.json) printJson(shown, io)
  else printLadder(shown, io)
  return decoded.problems.length === 0 && decoded.packets.length > 0 ? EXIT.ok : EXIT.failed
}

const asText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

function isRecordingFile(bytes: Uint8Array): boolean {
  return isRecording(asText(bytes.subarray(0, 64)))
}

/** A recording in a capture's form; its steps count as frames. */
function decodeRecording(bytes: Uint8Array, reveal: boolean): Decoded {
  const { isCut, keys, packets } = recordedTraffic(asText(bytes), nodeCrypto)
  const decoder = new Decoder({ keys, crypto: nodeCrypto, reveal })
  const decoded = packets.map((packet) => decoder.packet(packet))
  const problems = isCut ? ['the recording was cut off: what came after is missing'] : []
  return { format: 'recording', frames: packets.at(-1)?.frame ?? 0, packets: decoded, skipped: {}, problems }
}

/** A key file's text. One that holds no such key is refused here, where its name is known. */
function readKey(path: string, keysOf: (text: string) => KeyTexts): string {
  return readInputAs(path, (text) => {
    new DecodeKeys(keysOf(text), nodeCrypto)
    return text
  })
}

/** `FILE` or `FILE,DIGEST`. */
function readTlsAuth(word: string): { readonly text: string; readonly digest?: string } {
  const comma = word.lastIndexOf(',')
  const path = comma < 0 ? word : word.slice(0, comma)
  const digest = comma < 0 ? {} : { digest: word.slice(comma + 1) }
  return { text: readKey(path, (text) => ({ tlsAuth: [{ text, ...digest }] })), ...digest }
}

function printJson({ packets, ...summary }: Shown, io: CommandIo): void {
  for (const packet of packets) io.out(JSON.stringify({ event: 'packet', ...packet }))
  io.out(JSON.stringify({ event: 'capture', ...summary, packets: packets.length }))
}

function printLadder({ format, frames, idleKeys: idle, packets, problems, skipped }: Shown, io: CommandIo): void {
  const start = packets[0]?.time ?? 0
  const flows = new Map(packets.map((packet) => [packet.flow, packet]))
  for (const [number, { from, sender, to, transport }] of flows) {
    const [client, server] = sender === 'server' ? [to, from] : [from, to]
    io.out(`flow ${number}: ${transport} ${client} --> ${server}`)
  }
  for (const packet of packets) for (const line of ladderLines(packet, start)) io.out(line)
  io.out(
    `${packets.length} packets in ${frames} ${format === 'recording' ? 'steps of a recording' : `frames of a ${format} file`}`,
  )
  for (const [reason, count] of Object.entries(skipped)) {
    const meaning = reason === 'other-flow' ? 'Not OpenVPN.' : FRAME_SKIPS[reason as keyof typeof FRAME_SKIPS]
    io.out(`${count} frames left out: ${meaning}`)
  }
  for (const { kind, reason } of idle) io.error(`ovpn decode: --${kind} opens nothing: ${reason}`)
  for (const problem of problems) io.error(`ovpn decode: ${problem}`)
}
