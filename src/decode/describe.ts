/**
 * A decoded packet as lines for people: a ladder with the client on the left and the server on the right.
 */
import type { ControlView, DataView, DecodedPacket, Said } from './packet.ts'

/** The packet in one line, without time and addresses. */
export function describePacket(packet: DecodedPacket): string {
  const { control, data, keyId, notes, opcode, size } = packet
  const parts = [opcode, `kid=${keyId}`]
  if (control !== undefined) parts.push(...controlWords(control))
  if (data !== undefined) parts.push(...dataWords(data))
  parts.push(`${size} bytes`)
  return `${parts.join(' ')}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`
}

/** The lines that stand for a packet in a ladder: the packet, and under it what was said with it. */
export function ladderLines(packet: DecodedPacket, start: number): readonly string[] {
  const arrow = packet.sender === 'client' ? '-->' : packet.sender === 'server' ? '<--' : ' ? '
  const at = ((packet.time - start) / 1000).toFixed(6).padStart(11)
  const number = String(packet.frame).padStart(5)
  const lines = [`${number} ${at} ${packet.flow} ${arrow} ${describePacket(packet)}`]
  for (const said of packet.said) lines.push(`${' '.repeat(20)}${describeSaid(said)}`)
  return lines
}

/** What was said in one line. */
export function describeSaid(said: Said): string {
  switch (said.type) {
    case 'tls': {
      const fields = Object.entries(said.fields).map(([name, value]) => ` ${name}=[${value}]`)
      return `TLS ${said.name}${said.protected ? ' (encrypted)' : ''}${fields.join('')}`
    }
    case 'tls-sealed':
      return `TLS ${said.records} sealed record${said.records === 1 ? '' : 's'}, ${said.bytes} bytes`
    case 'key-method':
      return `key method 2${Object.entries(said.fields)
        .map(([name, value]) => ` ${name}=[${value}]`)
        .join('')}`
    case 'message':
      return `says ${said.text}`
  }
}

function controlWords(control: ControlView): readonly string[] {
  const { authentic, fields, replayPacketId, sessionId, wrap, wrappedKey } = control
  const words = [`sid=${sessionId}`]
  if (wrap !== 'none') {
    words.push(`${wrap}${authentic ? '' : '?'}${replayPacketId === undefined ? '' : ` rid=${replayPacketId}`}`)
  }
  if (wrappedKey !== undefined) words.push(`wkc=${wrappedKey}`)
  if (fields === undefined) return [...words, 'encrypted']
  const { acks, packetId, payload, peerSessionId, repeated } = fields
  if (packetId !== undefined) words.push(`id=${packetId}`)
  if (acks.length > 0) words.push(`ack=${acks.join(',')}@${peerSessionId ?? ''}`)
  if (payload > 0) words.push(`tls=${payload}`)
  if (repeated) words.push('again')
  return words
}

function dataWords(data: DataView): readonly string[] {
  const { cipher, epoch, opened, packetId, peerId, summary } = data
  const words: string[] = []
  if (peerId !== undefined) words.push(`peer=${peerId === 0xffffff ? 'none' : peerId}`)
  if (epoch !== undefined) words.push(`epoch=${epoch}`)
  if (packetId !== undefined) words.push(`id=${packetId}${opened ? '' : '?'}`)
  if (opened) words.push(`${cipher ?? ''} [${summary ?? ''}]`)
  return words
}
