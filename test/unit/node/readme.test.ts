/**
 * The README's example is taken out of the README and run as it stands, against a server-role session on the loopback.
 */
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { nodeEnvironment, SessionDriver } from '../../../src/node/driver.ts'
import { makePki, type ThrowAwayPki } from '../../../src/x509/index.ts'
import { Session } from '../../../src/session/index.ts'
import { createPeerVerifier } from '../../../src/x509/index.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

function example(): string {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  return /<!-- example:dgram -->\s*```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
}

function profileText(pki: ThrowAwayPki, port: number): string {
  const inline = (name: string, text: string): string => `<${name}>\n${text.trim()}\n</${name}>`
  return [
    'client',
    'dev tun',
    `remote 127.0.0.1 ${port}`,
    'nobind',
    'remote-cert-tls server',
    inline('ca', pki.ca),
    inline('cert', pki.client.certificatePem),
    inline('key', pki.client.keyPem),
  ].join('\n')
}

it('connects, prints a tunnel packet and ends when the server says goodbye', async () => {
  expect(
    example()
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '').length,
  ).toBeLessThanOrEqual(25)
  const pki = makePki('P-256', Date.now(), nodeCrypto, nodeEnvironment().random)
  const socket = createSocket('udp4')
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done))
  const state: { port: number } = { port: 0 }
  const session = new Session(
    {
      role: 'server',
      transport: 'udp',
      explicitExitNotify: 1,
      tls: {
        certificateChain: [pki.server.certificate],
        privateKey: pki.server.key,
        verifier: createPeerVerifier({ ca: pki.ca, remoteCertTls: 'client' }),
      },
      push: { options: ['topology subnet', 'route-gateway 10.8.0.1'], ifconfig: '10.8.0.2 255.255.255.0', peerId: 7 },
    },
    nodeEnvironment(),
  )
  const server = new SessionDriver(session, {
    transmit: (data) => {
      socket.send(data, state.port, '127.0.0.1')
    },
    packet: () => undefined,
    event: (event) => {
      if (event.type !== 'connected') return
      const packet = new Uint8Array(84)
      packet[0] = 0x45
      setImmediate(() => {
        server.send(packet)
        server.input((peer, now) => {
          peer.close(now)
        })
      })
    },
  })
  socket.on('message', (data, from) => {
    state.port = from.port
    server.receive(data)
  })
  server.start()
  const folder = mkdtempSync(join(tmpdir(), 'ovpn-readme-'))
  try {
    writeFileSync(join(folder, 'client.ovpn'), profileText(pki, socket.address().port))
    writeFileSync(join(folder, 'example.mjs'), example())
    // As after `npm install ovpn-core`: the package is found by its name.
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(ROOT, join(folder, 'node_modules', 'ovpn-core'))
    const output = await run(folder)
    expect(output).toMatch(/^connected$/m)
    expect(output).toMatch(/from the tunnel: 84 bytes/)
    expect(output).toMatch(/^closed$/m)
  } finally {
    server.stop()
    socket.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

function run(folder: string): Promise<string> {
  const child = spawn(process.execPath, ['example.mjs'], { cwd: folder })
  let output = ''
  const take = (data: Buffer): void => {
    output += data.toString()
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const patience = setTimeout(() => child.kill('SIGKILL'), 20_000)
  return new Promise((done) => {
    child.once('close', () => {
      clearTimeout(patience)
      done(output)
    })
  })
}
