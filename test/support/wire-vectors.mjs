/**
 * Makes the files of `vectors/wire` with code that shares nothing with `src`: node:crypto and the reference's own program.
 *
 *     node test/support/wire-vectors.mjs compute    vectors from the formulas, the same on every run
 *     node test/support/wire-vectors.mjs capture    keys and first packets of the installed openvpn, over UDP on 127.0.0.1
 *
 * The capture plays the other end just far enough: it answers a client's reset and keeps the pieces of the ClientHello,
 * and it sends resets to a server and keeps the answers. No privileges beyond sockets are needed: the tunnel device is `null`.
 */
import { execFileSync, spawn } from 'node:child_process'
import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const out = fileURLToPath(new URL('../../vectors/wire/', import.meta.url))
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const u16 = (n) => Buffer.from([n >> 8, n & 255])
const u32 = (n) => Buffer.from([n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255])
/** `length` bytes fixed by a label. */
function stream(label, length) {
  const blocks = []
  for (let i = 0; i * 32 < length; i++) blocks.push(createHash('sha256').update(`${label} ${i}`).digest())
  return Buffer.concat(blocks).subarray(0, length)
}
function save(name, source, cases) {
  writeFileSync(join(out, `${name}.json`), `${JSON.stringify({ source, cases }, null, 1)}\n`)
  console.log(name, cases.length)
}

// ---- the formulas -------------------------------------------------------------------------------------------------

const header = (p) => Buffer.concat([Buffer.from([p.opcode * 8 + p.keyId]), Buffer.from(p.sessionId, 'hex')])
const body = (p) =>
  Buffer.concat([
    Buffer.from([p.acks.length]),
    ...p.acks.map(u32),
    p.acks.length > 0 ? Buffer.from(p.peerSessionId, 'hex') : Buffer.alloc(0),
    p.packetId === undefined ? Buffer.alloc(0) : u32(p.packetId),
    Buffer.from(p.payload, 'hex'),
  ])
const half = (key, index) => key.subarray(index * 128, index * 128 + 128)
const digests = { MD5: 16, SHA1: 20, SHA224: 28, SHA256: 32, SHA384: 48, SHA512: 64 }

function tlsAuth(key, sendHalf, hash, p, id, time) {
  const macKey = half(key, sendHalf).subarray(64, 64 + digests[hash])
  const replay = Buffer.concat([u32(id), u32(time)])
  const mac = createHmac(hash.toLowerCase(), macKey)
    .update(Buffer.concat([replay, header(p), body(p)]))
    .digest()
  return Buffer.concat([header(p), mac, replay, body(p)])
}
function tlsCrypt(key, sendHalf, p, id, time) {
  const slot = half(key, sendHalf)
  const ad = Buffer.concat([header(p), u32(id), u32(time)])
  const tag = createHmac('sha256', slot.subarray(64, 96)).update(ad).update(body(p)).digest()
  const cipher = createCipheriv('aes-256-ctr', slot.subarray(0, 32), tag.subarray(0, 16))
  return Buffer.concat([ad, tag, cipher.update(body(p))])
}
function wrapKey(serverKey, clientKey, metadata, serverKeyId) {
  const idField = serverKeyId === undefined ? Buffer.alloc(0) : u32(serverKeyId)
  const length = u16(32 + 256 + metadata.length + idField.length + 2)
  const plain = Buffer.concat([clientKey, metadata])
  const tag = createHmac('sha256', serverKey.subarray(64, 96))
    .update(Buffer.concat([length, idField, plain]))
    .digest()
  const cipher = createCipheriv('aes-256-ctr', serverKey.subarray(0, 32), tag.subarray(0, 16))
  return Buffer.concat([tag, cipher.update(plain), idField, length])
}

// ---- computed vectors ---------------------------------------------------------------------------------------------

const sid = (label) => hex(stream(`session ${label}`, 8))
/** Packets of every control opcode and shape. */
const packets = [
  { name: 'client reset', opcode: 7, keyId: 0, sessionId: sid('c'), acks: [], packetId: 0, payload: '' },
  {
    name: 'server reset',
    opcode: 8,
    keyId: 0,
    sessionId: sid('s'),
    acks: [0],
    peerSessionId: sid('c'),
    packetId: 0,
    payload: '',
  },
  {
    name: 'server reset that asks for the wrapped key',
    opcode: 8,
    keyId: 0,
    sessionId: sid('s'),
    acks: [0],
    peerSessionId: sid('c'),
    packetId: 0,
    payload: '000100020001',
  },
  {
    name: 'message with one ack',
    opcode: 4,
    keyId: 0,
    sessionId: sid('c'),
    acks: [0],
    peerSessionId: sid('s'),
    packetId: 1,
    payload: hex(stream('hello', 300)),
  },
  {
    name: 'message with four acks',
    opcode: 4,
    keyId: 3,
    sessionId: sid('c'),
    acks: [7, 6, 5, 4],
    peerSessionId: sid('s'),
    packetId: 9,
    payload: hex(stream('flight', 400)),
  },
  {
    name: 'message without acks',
    opcode: 4,
    keyId: 7,
    sessionId: sid('s'),
    acks: [],
    packetId: 4294967295,
    payload: '16',
  },
  {
    name: 'ack of one',
    opcode: 5,
    keyId: 0,
    sessionId: sid('c'),
    acks: [1],
    peerSessionId: sid('s'),
    payload: '',
  },
  {
    name: 'ack of eight',
    opcode: 5,
    keyId: 1,
    sessionId: sid('c'),
    acks: [8, 7, 6, 5, 4, 3, 2, 4294967295],
    peerSessionId: sid('s'),
    payload: '',
  },
  { name: 'soft reset', opcode: 3, keyId: 1, sessionId: sid('s'), acks: [], packetId: 0, payload: '' },
  { name: 'obsolete client reset', opcode: 1, keyId: 0, sessionId: sid('c'), acks: [], packetId: 0, payload: '' },
  { name: 'obsolete server reset', opcode: 2, keyId: 0, sessionId: sid('s'), acks: [], packetId: 0, payload: '' },
]
/** Packets behind which a wrapped client key stands; tls-crypt only. */
const keyedPackets = [
  { name: 'client reset V3', opcode: 10, keyId: 0, sessionId: sid('c'), acks: [], packetId: 0, payload: '' },
  {
    name: 'message with wrapped key',
    opcode: 11,
    keyId: 0,
    sessionId: sid('c'),
    acks: [0],
    peerSessionId: sid('s'),
    packetId: 1,
    payload: hex(stream('hello', 250)),
  },
  {
    name: 'empty message with wrapped key',
    opcode: 11,
    keyId: 0,
    sessionId: sid('c'),
    acks: [0],
    peerSessionId: sid('s'),
    packetId: 1,
    payload: '',
  },
]

function compute() {
  const source = 'computed with node:crypto by test/support/wire-vectors.mjs from the layouts in spec/'
  const key = stream('static key', 256)
  const time = 1767225600
  save(
    'control-plain',
    source,
    packets.map((p) => ({ name: p.name, packet: p, bytes: hex(Buffer.concat([header(p), body(p)])) })),
  )
  const auth = []
  for (const hash of Object.keys(digests)) {
    for (const direction of [0, 1, null]) {
      for (const [i, p] of packets.entries()) {
        const sendHalf = direction === 1 ? 1 : 0
        auth.push({
          name: `${hash}, direction ${direction ?? 'none'}, ${p.name}`,
          key: hex(direction === null && i % 2 === 0 ? key.subarray(0, 128) : key),
          hash,
          senderDirection: direction,
          receiverDirection: direction === null ? null : 1 - direction,
          packet: p,
          replayPacketId: i + 1,
          replayTime: time + i,
          bytes: hex(tlsAuth(key, sendHalf, hash, p, i + 1, time + i)),
        })
      }
    }
  }
  save('tls-auth', source, auth)
  const crypt = []
  for (const [sender, sendHalf] of [
    ['server', 0],
    ['client', 1],
  ]) {
    for (const [i, p] of [...packets, ...keyedPackets].entries()) {
      const id = p.opcode >= 10 ? 0x0f000001 + i : i + 1
      crypt.push({
        name: `${sender}, ${p.name}`,
        key: hex(key),
        sender,
        packet: p,
        replayPacketId: id,
        replayTime: time + i,
        bytes: hex(tlsCrypt(key, sendHalf, p, id, time + i)),
      })
    }
  }
  save('tls-crypt', source, crypt)

  const serverKey = stream('server key', 128)
  const metadata = [
    ['none', ''],
    ['user, empty', '00'],
    ['user', `00${hex(Buffer.from('{"device":"laptop"}'))}`],
    ['user, longest', `00${hex(stream('metadata', 729))}`],
    ['timestamp', '010000000069555180'],
    ['timestamp before 1970', '01ffffffffffffffff'],
    ['timestamp cut short', '0100000000695551'],
    ['unknown type', '7f0102'],
  ]
  const wrapped = []
  for (const serverKeyId of [undefined, 0x063fe634]) {
    for (const [name, data] of metadata) {
      const clientKey = stream(`client key ${name}`, 256)
      wrapped.push({
        name: serverKeyId === undefined ? name : `${name}, with server key id`,
        serverKey: hex(serverKey),
        ...(serverKeyId === undefined ? {} : { serverKeyId }),
        clientKey: hex(clientKey),
        metadata: data,
        bytes: hex(wrapKey(serverKey, clientKey, Buffer.from(data, 'hex'), serverKeyId)),
      })
    }
  }
  save('wrapped-client-key', source, wrapped)

  const dynamic = []
  for (const length of [0, 128, 256]) {
    const exported = stream('exported', 256)
    const base = stream('base key', length)
    const mixed = Buffer.from(exported.map((byte, i) => byte ^ (base[i] ?? 0)))
    dynamic.push({ name: `base key of ${length} bytes`, exported: hex(exported), base: hex(base), mixed: hex(mixed) })
  }
  save('dynamic-key', source, dynamic)

  const cookies = []
  for (const [address, now] of [
    ['udp4 192.0.2.7:1194', 0],
    ['udp4 192.0.2.7:1195', 0],
    ['udp6 [2001:db8::7]:1194', 29_999],
    ['udp4 192.0.2.7:1194', 30_000],
    ['udp4 192.0.2.7:1194', 1_767_225_600_000],
  ]) {
    const secret = stream('cookie secret', 32)
    const slot = Math.floor(now / 30_000)
    const slotField = Buffer.alloc(6)
    slotField.writeUIntBE(slot, 0, 6)
    const mac = createHmac('sha256', secret)
      .update(Buffer.concat([slotField, Buffer.from(sid('c'), 'hex'), Buffer.from(address)]))
      .digest()
      .subarray(0, 8)
    mac[0] |= 1
    mac[7] = (mac[7] & 0xfc) | (slot % 4)
    cookies.push({
      secret: hex(secret),
      slotLength: 30_000,
      address,
      clientSessionId: sid('c'),
      now,
      serverSessionId: hex(mac),
    })
  }
  save('reset-cookie', source, cookies)
}

// ---- captured from the reference ----------------------------------------------------------------------------------

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
  const source = `openvpn ${version}, caught on 127.0.0.1 by test/support/wire-vectors.mjs`
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
  save('key-files', `openvpn ${version} --genkey, taken apart with node:crypto by test/support/wire-vectors.mjs`, files)

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

const job = { compute, capture }[process.argv[2]]
if (job === undefined) {
  console.error('usage: node test/support/wire-vectors.mjs compute|capture')
  process.exitCode = 2
} else {
  await job()
}
rmSync(dir, { recursive: true, force: true })
