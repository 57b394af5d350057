/**
 * Opens a tunnel device inside a laboratory and answers pings on it: `create NAME`, `inherit FD [slow]` for one that came with
 * the process, `give NAME [slow]` to hand one to a child, `refuse FD`. Prints the device's name, then a line per ping; ends on SIGTERM.
 */
import { execFileSync, spawn } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import { openTun, type TunDevice } from '../../../src/node/tun/index.ts'
import { loadLibc } from '../../../src/node/tun/libc.ts'
import { parseEcho, replyTo } from '../../../src/node/echo.ts'

const [mode, what = '', how = ''] = process.argv.slice(2)
const F_SETFL = 4
const O_RDWR = 2

function answer(device: TunDevice): void {
  const buffer = new Uint8Array(2048)
  device.start(() => {
    for (let length = device.read(buffer, 0, 2048); length > 0; length = device.read(buffer, 0, 2048)) {
      const echo = parseEcho(buffer.subarray(0, length))
      if (echo?.kind !== 'request') continue
      const reply = replyTo(echo)
      if (device.write(reply, 0, reply.length)) console.log('answered')
    }
  })
  process.once('SIGTERM', () => {
    device.close()
    process.exit(0)
  })
  console.log(`device ${device.name} ${device.kind} ${device.inherited ? 'inherited' : 'own'}`)
}

if (mode === 'create') {
  const device = openTun({ kind: 'tun', name: what })
  execFileSync('ip', ['addr', 'add', '10.99.0.1/24', 'dev', device.name])
  execFileSync('ip', ['link', 'set', device.name, 'up'])
  answer(device)
} else if (mode === 'inherit') {
  answer(openTun({ kind: 'tun', fd: Number(what), koffi: how === 'slow' ? {} : undefined }))
} else if (mode === 'give') {
  // Opens a device, makes it block, and hands it to a child as descriptor 3.
  const device = openTun({ kind: 'tun', name: what })
  const fd = newestDescriptor()
  loadLibc().fcntl(fd, F_SETFL, 'int', O_RDWR)
  execFileSync('ip', ['addr', 'add', '10.99.0.1/24', 'dev', device.name])
  execFileSync('ip', ['link', 'set', device.name, 'up'])
  const args = [...process.execArgv, process.argv[1] ?? '', 'inherit', '3', how]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', fd] })
  process.once('SIGTERM', () => child.kill('SIGTERM'))
  child.on('exit', (code) => {
    console.log(`child ended ${code}`)
    process.exit(code ?? 1)
  })
} else {
  try {
    openTun({ kind: 'tap', fd: Number(what) })
  } catch (error) {
    console.log(error instanceof Error ? error.message : '')
  }
}

/** The descriptor of the device that was opened. */
function newestDescriptor(): number {
  const isDevice = (fd: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === '/dev/net/tun'
    } catch {
      return false
    }
  }
  return Number(readdirSync('/proc/self/fd').find(isDevice))
}
