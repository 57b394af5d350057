/**
 * What else must hold of a probe that was drawn: its recording runs again to the same bytes, and a capture of the wire, with
 * the session's own keys, opens packet by packet.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeCapture, type DecodedPacket } from '../../../../src/decode/index.ts'
import { nodeCrypto } from '../../../../src/node/crypto/index.ts'
import { Replay } from '../../../../src/record/index.ts'
import { startCapture } from '../capture.ts'
import type { Lab, Running } from '../lab.ts'
import type { Draw } from './draw.ts'

/** Looks on while a draw runs. */
export interface Witness {
  /** More arguments for the probe. */
  readonly args: readonly string[]
  /** What does not hold, once the probe has ended. */
  readonly verdict: () => Promise<readonly string[]>
}

/** The recording of a probe. */
export function recording(lab: Lab): Witness {
  const path = join(lab.folder, 'run.rec')
  return {
    args: ['--record', path],
    verdict: () => Promise.resolve(existsSync(path) ? faultsOf(readFileSync(path, 'utf8')) : ['nothing was recorded']),
  }
}

function faultsOf(text: string): readonly string[] {
  const replay = new Replay(text, { crypto: nodeCrypto })
  while (replay.step() !== undefined);
  return replay.verdict.type === 'same' ? [] : [`the recording runs otherwise: ${JSON.stringify(replay.verdict)}`]
}

/** A capture on the client's cable, and the session's key log. */
export async function capturing(lab: Lab, draw: Draw): Promise<Witness> {
  const [capture, keyLog] = [join(lab.folder, 'wire.pcap'), join(lab.folder, 'keys.log')]
  const dump = await startCapture(lab, 'v1', capture, 'udp', 'or', 'tcp')
  return {
    args: ['--keylog', keyLog],
    verdict: async () => {
      await quiet(dump)
      const keys = { ...draw.keys, ...(existsSync(keyLog) ? { keyLogs: [readFileSync(keyLog, 'utf8')] } : {}) }
      const bytes = new Uint8Array(readFileSync(capture))
      const decoded = decodeCapture(bytes, { keys, crypto: nodeCrypto, ports: [draw.port] })
      const packets = decoded?.packets ?? []
      const faults = (decoded?.problems ?? ['no capture']).map((problem) => `capture: ${JSON.stringify(problem)}`)
      const lost = /(\d+) packets dropped by kernel/.exec(dump.output())?.[1]
      if (lost !== '0') faults.push(`the capture lacks ${lost} packets`)
      if (packets.length < 6) faults.push(`${packets.length} packets in the capture`)
      return [...faults, ...packets.flatMap(faultOf).slice(0, 5)]
    },
  }
}

/** The last packets reach the file before the capture is ended. */
async function quiet(dump: Running): Promise<void> {
  await new Promise((done) => setTimeout(done, 300))
  dump.kill('SIGINT')
  await dump.ended()
}

/** Under a wrap only what a key proves counts as open; without one there is nothing to prove. */
function faultOf({ control, data, frame, from, notes, opcode }: DecodedPacket): readonly string[] {
  const isRead = control?.authentic === true || (control?.wrap === 'none' && control.fields !== undefined)
  if (/^P_/.test(opcode) && (isRead || data?.opened === true)) return []
  return [`frame ${frame} from ${from}: ${opcode} is not opened: ${notes.join('; ')}`]
}
