/**
 * The decoder beside tshark's OpenVPN dissector, on what both can read: headers of every packet, and the reliability fields
 * where no wrap encrypts them. Skipped where there is no tshark.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type DecodedPacket, decodeCapture } from '../../src/decode/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { OPCODE_NAMES } from '../../src/wire/index.ts'
import { writeCapture } from '../support/capture.ts'
import { capturedRun } from '../support/captured-pair.ts'
import { WRAP_KINDS } from '../support/wraps.ts'

const FIELDS = ['opcode', 'keyid', 'sessionid', 'mpid', 'mpidarrayelement', 'rsessionid', 'peerid']
const isThere = spawnSync('tshark', ['--version']).status === 0
if (!isThere) console.warn('there is no tshark: its dissector is not compared')

/** One line a frame, fields as tshark prints them. */
function dissect(capture: Uint8Array): readonly (readonly string[])[] {
  const folder = mkdtempSync(join(tmpdir(), 'ovpn-tshark-'))
  try {
    const path = join(folder, 'capture.pcap')
    writeFileSync(path, capture)
    const fields = ['frame.number', ...FIELDS.map((name) => `openvpn.${name}`)].flatMap((name) => ['-e', name])
    const args = ['-r', path, '-T', 'fields', ...fields]
    const text = execFileSync('tshark', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return text
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => line.split('\t'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const decimal = (hex: string | undefined): string => (hex === undefined ? '' : String(BigInt(`0x${hex}`)))

/** The same line out of our own decoder. */
function line({ control, data, frame, keyId, opcode }: DecodedPacket, encrypted: boolean): readonly string[] {
  const code = Object.entries(OPCODE_NAMES).find(([, name]) => name === opcode)?.[0]
  const head = [`0x${Number(code).toString(16).padStart(2, '0')}`, String(keyId), decimal(control?.sessionId)]
  const fields = control?.fields
  const reliability = encrypted
    ? []
    : [String(fields?.packetId ?? ''), fields?.acks.join() ?? '', decimal(fields?.peerSessionId)]
  return [String(frame), ...head, ...reliability, String(data?.peerId ?? '')]
}

const CASES = WRAP_KINDS.flatMap((wrap) => (['udp', 'tcp'] as const).map((transport) => ({ wrap, transport })))

describe.skipIf(!isThere)('beside tshark', () => {
  it.each(CASES)('$wrap over $transport', ({ transport, wrap }) => {
    const run = capturedRun({ wrap, transport, renegotiations: 0 })
    const capture = writeCapture(run.datagrams)
    const encrypted = wrap === 'tls-crypt' || wrap === 'tls-crypt-v2'
    const own = decodeCapture(capture, { crypto: nodeCrypto })?.packets.map((packet) => line(packet, encrypted)) ?? []
    // Under tls-crypt tshark takes ciphertext for the reliability fields.
    const theirs = dissect(capture).map((fields) => (encrypted ? [...fields.slice(0, 4), fields.at(-1) ?? ''] : fields))
    expect(own.length).toBeGreaterThan(20)
    expect(own).toEqual(theirs)
  })
})
