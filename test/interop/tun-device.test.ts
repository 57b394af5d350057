/**
 * A tun device of the kernel: opened here, inherited with and without koffi, refused when it is none.
 */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { withLab } from './support/lab.ts'

const CHILD = fileURLToPath(new URL('./support/tun.child.ts', import.meta.url))
const NODE = [process.execPath, '--import', import.meta.resolve('tsx'), CHILD]
const BUILT = fileURLToPath(new URL('../../dist/node/tun/index.js', import.meta.url))
const OPEN = `import { openTun } from '${BUILT}'\ntry { openTun({ kind: 'tun' }) } catch (e) { console.log(e.message) }`

describe('a tun device', () => {
  it.each([
    ['opened here', ['create', 'tun7'], 'device tun7 tun own'],
    ['inherited', ['give', 'tun7'], 'device tun7 tun inherited'],
    ['inherited, blocking, without koffi', ['give', 'tun7', 'slow'], 'device tun7 tun inherited'],
  ])('NODE-2 %s: packets pass both ways, and it closes', async (_name, args, says) => {
    await withLab(async (lab) => {
      const running = lab.start('tun', [...NODE, ...args])
      await running.seen(new RegExp(says))
      expect(lab.run(['ping', '-c', '5', '-i', '0.05', '-W', '2', '10.99.0.2'])).toMatch(/ 5 received/)
      running.kill('SIGTERM')
      expect((await running.ended(10)).code).toBe(0)
      expect(lab.run(['ip', 'link'])).not.toMatch(/tun7/)
    })
  })

  it('NODE-2 a descriptor that is no device is refused', async () => {
    await withLab(async (lab) => {
      const running = lab.start('tun', [...NODE, 'refuse', '1'])
      expect((await running.ended(20)).output).toMatch(/descriptor 1 is no tunnel device/)
    })
  })

  it('NODE-1 without the privilege the remedy is named', async () => {
    await withLab(async (lab) => {
      const dropped = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--bounding-set', '-all']
      const running = lab.start('tun', [...dropped, process.execPath, '--input-type=module', '-e', OPEN])
      expect((await running.ended(20)).output).toMatch(/a tunnel device needs root or CAP_NET_ADMIN.*--tun-fd/)
    })
  })
})
