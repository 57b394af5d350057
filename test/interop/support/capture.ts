/** A capture of what crosses a device, whole also in bursts. */
import type { Lab } from './lab.ts'

/** Tcpdump's usual buffer holds a few packets of this kind, and a handshake in hundreds of small ones is more than that. */
const ROOM = ['-s', '32000', '-B', '32768']

/** Starts one into the file `path`; it has begun when the promise is kept. */
export async function startCapture(
  lab: Lab,
  device: string,
  path: string,
  ...filter: readonly string[]
): Promise<ReturnType<Lab['start']>> {
  const flags = ['-i', device, '-w', path, '-Z', 'root', '-U', '--immediate-mode', ...ROOM]
  const dump = lab.start('tcpdump', ['tcpdump', ...flags, ...filter])
  await dump.seen(/listening on/)
  return dump
}
