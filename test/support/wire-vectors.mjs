/**
 * Makes the computed files of `vectors/wire`, the same on every run:
 *
 *     node test/support/wire-vectors.mjs
 */
import { createHmac } from 'node:crypto'
import { digests, header, body, hex, save, sid, stream, tlsAuth, tlsCrypt, wrapKey } from './wire-formulas.mjs'

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

compute()
