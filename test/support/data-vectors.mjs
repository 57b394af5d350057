/**
 * Makes the files of `vectors/data` with code that shares nothing with `src`: node:crypto, the liblz4 and liblzo2 of this
 * machine, and the reference's own program.
 *
 *     node test/support/data-vectors.mjs compute     from the formulas, the same on every run
 *     node test/support/data-vectors.mjs compress    from liblz4 and liblzo2, called through Python's ctypes
 *     node test/support/data-vectors.mjs capture     packets and sizes of the installed openvpn; as root, in a network
 *                                                    namespace of its own
 *
 * The capture runs openvpn in static-key mode with a real tun device, plays its peer as a bare UDP socket, and keeps what
 * arrives: packets that the kernel routed into the tunnel, pings and OCC requests. The sizes come from the log lines in
 * which openvpn says what it made of `mssfix` and `fragment`.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const out = fileURLToPath(new URL('../../vectors/data/', import.meta.url))
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const u16 = (n) => Buffer.from([n >> 8, n & 255])
const u32 = (n) => Buffer.from([n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255])
const u48 = (n) => Buffer.concat([u16(Math.floor(n / 2 ** 32)), u32(n % 2 ** 32)])
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
/** `length` bytes fixed by a label. */
function stream(label, length) {
  const blocks = []
  for (let i = 0; i * 32 < length; i++) blocks.push(createHash('sha256').update(`${label} ${i}`).digest())
  return Buffer.concat(blocks).subarray(0, length)
}
function save(name, source, cases) {
  const lines = cases.map((c) => JSON.stringify(c)).join(',\n')
  writeFileSync(join(out, `${name}.json`), `{"source": ${JSON.stringify(source)},\n"cases": [\n${lines}\n]}\n`)
  console.log(name, cases.length)
}

// ---- the formulas -------------------------------------------------------------------------------------------------

const AEADS = { 'AES-128-GCM': 16, 'AES-192-GCM': 24, 'AES-256-GCM': 32, 'CHACHA20-POLY1305': 32 }
const CBCS = { 'AES-128-CBC': 16, 'AES-192-CBC': 24, 'AES-256-CBC': 32 }
const DIGESTS = { MD5: 16, SHA1: 20, SHA224: 28, SHA256: 32, SHA384: 48, SHA512: 64 }

function aead(cipher, key, nonce, ad, payload) {
  const c = createCipheriv(cipher.toLowerCase(), key, nonce, { authTagLength: 16 })
  c.setAAD(ad)
  const text = Buffer.concat([c.update(payload), c.final()])
  return { text, tag: c.getAuthTag() }
}
const half = (key2, index) => ({ cipher: key2.subarray(index * 128), hmac: key2.subarray(index * 128 + 64) })
const header = (p) =>
  p.peerId === undefined ? Buffer.from([0x30 | p.keyId]) : u32((0x48 | p.keyId) * 2 ** 24 + p.peerId)

function sealAead(p, key2) {
  const { cipher, hmac } = half(key2, 0)
  const id = u32(p.id)
  const ad = p.peerId === undefined ? id : Buffer.concat([header(p), id])
  const { text, tag } = aead(
    p.cipher,
    cipher.subarray(0, AEADS[p.cipher]),
    Buffer.concat([id, hmac.subarray(0, 8)]),
    ad,
    p.payload,
  )
  return Buffer.concat([header(p), id, tag, text])
}
const expandLabel = (secret, label, length) => {
  const name = Buffer.from(`ovpn ${label}`)
  const info = Buffer.concat([u16(length), Buffer.from([name.length]), name, Buffer.from([0])])
  // HKDF-Expand alone, for outputs of at most one block.
  return createHmac('sha256', secret)
    .update(info)
    .update(Buffer.from([1]))
    .digest()
    .subarray(0, length)
}
function epochSecret(key, epoch) {
  let secret = key.subarray(0, 32)
  for (let i = 1; i < epoch; i++) secret = expandLabel(secret, 'datakey upd', 32)
  return secret
}
function sealEpoch(p, key2) {
  const secret = epochSecret(half(key2, 0).cipher, p.epoch)
  const key = expandLabel(secret, 'data_key', AEADS[p.cipher])
  const iv = Buffer.from(expandLabel(secret, 'data_iv', 12))
  const id = Buffer.concat([u16(p.epoch), u48(p.id)])
  for (let i = 0; i < 8; i++) iv[i] ^= id[i]
  const ad = Buffer.concat([header(p), id])
  const { text, tag } = aead(p.cipher, key, iv, ad, p.payload)
  return Buffer.concat([ad, text, tag])
}
function sealMac(p, key2) {
  const { cipher, hmac } = half(key2, 0)
  const id = p.time === undefined ? u32(p.id) : Buffer.concat([u32(p.id), u32(p.time)])
  let body = Buffer.concat([id, p.payload])
  if (p.cipher !== 'none') {
    const c = createCipheriv(p.cipher.toLowerCase(), cipher.subarray(0, CBCS[p.cipher]), p.iv)
    body = Buffer.concat([p.iv, c.update(body), c.final()])
  }
  const mac =
    p.auth === 'none'
      ? Buffer.alloc(0)
      : createHmac(p.auth.toLowerCase(), hmac.subarray(0, DIGESTS[p.auth])).update(body).digest()
  return Buffer.concat([p.time === undefined ? header(p) : Buffer.alloc(0), mac, body])
}

function computePackets() {
  const cases = []
  const add = (p, seal) => {
    const label = `${p.cipher} ${p.auth ?? ''} ${p.peerId ?? ''} ${p.epoch ?? ''} ${p.time ?? ''} ${p.length}`
    const key2 = stream(`key2 ${label}`, 256)
    const full = { ...p, payload: stream(`payload ${label}`, p.length) }
    if (p.auth !== undefined && p.cipher !== 'none') full.iv = stream(`iv ${label}`, 16)
    const rest = { ...full }
    delete rest.length
    cases.push({
      ...rest,
      key2: hex(key2),
      payload: hex(full.payload),
      ...(full.iv ? { iv: hex(full.iv) } : {}),
      packet: hex(seal(full, key2)),
    })
  }
  for (const cipher of Object.keys(AEADS)) {
    for (const length of [1, 16, 85]) {
      add({ format: 'aead', cipher, keyId: 3, id: 1, length }, sealAead)
      add({ format: 'aead', cipher, keyId: 0, peerId: 0x123456, id: 0xfeffffff, length }, sealAead)
      for (const epoch of [1, 2, 17])
        add({ format: 'aead-epoch', cipher, keyId: 7, peerId: 9, epoch, id: 2 ** 33 + 5, length }, sealEpoch)
    }
  }
  for (const auth of [...Object.keys(DIGESTS), 'none']) {
    for (const cipher of [...Object.keys(CBCS), 'none']) {
      for (const length of [1, 12, 41]) {
        const name = cipher === 'none' ? 'clear' : 'cbc'
        add({ format: name, cipher, auth, keyId: 1, id: 77, length }, sealMac)
        add({ format: name, cipher, auth, keyId: 1, peerId: 0, id: 78, length }, sealMac)
        add({ format: `static-${name}`, cipher, auth, keyId: 0, id: 79, time: 0x80000001, length }, sealMac)
      }
    }
  }
  save('packets', 'computed by test/support/data-vectors.mjs with node:crypto; key2 is used forwards', cases)
}

function tls1Prf(secret, seed, length) {
  const part = Math.ceil(secret.length / 2)
  const result = Buffer.alloc(length)
  for (const [hash, key] of [
    ['md5', secret.subarray(0, part)],
    ['sha1', secret.subarray(secret.length - part)],
  ]) {
    const mac = (...parts) => createHmac(hash, key).update(Buffer.concat(parts)).digest()
    let chain = seed
    const stretched = []
    while (stretched.reduce((sum, block) => sum + block.length, 0) < length) {
      chain = mac(chain)
      stretched.push(mac(chain, seed))
    }
    Buffer.concat(stretched)
      .subarray(0, length)
      .forEach((byte, i) => (result[i] ^= byte))
  }
  return result
}

function computeKeys() {
  const prf = []
  for (let i = 0; i < 6; i++) {
    const m = {}
    const sizes = {
      preMaster: 48,
      clientRandom1: 32,
      clientRandom2: 32,
      serverRandom1: 32,
      serverRandom2: 32,
      clientSessionId: 8,
      serverSessionId: 8,
    }
    for (const [name, size] of Object.entries(sizes)) m[name] = stream(`${name} ${i}`, size)
    const master = tls1Prf(
      m.preMaster,
      Buffer.concat([Buffer.from('OpenVPN master secret'), m.clientRandom1, m.serverRandom1]),
      48,
    )
    const seed = [
      Buffer.from('OpenVPN key expansion'),
      m.clientRandom2,
      m.serverRandom2,
      m.clientSessionId,
      m.serverSessionId,
    ]
    const key2 = tls1Prf(master, Buffer.concat(seed), 256)
    prf.push({ ...Object.fromEntries(Object.entries(m).map(([name, bytes]) => [name, hex(bytes)])), key2: hex(key2) })
  }
  save('prf', 'computed by test/support/data-vectors.mjs with node:crypto (HMAC-MD5, HMAC-SHA1)', prf)
  const chains = []
  for (const cipher of Object.keys(AEADS)) {
    const key = stream(`epoch ${cipher}`, 64)
    const epochs = []
    for (const epoch of [1, 2, 3, 17, 18, 255, 1000]) {
      const secret = epochSecret(key, epoch)
      epochs.push({
        epoch,
        key: hex(expandLabel(secret, 'data_key', AEADS[cipher])),
        iv: hex(expandLabel(secret, 'data_iv', 12)),
      })
    }
    chains.push({ cipher, material: hex(key), epochs })
  }
  // The one-block shortcut above against the whole HKDF: an Extract step whose result is known makes the two comparable.
  const prk = createHmac('sha256', Buffer.alloc(32)).update(Buffer.from('x')).digest()
  const info = Buffer.concat([u16(32), Buffer.from([16]), Buffer.from('ovpn datakey upd'), Buffer.from([0])])
  const whole = hex(Buffer.from(hkdfSync('sha256', Buffer.from('x'), Buffer.alloc(32), info, 32)))
  if (whole !== hex(expandLabel(prk, 'datakey upd', 32))) throw new Error('the two HKDFs differ')
  save('epoch-keys', 'computed by test/support/data-vectors.mjs with node:crypto (HMAC-SHA256)', chains)
}

function computeFraming() {
  const cases = []
  const put = (framing, payload, wire) => cases.push({ framing, payload: hex(payload), wire: hex(wire) })
  for (const payload of [
    Buffer.from('45000014', 'hex'),
    Buffer.from('50aabb', 'hex'),
    Buffer.from('2a', 'hex'),
    stream('frame', 60),
  ]) {
    const swapped = Buffer.concat([Buffer.from([0xfb]), payload.subarray(1), payload.subarray(0, 1)])
    const escaped = payload[0] === 0x50 ? Buffer.concat([Buffer.from([0x50, 0]), payload]) : payload
    for (const framing of ['comp-lzo', 'lzo']) put(framing, payload, Buffer.concat([Buffer.from([0xfa]), payload]))
    for (const framing of ['stub', 'lz4']) put(framing, payload, swapped)
    for (const framing of ['stub-v2', 'lz4-v2']) put(framing, payload, escaped)
    put('none', payload, payload)
  }
  save('framing', 'computed by test/support/data-vectors.mjs', cases)
}

function computeFragments() {
  const cases = []
  for (const [limit, length] of [
    [8, 8],
    [8, 9],
    [100, 1372],
    [1196, 1373],
    [436, 1500],
    [403, 1501],
    [48, 1500],
    [44, 1408],
    [1023, 1024],
  ]) {
    const packet = stream(`fragment ${limit} ${length}`, length)
    if (length <= limit) {
      cases.push({ limit, packet: hex(packet), fragments: [hex(Buffer.concat([u32(0), packet]))] })
      continue
    }
    const most = limit - (limit % 4)
    const count = Math.ceil(length / most)
    const size = Math.ceil(length / count / 4) * 4
    const fragments = []
    for (let at = 0; at < length; at += size) {
      const last = at + size >= length
      const word = (last ? 2 : 1) | (1 << 2) | ((at / size) << 10) | (last ? (size / 4) << 15 : 0)
      fragments.push(hex(Buffer.concat([u32(word >>> 0), packet.subarray(at, at + size)])))
    }
    cases.push({ limit, packet: hex(packet), fragments })
  }
  save('fragments', 'computed by test/support/data-vectors.mjs; the first fragmented packet has sequence id 1', cases)
}

function checksum(bytes) {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2)
    sum += bytes.readUIntBE(i, Math.min(2, bytes.length - i)) << (i + 1 < bytes.length ? 0 : 8)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
/** A TCP segment inside IP with all checksums right. */
function tcpPacket({ version, flags, options, ipOptions = 0, payload = Buffer.alloc(0) }) {
  const tcp = Buffer.concat([
    u16(40000),
    u16(443),
    u32(12345),
    u32(0),
    Buffer.from([(20 + options.length) << 2, flags]),
    u16(64240),
    u32(0),
    options,
    payload,
  ])
  const src = stream('src', version === 4 ? 4 : 16)
  const dst = stream('dst', version === 4 ? 4 : 16)
  const pseudo =
    version === 4
      ? Buffer.concat([src, dst, Buffer.from([0, 6]), u16(tcp.length)])
      : Buffer.concat([src, dst, u32(tcp.length), u32(6)])
  tcp.writeUInt16BE(checksum(Buffer.concat([pseudo, tcp])), 16)
  if (version === 6) return Buffer.concat([u32(0x60000000), u16(tcp.length), Buffer.from([6, 64]), src, dst, tcp])
  const ip = Buffer.concat([
    Buffer.from([0x45 + ipOptions, 0]),
    u16(20 + 4 * ipOptions + tcp.length),
    u32(0x12344000),
    Buffer.from([64, 6]),
    u16(0),
    src,
    dst,
    Buffer.alloc(4 * ipOptions, 1),
  ])
  ip.writeUInt16BE(checksum(ip), 10)
  return Buffer.concat([ip, tcp])
}
function computeMss() {
  const mss = (value) => Buffer.concat([Buffer.from([2, 4]), u16(value)])
  const nop = Buffer.from([1])
  const sack = Buffer.from([4, 2])
  const stamp = Buffer.concat([Buffer.from([8, 10]), stream('stamp', 8)])
  const scale = Buffer.from([3, 3, 7])
  const end = Buffer.from([0])
  const layouts = {
    first: (v) => [mss(v), sack, stamp, nop, scale],
    last: (v) => [scale, nop, sack, stamp, mss(v), nop, nop],
    odd: (v) => [nop, mss(v), nop, sack],
    'odd, behind scale': (v) => [scale, mss(v), nop],
    alone: (v) => [mss(v)],
    'behind the end': (v) => [end, nop, nop, nop, mss(v)],
  }
  const cases = []
  for (const version of [4, 6]) {
    for (const [name, build] of Object.entries(layouts)) {
      for (const [flags, value, limit, ipOptions] of [
        [2, 1460, 1300, 0],
        [0x12, 1460, 1300, 0],
        [2, 1300, 1300, 0],
        [2, 65535, 100, 2],
        [0x10, 1460, 1300, 0],
        [2, 500, 1300, 0],
        [0xc2, 8960, 1235, 1],
      ]) {
        const make = (v) =>
          tcpPacket({
            version,
            flags,
            options: Buffer.concat(build(v)),
            ipOptions: version === 4 ? ipOptions : 0,
            payload: stream('data', 3),
          })
        const own = version === 4 ? limit : limit - 20
        const changed = (flags & 2) !== 0 && value > own && name !== 'behind the end'
        cases.push({
          name: `IPv${version} ${name}`,
          limit,
          before: hex(make(value)),
          after: hex(make(changed ? own : value)),
          changed,
        })
      }
    }
  }
  save('mss', 'computed by test/support/data-vectors.mjs; both packets with checksums computed from scratch', cases)
}

// ---- the compression libraries --------------------------------------------------------------------------------------

const PYTHON = `
import ctypes, sys, json, hashlib
lz4 = ctypes.CDLL('liblz4.so.1'); lzo = ctypes.CDLL('liblzo2.so.2')
if lzo.__lzo_init_v2(1,-1,-1,-1,-1,-1,-1,-1,-1,-1) != 0: sys.exit('lzo_init')
def stream(label, n):
    out = b''
    i = 0
    while len(out) < n:
        out += hashlib.sha256(f'{label} {i}'.encode()).digest(); i += 1
    return out[:n]
texts = {
 'zeros': bytes(1500), 'short zeros': bytes(64), 'text': (b'GET /index.html HTTP/1.1\\r\\nHost: example.org\\r\\nAccept: */*\\r\\n' * 30)[:1400],
 'words': b' '.join(stream(str(i % 23), 1 + i % 7).hex().encode() for i in range(200))[:1500],
 'mixed': b''.join(stream(str(i), 40) + b'A' * (i * 9 % 300) for i in range(12))[:1500],
 'far': (stream('far', 700) + bytes(100) + stream('far', 700))[:1500],
 'long far': stream('a', 20000) + b'x' * 600 + stream('a', 20000)[:3000] + stream('b', 30000) + stream('a', 20000)[500:1500],
 'noise': stream('noise', 300), 'one': b'\\x45', 'ramp': bytes(range(256)) * 5, 'pairs': bytes((i // 2) % 251 for i in range(1400)),
}
cases = []
for name, text in texts.items():
    src = ctypes.create_string_buffer(text, len(text)); size = len(text) * 2 + 1000
    dst = ctypes.create_string_buffer(size)
    n = lz4.LZ4_compress_default(src, dst, len(text), size)
    cases.append(dict(name=name, algorithm='lz4', packed=dst.raw[:n].hex(), length=len(text), sha256=hashlib.sha256(text).hexdigest()))
    for variant, memory in (('lzo1x_1_compress', 1 << 17), ('lzo1x_1_15_compress', 1 << 20), ('lzo1x_999_compress', 1 << 20)):
        work = ctypes.create_string_buffer(memory); length = ctypes.c_ulong(size)
        getattr(lzo, variant)(src, ctypes.c_ulong(len(text)), dst, ctypes.byref(length), work)
        cases.append(dict(name=f'{name}, {variant}', algorithm='lzo', packed=dst.raw[:length.value].hex(), length=len(text), sha256=hashlib.sha256(text).hexdigest()))
print(json.dumps(cases))
`
function compressCases() {
  const cases = JSON.parse(execFileSync('python3', ['-c', PYTHON], { encoding: 'utf8', maxBuffer: 1 << 26 }))
  save('compressed', 'liblz4 1.9.4 and liblzo2 2.10 of Debian bookworm', cases)
}

// ---- the reference --------------------------------------------------------------------------------------------------

const ip = (...args) => execFileSync('ip', args)

/** Runs openvpn in static-key mode, sends packets into its tunnel and returns what came out of its socket. */
async function captureOne(dir, options, packets) {
  const key = join(dir, 'key')
  execFileSync('openvpn', ['--genkey', 'secret', key])
  const socket = createSocket('udp4')
  const got = []
  socket.on('message', (m) => got.push(hex(m)))
  await new Promise((done) => socket.bind(5002, '127.0.0.1', done))
  const args = [
    '--dev',
    'tun',
    '--ifconfig',
    '10.9.0.1',
    '10.9.0.2',
    '--secret',
    key,
    '0',
    '--lport',
    '5001',
    '--local',
    '127.0.0.1',
  ]
  const child = spawn('openvpn', [...args, '--remote', '127.0.0.1', '5002', '--verb', '4', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stdout.on('data', (text) => (log += text))
  for (let i = 0; i < 60 && !log.includes('UDPv4 link remote'); i++) await sleep(50)
  await sleep(150)
  const inside = createSocket('udp4')
  await new Promise((done) => inside.bind(7000, done))
  const sent = []
  for (const packet of packets) {
    if (packet === 'tcp') {
      const tcp = connect(80, '10.9.0.2')
      tcp.on('error', () => {})
      await sleep(120)
      tcp.destroy()
      continue
    }
    await new Promise((done) => inside.send(packet, 7000, '10.9.0.2', done))
    sent.push(hex(packet))
    await sleep(30)
  }
  await sleep(options.includes('--ping') ? 1300 : 200)
  inside.close()
  child.kill()
  await new Promise((done) => child.on('exit', done))
  socket.close()
  const digits = readFileSync(key, 'utf8')
    .replace(/.*-----BEGIN[^\n]*\n(.*)-----END.*/s, '$1')
    .replace(/\s/g, '')
  return { options: options.join(' '), key: digits, sent, received: got, log }
}

/** The MSS in the IPv4 SYN among captured static-key packets. */
function synMss({ key, received }, cipher, auth) {
  const { cipher: cipherKey } = half(Buffer.from(key, 'hex'), 0)
  const mac = auth === 'none' ? 0 : DIGESTS[auth]
  for (const packet of received) {
    const bytes = Buffer.from(packet, 'hex').subarray(mac)
    const clear = cipher === 'none' ? bytes : decryptCbc(cipher, cipherKey.subarray(0, CBCS[cipher]), bytes)
    const text = clear.subarray(clear[8] === 0xfa ? 9 : 8)
    if (text[0] === 0x45 && text[9] === 6) return text.readUInt16BE(20 + 20 + 2)
  }
  throw new Error('no SYN was captured')
}
function decryptCbc(cipher, key, bytes) {
  const c = createDecipheriv(cipher.toLowerCase(), key, bytes.subarray(0, 16))
  return Buffer.concat([c.update(bytes.subarray(16)), c.final()])
}

function sizesIn(log) {
  const line = (name) => new RegExp(`${name} MTU parms \\[ mss_fix:(-?\\d+) max_frag:(\\d+) tun_mtu:(\\d+)`).exec(log)
  const data = line('Data Channel')
  const fragment = line('Fragmentation')
  return { mss: Number((fragment ?? data)[1]), fragment: Number((fragment ?? data)[2]) }
}

async function capture() {
  if (process.env['IN_NAMESPACE'] !== '1') {
    const done = spawnSync('unshare', ['-n', process.execPath, fileURLToPath(import.meta.url), 'capture'], {
      stdio: 'inherit',
      env: { ...process.env, IN_NAMESPACE: '1' },
    })
    process.exit(done.status ?? 1)
  }
  ip('link', 'set', 'lo', 'up')
  const dir = mkdtempSync(join(tmpdir(), 'data-vectors-'))
  const release = /OpenVPN ([\d.]+)/.exec(spawnSync('openvpn', ['--version'], { encoding: 'utf8' }).stdout)[1]
  const texts = [stream('inside', 20), Buffer.alloc(500, 'compressible text '), stream('large', 1300)]
  const packets = []
  const keep = ({ options, key, sent, received }) => packets.push({ options, key, sent, received })
  for (const cipher of [...Object.keys(CBCS), 'none']) {
    for (const auth of [...Object.keys(DIGESTS), 'none']) {
      keep(await captureOne(dir, ['--cipher', cipher, '--auth', auth], [texts[0], texts[2]]))
    }
  }
  const base = ['--cipher', 'AES-256-CBC', '--auth', 'SHA256']
  keep(await captureOne(dir, [...base, '--ping', '1'], [texts[0]]))
  for (const compression of [
    ['--comp-lzo', 'no'],
    ['--comp-lzo', 'yes', '--allow-compression', 'yes'],
    ['--compress'],
    ['--compress', 'stub-v2'],
    ['--compress', 'lzo', '--allow-compression', 'yes'],
    ['--compress', 'lz4', '--allow-compression', 'yes'],
    ['--compress', 'lz4-v2', '--allow-compression', 'yes'],
  ]) {
    keep(await captureOne(dir, [...base, ...compression], texts))
    keep(await captureOne(dir, [...base, ...compression, '--fragment', '600'], texts))
  }
  for (const limit of ['300', '700', '1200']) keep(await captureOne(dir, [...base, '--fragment', limit], texts))
  keep(await captureOne(dir, [...base, '--mssfix', '1200'], ['tcp']))
  keep(await captureOne(dir, [...base, '--mssfix', '1000', 'mtu'], ['tcp']))
  keep(await captureOne(dir, [...base, '--fragment', '900', '--mssfix', '800', 'fixed'], ['tcp']))
  const empty = packets.filter((p) => p.received.length === 0)
  if (empty.length > 0) throw new Error(`nothing captured for ${empty.map((p) => p.options).join('; ')}`)
  save(
    'captured',
    `openvpn ${release}, static-key mode, key used forwards; caught by test/support/data-vectors.mjs`,
    packets,
  )

  const sizes = []
  for (const [cipher, auth] of [
    ['AES-128-CBC', 'SHA1'],
    ['AES-256-CBC', 'SHA512'],
    ['AES-192-CBC', 'MD5'],
    ['none', 'SHA256'],
    ['AES-256-CBC', 'none'],
  ]) {
    for (const more of [
      ['--mssfix', '1450'],
      ['--mssfix', '1400', 'mtu'],
      ['--mssfix', '1300', 'fixed'],
      ['--fragment', '1000', '--mssfix', '1000'],
      ['--fragment', '1000', 'mtu', '--mssfix', '900', 'mtu'],
      ['--mssfix', '1450', '--comp-lzo', 'no'],
      ['--mssfix', '1300', '--fragment', '1200', '--compress', 'stub-v2'],
      [],
    ]) {
      const fragmented = more.includes('--fragment')
      const got = await captureOne(dir, ['--cipher', cipher, '--auth', auth, ...more], fragmented ? [] : ['tcp'])
      // Without fragment the log says 0, but a SYN that went through shows what was made of it.
      const size = fragmented ? sizesIn(got.log) : { mss: synMss(got, cipher, auth), fragment: 0 }
      sizes.push({ mode: 'static', cipher, auth, options: more.join(' '), ...size })
    }
  }
  sizes.push(...(await captureTlsSizes(dir)))
  save(
    'sizes',
    `openvpn ${release}: its log lines "MTU parms" (with fragment; printed before the peer's address is known, so the outer header counts as IPv6 and TLS mode as DATA_V1), or the MSS of a captured SYN (without; IPv4); over UDP, tun-mtu 1500`,
    sizes,
  )
  rmSync(dir, { recursive: true })
}

/** A pair in TLS mode over loopback, for the sizes of the other formats. */
async function captureTlsSizes(dir) {
  const fingerprints = []
  for (const name of ['a', 'b']) {
    const args = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '9',
      '-subj',
      `/CN=${name}`,
    ]
    execFileSync('openssl', [...args, '-keyout', join(dir, `${name}.key`), '-out', join(dir, `${name}.crt`)], {
      stdio: 'ignore',
    })
    const text = execFileSync(
      'openssl',
      ['x509', '-in', join(dir, `${name}.crt`), '-noout', '-fingerprint', '-sha256'],
      { encoding: 'utf8' },
    )
    fingerprints.push(text.split('=')[1].trim())
  }
  const sizes = []
  for (const cipher of ['AES-256-GCM', 'CHACHA20-POLY1305', 'AES-128-CBC', 'AES-256-CBC']) {
    for (const more of [
      ['--fragment', '1000', '--mssfix', '1000'],
      ['--fragment', '700', 'mtu', '--mssfix', '1400', 'mtu'],
      ['--fragment', '1000', '--mssfix', '900', '--comp-lzo', 'no'],
    ]) {
      const common = [
        '--dev',
        'null',
        '--verb',
        '4',
        '--auth',
        'SHA256',
        '--data-ciphers',
        cipher,
        '--data-ciphers-fallback',
        cipher,
        ...more,
      ]
      const side = (name, own, peer, print, role) => {
        const identity = [
          '--cert',
          join(dir, `${name}.crt`),
          '--key',
          join(dir, `${name}.key`),
          '--peer-fingerprint',
          print,
        ]
        const path = ['--local', '127.0.0.1', '--lport', own, '--remote', '127.0.0.1', peer]
        return spawn('openvpn', [...common, ...identity, ...path, ...role])
      }
      const server = side('a', '5001', '5002', fingerprints[1], ['--tls-server', '--dh', 'none'])
      await sleep(150)
      const client = side('b', '5002', '5001', fingerprints[0], ['--tls-client'])
      let log = ''
      server.stdout.on('data', (text) => (log += text))
      for (let i = 0; i < 100 && !/MTU parms/.test(log); i++) await sleep(50)
      await sleep(100)
      client.kill()
      server.kill()
      await new Promise((done) => server.on('exit', done))
      sizes.push({ mode: 'tls', cipher, auth: 'SHA256', options: more.join(' '), ...sizesIn(log) })
    }
  }
  return sizes
}

const jobs = {
  compute: () => [computePackets, computeKeys, computeFraming, computeFragments, computeMss].forEach((job) => job()),
  compress: compressCases,
  capture,
}
const job = jobs[process.argv[2] ?? '']
if (job === undefined) {
  console.error(`usage: data-vectors.mjs ${Object.keys(jobs).join('|')}`)
  process.exit(2)
}
await job()
