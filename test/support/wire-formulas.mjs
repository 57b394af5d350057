/**
 * The layouts of the control wraps, written once more with node:crypto and nothing of `src`: what the vectors of
 * `vectors/wire` are made and taken apart with.
 */
import { createCipheriv, createHash, createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const out = fileURLToPath(new URL('../../vectors/wire/', import.meta.url))
export const hex = (bytes) => Buffer.from(bytes).toString('hex')
export const u16 = (n) => Buffer.from([n >> 8, n & 255])
export const u32 = (n) => Buffer.from([n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255])
/** `length` bytes fixed by a label. */
export function stream(label, length) {
  const blocks = []
  for (let i = 0; i * 32 < length; i++) blocks.push(createHash('sha256').update(`${label} ${i}`).digest())
  return Buffer.concat(blocks).subarray(0, length)
}
export function save(name, source, cases) {
  writeFileSync(join(out, `${name}.json`), `${JSON.stringify({ source, cases }, null, 1)}\n`)
  console.log(name, cases.length)
}

export const header = (p) => Buffer.concat([Buffer.from([p.opcode * 8 + p.keyId]), Buffer.from(p.sessionId, 'hex')])
export const body = (p) =>
  Buffer.concat([
    Buffer.from([p.acks.length]),
    ...p.acks.map(u32),
    p.acks.length > 0 ? Buffer.from(p.peerSessionId, 'hex') : Buffer.alloc(0),
    p.packetId === undefined ? Buffer.alloc(0) : u32(p.packetId),
    Buffer.from(p.payload, 'hex'),
  ])
export const half = (key, index) => key.subarray(index * 128, index * 128 + 128)
export const digests = { MD5: 16, SHA1: 20, SHA224: 28, SHA256: 32, SHA384: 48, SHA512: 64 }

export function tlsAuth(key, sendHalf, hash, p, id, time) {
  const macKey = half(key, sendHalf).subarray(64, 64 + digests[hash])
  const replay = Buffer.concat([u32(id), u32(time)])
  const mac = createHmac(hash.toLowerCase(), macKey)
    .update(Buffer.concat([replay, header(p), body(p)]))
    .digest()
  return Buffer.concat([header(p), mac, replay, body(p)])
}
export function tlsCrypt(key, sendHalf, p, id, time) {
  const slot = half(key, sendHalf)
  const ad = Buffer.concat([header(p), u32(id), u32(time)])
  const tag = createHmac('sha256', slot.subarray(64, 96)).update(ad).update(body(p)).digest()
  const cipher = createCipheriv('aes-256-ctr', slot.subarray(0, 32), tag.subarray(0, 16))
  return Buffer.concat([ad, tag, cipher.update(body(p))])
}
export function wrapKey(serverKey, clientKey, metadata, serverKeyId) {
  const idField = serverKeyId === undefined ? Buffer.alloc(0) : u32(serverKeyId)
  const length = u16(32 + 256 + metadata.length + idField.length + 2)
  const plain = Buffer.concat([clientKey, metadata])
  const tag = createHmac('sha256', serverKey.subarray(64, 96))
    .update(Buffer.concat([length, idField, plain]))
    .digest()
  const cipher = createCipheriv('aes-256-ctr', serverKey.subarray(0, 32), tag.subarray(0, 16))
  return Buffer.concat([tag, cipher.update(plain), idField, length])
}
/** A session id fixed by a label, as hex digits. */
export const sid = (label) => hex(stream(`session ${label}`, 8))
