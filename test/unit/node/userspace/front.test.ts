/**
 * The proxy in front of the stack: what it says to requests that it does not take.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { ProxyFront } from '../../../../src/node/userspace/front.ts'
import { Stack } from '../../../../src/node/userspace/stack.ts'
import { SeededRandom } from '../../../support/random.ts'

/** What a front answers to some bytes, and how many packets went into the tunnel for it. */
async function ask(request: string | Uint8Array): Promise<{ answer: string; packets: number }> {
  let packets = 0
  const stack = new Stack(new SeededRandom('front').source, () => packets++)
  stack.configure({ ipv4: Uint8Array.of(10, 8, 0, 2), ipv6: undefined, mtu: 1400 })
  const front = new ProxyFront(
    stack,
    () => Promise.resolve([]),
    () => undefined,
  )
  const socket = connect(await front.listen(0), '127.0.0.1')
  let answer = ''
  socket.on('data', (data) => {
    answer += data.toString('latin1')
  })
  socket.write(request)
  await once(socket, 'end')
  socket.destroy()
  front.close()
  return { answer, packets }
}

describe('the proxy in front of the stack', () => {
  it.each([
    'GET http://10.8.0.1/ HTTP/1.1',
    'GET / HTTP/1.0',
    'CONNECT 10.8.0.1 HTTP/1.1',
    'CONNECT 10.8.0.1:80 HTTP/2',
  ])('NODE-30 %s: it takes CONNECT only, and says so', async (line) => {
    const { answer, packets } = await ask(`${line}\r\nHost: 10.8.0.1\r\n\r\n`)
    const [header = '', body = ''] = answer.split('\r\n\r\n')
    expect(header).toMatch(/^HTTP\/1\.1 405 Only CONNECT\r\n/)
    expect(header).toMatch(/\r\nAllow: CONNECT\r\n/)
    expect(header).toContain(`\r\nContent-Length: ${body.length}\r\n`)
    expect(body).toMatch(/^This proxy .* CONNECT only.*SOCKS5\.\n$/)
    expect(packets).toBe(0)
  })

  it('a name that nobody knows is unreachable, by HTTP and by SOCKS5', async () => {
    const http = await ask('CONNECT nowhere.test:80 HTTP/1.1\r\n\r\n')
    expect(http.answer).toMatch(/^HTTP\/1\.1 502 /)
    const name = Buffer.from('nowhere.test')
    const socks = await ask(Buffer.concat([Buffer.of(5, 1, 0, 5, 1, 0, 3, name.length), name, Buffer.of(0, 80)]))
    expect([...Buffer.from(socks.answer, 'latin1').subarray(0, 4)]).toEqual([5, 0, 5, 4])
  })
})
