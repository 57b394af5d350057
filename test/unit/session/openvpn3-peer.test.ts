/**
 * Where OpenVPN 3 says it in another way than 2.x: its answer to a soft reset, and key id 0 after a renegotiation began. The
 * peer is made by hand; `test/vectors/record.test.ts` has the same of the real one.
 */
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { writeControlText } from '../../../src/control/index.ts'
import {
  type ControlPacket,
  type ControlWrap,
  createTlsCryptKeys,
  DYNAMIC_KEY_LABEL,
  keyIdOf,
  mixDynamicKey,
  Opcode,
  opcodeOf,
  parseControlPlain,
  writeControlPlain,
} from '../../../src/wire/index.ts'
import { PKI_NOW } from '../../support/pki.ts'
import { RawPeer } from '../../support/raw-peer.ts'

/** Knows data packets with peer-id, and nothing of a dynamic tls-crypt key. */
const PLAIN = 'IV_PROTO=2\nIV_CIPHERS=AES-256-GCM\nIV_NCP=2\n'
const push = { options: [], peerId: 1 }

/** A connected client without a dynamic key. */
function plainPeer(rekeys?: 'ack-inside' | 'ack-behind'): RawPeer {
  const peer = new RawPeer({
    role: 'client',
    peerInfo: PLAIN,
    session: { push },
    ...(rekeys === undefined ? {} : { rekeys }),
  })
  peer.say('PUSH_REQUEST')
  expect(peer.eventsOf('connected')).toHaveLength(1)
  return peer
}

describe('a soft reset that is answered without a reset', () => {
  it.each(['ack-inside', 'ack-behind'] as const)('SESS-21 %s: TLS goes on from message 0', (rekeys) => {
    const peer = plainPeer(rekeys)
    peer.session.renegotiate(peer.now)
    peer.settle()
    expect(peer.eventsOf('rekeyed')).toMatchObject([{ keyId: 1, initiator: 'us' }])
    expect(Object.values(peer.session.stats.dropped).reduce((sum, count) => sum + count)).toBe(0)
    // And the next one.
    peer.session.renegotiate(peer.now)
    peer.settle()
    expect(peer.eventsOf('rekeyed')).toMatchObject([{ keyId: 1 }, { keyId: 2 }])
  })

  it('SESS-21 before the acknowledgement of our reset TLS bytes wait, whatever they say', () => {
    const peer = plainPeer()
    peer.session.renegotiate(peer.now)
    peer.settle()
    const from = { opcode: Opcode.CONTROL_V1, keyId: 1, sessionId: peer.sessionId, payload: new Uint8Array(40).fill(9) }
    peer.packet({ ...from, acks: [], packetId: 0 })
    peer.settle()
    expect(peer.eventsOf('rekey-failed')).toEqual([])
    peer.packet({ ...from, acks: [0], packetId: 1 })
    peer.settle()
    expect(peer.eventsOf('rekey-failed')).toMatchObject([{ keyId: 1 }])
  })

  it('SESS-21 only our own reset is answered so: nothing else begins with TLS bytes', () => {
    const peer = plainPeer()
    const before = peer.session.digest()
    const payload = new Uint8Array(40)
    const from = { opcode: Opcode.CONTROL_V1, sessionId: peer.sessionId, acks: [], packetId: 0, payload }
    peer.packet({ ...from, keyId: 0 })
    peer.packet({ ...from, keyId: 1 })
    expect(peer.session.digest()).toEqual(before)
    const reset = { opcode: Opcode.CONTROL_SOFT_RESET_V1, payload: new Uint8Array(0) }
    peer.packet({ ...from, ...reset, keyId: 1 })
    const begun = peer.session.digest()
    peer.packet({ ...from, keyId: 1 })
    expect(peer.session.digest()).toEqual(begun)
    expect(peer.session.stats.dropped).toMatchObject({ 'unexpected-reset': 2, 'unknown-key-id': 1 })
  })
})

describe('the key before the present one', () => {
  const rekeyed = (): RawPeer => {
    const peer = plainPeer('ack-inside')
    peer.session.renegotiate(peer.now)
    peer.settle()
    expect(peer.eventsOf('rekeyed')).toHaveLength(1)
    return peer
  }

  it('SESS-38 what is said under it is heard', () => {
    const peer = rekeyed()
    peer.sayBefore('EXIT')
    expect(peer.session.closeReason).toEqual({ type: 'peer-exit' })
  })

  it('SESS-38 its end is of no consequence, and it is not answered under', () => {
    const peer = rekeyed()
    peer.wait(60_000)
    const sent = peer.received.length
    peer.sayBefore('PUSH_REQUEST')
    peer.sayBefore(undefined)
    expect(peer.session.state).toBe('connected')
    const since = peer.received.slice(sent)
    expect(since.filter(({ keyId }) => keyId === 0).map(({ opcode }) => opcode)).toEqual([Opcode.ACK_V1, Opcode.ACK_V1])
    expect(since.filter(({ keyId, packetId }) => keyId === 1 && packetId !== undefined)).toHaveLength(1)
    peer.session.renegotiate(peer.now)
    peer.settle()
    expect(peer.eventsOf('rekeyed')).toHaveLength(2)
  })
})

describe('key id 0 under the dynamic key', () => {
  const connected = (): { readonly peer: RawPeer; readonly wrap: ControlWrap } => {
    const peer = new RawPeer({ role: 'client', session: { push } })
    expect(peer.eventsOf('connected')[0]?.negotiated.dynamicTlsCrypt).toBe(true)
    const key = mixDynamicKey(peer.exportKey(DYNAMIC_KEY_LABEL, 256), undefined)
    return { peer, wrap: createTlsCryptKeys(nodeCrypto, key, 'client') }
  }
  const message = (peer: RawPeer, fields: Partial<ControlPacket> = {}): ControlPacket => ({
    opcode: Opcode.CONTROL_V1,
    keyId: 0,
    sessionId: peer.sessionId,
    acks: [],
    packetId: peer.nextId,
    payload: new Uint8Array(0),
    ...fields,
  })

  it('SESS-37 is read, and answered under it', () => {
    const { peer, wrap } = connected()
    peer.session.receive(wrap.seal(message(peer), 1, PKI_NOW / 1000), peer.now)
    const output = peer.session.poll()
    if (output?.type !== 'transmit') throw new Error('no answer')
    expect([opcodeOf(output.data[0]!), keyIdOf(output.data[0]!)]).toEqual([Opcode.ACK_V1, 0])
    expect(wrap.open(output.data)).toMatchObject({ packet: { acks: expect.arrayContaining([peer.nextId]) as unknown } })
    // A peer that goes back to its first wrap is followed.
    const plain = message(peer, { packetId: peer.nextId + 1 })
    peer.session.receive(writeControlPlain(plain), peer.now)
    const back = peer.session.poll()
    expect(back?.type === 'transmit' && parseControlPlain(back.data)).toMatchObject({ opcode: Opcode.ACK_V1 })
  })

  it('SESS-37 an EXIT in it ends the session', () => {
    const { peer, wrap } = connected()
    const payload = peer.record(writeControlText('EXIT'))
    peer.session.receive(wrap.seal(message(peer, { payload }), 1, PKI_NOW / 1000), peer.now)
    expect(peer.session.closeReason).toEqual({ type: 'peer-exit' })
  })

  it('SESS-37 forged and replayed ones change nothing', () => {
    const { peer, wrap } = connected()
    const other = mixDynamicKey(new Uint8Array(256).fill(5), undefined)
    const foreign = createTlsCryptKeys(nodeCrypto, other, 'client')
    const sealed = wrap.seal(message(peer), 7, PKI_NOW / 1000)
    peer.session.receive(sealed, peer.now)
    while (peer.session.poll() !== undefined);
    const before = peer.session.digest()
    peer.session.receive(sealed, peer.now)
    for (let bit = 8; bit < sealed.length * 8; bit += 7) {
      const forged = sealed.slice()
      forged[bit >> 3] = forged[bit >> 3]! ^ (1 << (bit & 7))
      // What no wrap holds together reads as some plain packet; only those of another session are told apart then.
      if (bit < 72) peer.session.receive(forged, peer.now)
    }
    peer.session.receive(
      foreign.seal(message(peer, { sessionId: new Uint8Array(8).fill(3) }), 9, PKI_NOW / 1000),
      peer.now,
    )
    expect(peer.session.digest()).toEqual(before)
    expect(peer.session.stats.dropped).toMatchObject({ 'wrap-replayed': 1, 'session-id-mismatch': 11 })
  })
})
