/**
 * Makes `vectors/wire/key-files.json` and `captured.json` with the installed openvpn, over UDP on 127.0.0.1:
 *
 *     node test/support/wire-capture.mjs
 *
 * It plays the other end just far enough: it answers a client's reset and keeps the pieces of the ClientHello, and it sends
 * resets to a server and keeps the answers. No privileges beyond sockets are needed: the tunnel device is `null`. Keys and
 * packets are fresh on every run.
 */
import { execFileSync, spawn } from 'node:child_process'
import { createDecipheriv } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { body, digests, half, header, hex, save, sid, stream, tlsAuth, tlsCrypt } from './wire-formulas.mjs'

const dir = mkdtempSync(join(tmpdir(), 'wire-vectors-'))
const at = (name) => join(dir, name)
const text = (name) => readFileSync(at(name), 'utf8')
const openvpn = (...args) => execFileSync('openvpn', args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] })
const pemBytes = (pem) => Buffer.from(pem.replace(/-----.*-----/gu, '').replace(/\s/gu, ''), 'base64')
const staticBytes = (pem) =>
  Buffer.from(
    pem
      .replace(/^#.*$/gmu, '')
      .replace(/-----.*-----/gu, '')
      .replace(/\s/gu, ''),
    'hex',
  )

function openssl(...args) {
  execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' })
}

/** The reset that answers `clientReset`, for each wrap. */
function serverReset(clientSessionId, payload) {
  return {
    opcode: 8,
    keyId: 0,
    sessionId: sid('capture'),
    acks: [0],
    peerSessionId: clientSessionId,
    packetId: 0,
    payload,
  }
}

/** What stands in a captured packet, read with the formulas above. */
function dissect(wrap, bytes) {
  const opcode = bytes[0] >> 3
  let replay
  let plain
  let wrappedKey
  let rest = bytes
  if (opcode >= 10) {
    const length = bytes.readUInt16BE(bytes.length - 2)
    wrappedKey = hex(bytes.subarray(bytes.length - length))
    rest = bytes.subarray(0, bytes.length - length)
  }
  if (wrap.type === 'none') plain = rest.subarray(9)
  if (wrap.type === 'tls-auth') {
    const n = digests[wrap.hash]
    replay = rest.subarray(9 + n, 17 + n)
    plain = rest.subarray(17 + n)
  }
  if (wrap.type === 'tls-crypt') {
    replay = rest.subarray(9, 17)
    const slot = half(wrap.key, wrap.peerHalf)
    plain = createDecipheriv('aes-256-ctr', slot.subarray(0, 32), rest.subarray(17, 33)).update(rest.subarray(49))
  }
  const count = plain[0]
  const acks = Array.from({ length: count }, (_, i) => plain.readUInt32BE(1 + 4 * i))
  let offset = 1 + 4 * count
  const peerSessionId = count > 0 ? hex(plain.subarray(offset, offset + 8)) : undefined
  if (count > 0) offset += 8
  const packetId = opcode === 5 ? undefined : plain.readUInt32BE(offset)
  if (opcode !== 5) offset += 4
  return {
    packet: {
      opcode,
      keyId: bytes[0] & 7,
      sessionId: hex(bytes.subarray(1, 9)),
      acks,
      ...(peerSessionId === undefined ? {} : { peerSessionId }),
      ...(packetId === undefined ? {} : { packetId }),
      payload: hex(plain.subarray(offset)),
    },
    replayPacketId: replay?.readUInt32BE(0) ?? 0,
    replayTime: replay?.readUInt32BE(4) ?? 0,
    ...(wrappedKey === undefined ? {} : { wrappedKey }),
  }
}

function sealFor(wrap, packet, id, time) {
  if (wrap.type === 'tls-auth') return tlsAuth(wrap.key, wrap.ourHalf, wrap.hash, packet, id, time)
  if (wrap.type === 'tls-crypt') return tlsCrypt(wrap.key, wrap.ourHalf, packet, id, time)
  return Buffer.concat([header(packet), body(packet)])
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
const bound = (socket) => new Promise((done) => socket.bind(0, '127.0.0.1', done))
const now = () => Math.floor(Date.now() / 1000)

/** A real client talks to our socket: its reset, then the pieces of its ClientHello. */
async function captureClient(name, wrap, args, resetPayload = '') {
  const socket = createSocket('udp4')
  await bound(socket)
  const got = []
  let answered = false
  socket.on('message', (bytes, from) => {
    got.push(Buffer.from(bytes))
    if (answered) return
    answered = true
    const reset = serverReset(hex(bytes.subarray(1, 9)), resetPayload)
    socket.send(sealFor(wrap, reset, 1, now()), from.port, from.address)
  })
  const child = spawn(
    'openvpn',
    [
      ...['--client', '--dev', 'null', '--nobind', '--remote', '127.0.0.1', String(socket.address().port), 'udp4'],
      ...['--ca', 'ca.crt', '--auth-user-pass', 'login', '--verb', '0', ...args],
    ],
    { cwd: dir, stdio: 'ignore' },
  )
  await sleep(1500)
  child.kill('SIGKILL')
  socket.close()
  return casesOf(name, 'client', args, wrap, got)
}

/** Our reset goes to a real server: its answer. */
async function captureServer(name, wrap, args, opcode, firstId, wrappedKey = Buffer.alloc(0)) {
  const socket = createSocket('udp4')
  await bound(socket)
  const probe = createSocket('udp4')
  await bound(probe)
  const port = probe.address().port
  probe.close()
  const child = spawn(
    'openvpn',
    [
      ...['--server', '10.231.0.0', '255.255.255.0', '--topology', 'subnet', '--dev', 'null', '--dev-type', 'tun'],
      ...['--ifconfig-noexec', '--route-noexec'],
      ...['--local', '127.0.0.1', '--port', String(port), '--proto', 'udp4', '--ca', 'ca.crt', '--cert', 'server.crt'],
      ...['--key', 'server.key', '--dh', 'none', '--verb', '0', ...args],
    ],
    { cwd: dir, stdio: 'ignore' },
  )
  await sleep(1000)
  const got = []
  socket.on('message', (bytes) => got.push(Buffer.from(bytes)))
  const reset = { opcode, keyId: 0, sessionId: sid('capture'), acks: [], packetId: 0, payload: '' }
  socket.send(Buffer.concat([sealFor(wrap, reset, firstId, now()), wrappedKey]), port, '127.0.0.1')
  await sleep(500)
  child.kill('SIGKILL')
  socket.close()
  return casesOf(name, 'server', args, wrap, got)
}

/** One case per message: a retransmission that happened to be caught is left out. */
function casesOf(name, from, args, wrap, got) {
  const cases = []
  for (const bytes of got) {
    const read = dissect(wrap, bytes)
    if (cases.some((known) => known.packet.packetId === read.packet.packetId)) continue
    const title = `${name}, packet ${cases.length + 1}`
    cases.push({ name: title, from, args, ...describe(wrap), bytes: hex(bytes), ...read })
  }
  return cases
}

function describe(wrap) {
  return {
    wrap: wrap.type,
    ...(wrap.key === undefined ? {} : { key: hex(wrap.key) }),
    ...(wrap.hash === undefined ? {} : { hash: wrap.hash, senderDirection: wrap.direction }),
  }
}

async function capture() {
  const version = /OpenVPN (\S+)/u.exec(openvpn('--version').toString())[1]
  const source = `openvpn ${version}, caught on 127.0.0.1 by test/support/wire-capture.mjs`
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ca.key')
  openssl('req', '-x509', '-key', 'ca.key', '-subj', '/CN=test ca', '-days', '3650', '-out', 'ca.crt')
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'server.key')
  openssl('req', '-new', '-key', 'server.key', '-subj', '/CN=server', '-out', 'server.csr')
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-days',
    '3650',
    '-out',
    'server.crt',
  )
  writeFileSync(at('login'), 'user\npassword\n')
  openvpn('--genkey', 'secret', 'static.key')
  openvpn('--genkey', 'tls-crypt-v2-server', 'v2-server.key')
  const clients = [
    ['default metadata', []],
    ['user metadata', [Buffer.from('wired for testing').toString('base64')]],
    ['longest user metadata', [stream('long metadata', 732).toString('base64')]],
  ]
  const key = staticBytes(text('static.key'))
  const v2Server = pemBytes(text('v2-server.key'))
  const files = [
    { name: 'static key', type: 'static', text: text('static.key'), bytes: hex(key) },
    { name: 'tls-crypt-v2 server key', type: 'tls-crypt-v2-server', text: text('v2-server.key'), bytes: hex(v2Server) },
  ]
  for (const [i, [name, metadata]] of clients.entries()) {
    openvpn('--tls-crypt-v2', 'v2-server.key', '--genkey', 'tls-crypt-v2-client', `v2-client-${i}.key`, ...metadata)
    const bytes = pemBytes(text(`v2-client-${i}.key`))
    const slotKey = v2Server.subarray(0, 32)
    const plain = createDecipheriv('aes-256-ctr', slotKey, bytes.subarray(256, 272)).update(bytes.subarray(288, -2))
    files.push({
      name: `tls-crypt-v2 client key, ${name}`,
      type: 'tls-crypt-v2-client',
      text: text(`v2-client-${i}.key`),
      bytes: hex(bytes),
      serverKey: hex(v2Server),
      clientKey: hex(plain.subarray(0, 256)),
      metadata: hex(plain.subarray(256)),
    })
  }
  save('key-files', `openvpn ${version} --genkey, taken apart with node:crypto by test/support/wire-capture.mjs`, files)

  const cases = []
  const take = async (wait) => cases.push(...(await wait))
  const plain = { type: 'none' }
  await take(captureClient('plain client', plain, []))
  await take(captureClient('plain client, small packets', plain, ['--max-packet-size', '154']))
  await take(captureServer('plain server', plain, [], 7, 1))
  for (const hash of Object.keys(digests)) {
    for (const direction of [0, 1, null]) {
      const dirArg = direction === null ? [] : [String(direction)]
      const wrap = {
        type: 'tls-auth',
        key,
        hash,
        direction,
        ourHalf: direction === 0 ? 1 : 0,
        peerHalf: direction === 1 ? 1 : 0,
      }
      const args = ['--auth', hash, '--tls-auth', 'static.key', ...dirArg]
      await take(captureClient(`tls-auth ${hash} client, direction ${direction ?? 'none'}`, wrap, args))
    }
    const wrap = { type: 'tls-auth', key, hash, direction: 0, ourHalf: 1, peerHalf: 0 }
    await take(captureServer(`tls-auth ${hash} server`, wrap, ['--auth', hash, '--tls-auth', 'static.key', '0'], 7, 1))
  }
  const small = ['--max-packet-size', '300']
  const forClient = { type: 'tls-crypt', key, ourHalf: 0, peerHalf: 1 }
  const forServer = { type: 'tls-crypt', key, ourHalf: 1, peerHalf: 0 }
  await take(captureClient('tls-crypt client', forClient, ['--tls-crypt', 'static.key']))
  await take(captureClient('tls-crypt client, small packets', forClient, ['--tls-crypt', 'static.key', ...small]))
  await take(captureServer('tls-crypt server', forServer, ['--tls-crypt', 'static.key'], 7, 1))
  const clientFile = pemBytes(text('v2-client-0.key'))
  const clientKey = clientFile.subarray(0, 256)
  const wrappedKey = clientFile.subarray(256)
  const v2 = { ...forClient, key: clientKey }
  const v2Args = ['--tls-crypt-v2', 'v2-client-0.key']
  await take(captureClient('tls-crypt-v2 client', v2, v2Args))
  await take(captureClient('tls-crypt-v2 client asked to repeat its key', v2, v2Args, '000100020001'))
  await take(
    captureClient(
      'tls-crypt-v2 client asked to repeat its key, 600-byte packets',
      v2,
      [...v2Args, '--max-packet-size', '600'],
      '000100020001',
    ),
  )
  const v2ForServer = { ...forServer, key: clientKey }
  for (const policy of ['force-cookie', 'allow-noncookie']) {
    const args = ['--tls-crypt-v2', 'v2-server.key', policy]
    await take(
      captureServer(`tls-crypt-v2 server, ${policy}, client can repeat`, v2ForServer, args, 10, 0x0f000001, wrappedKey),
    )
    await take(captureServer(`tls-crypt-v2 server, ${policy}, client cannot`, v2ForServer, args, 10, 1, wrappedKey))
  }
  save('captured', source, cases)
}

try {
  await capture()
} finally {
  rmSync(dir, { recursive: true, force: true })
}
