/** Windows of the control channel taken as plain data and restored. */
import { expect, it } from 'vitest'
import { AckList, ReceiveWindow, SendWindow } from '../../../src/reliability/index.ts'

it('REL-60: what is in flight is sent again at once, holes stay holes, ids go on', () => {
  const window = new SendWindow<string>({ firstId: 3 })
  for (const word of ['a', 'b', 'c']) window.push(word)
  while (window.takeDue(0) !== undefined);
  window.acknowledge(4)
  const next = SendWindow.restore(window.snapshot(), {})
  expect([next.nextId, next.inFlight, next.room, next.nextDeadline()]).toEqual([6, 2, 3, -Infinity])
  expect(next.takeDue(10)).toEqual({ packetId: 3, message: 'a', sends: 2 })
  expect(next.takeDue(10)).toEqual({ packetId: 5, message: 'c', sends: 2 })
  expect(next.takeDue(10)).toBeUndefined()
  expect([next.acknowledge(4), next.acknowledge(5), next.push('d')]).toEqual([false, true, 6])
})

it('REL-60: messages that wait for their turn keep it, and duplicates stay duplicates', () => {
  const window = new ReceiveWindow<string>()
  window.accept(0, 'a')
  window.take()
  window.accept(2, 'c')
  const next = ReceiveWindow.restore(window.snapshot())
  expect([next.nextId, next.held]).toEqual([1, 1])
  expect([next.accept(0, 'a'), next.accept(2, 'c'), next.accept(1, 'b')]).toEqual(['duplicate', 'duplicate', 'new'])
  expect([next.take(), next.take(), next.take()]).toEqual(['b', 'c', undefined])
})

it('REL-60: acks owed stay owed, acks given are repeated', () => {
  const list = new AckList()
  for (const id of [1, 2, 3]) list.add(id)
  list.take(2)
  const next = new AckList(list.snapshot())
  list.take(8)
  expect(next.owed).toBe(1)
  expect(next.take(8)).toEqual([3, 2, 1])
})
