import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../src/bytes/index.ts'
import { MAX_PUSH_LENGTH, MAX_PUSH_OPTIONS, PushAssembler, writePushParts } from '../../../src/control/index.ts'

function assemble(parts: readonly string[]) {
  const assembler = new PushAssembler()
  return parts.map((part) => assembler.add(part.slice('PUSH_REPLY,'.length)))
}

describe('parts of a push', () => {
  it('PUSH-20 a short list is one message without a continuation', () => {
    expect(writePushParts('PUSH_REPLY', ['ping 10', 'peer-id 0'])).toEqual(['PUSH_REPLY,ping 10,peer-id 0'])
    expect(writePushParts('PUSH_REPLY', [])).toEqual(['PUSH_REPLY'])
    expect(writePushParts('PUSH_UPDATE', ['-route'])).toEqual(['PUSH_UPDATE,-route'])
  })

  it('PUSH-1 PUSH-20 120 routes travel in several parts and come back as one list', () => {
    const routes = Array.from({ length: 120 }, (_, i) => `route 10.${i}.0.0 255.255.0.0`)
    const parts = writePushParts('PUSH_REPLY', routes)
    expect(parts.length).toBeGreaterThan(3)
    for (const part of parts) expect(part.length + 1).toBeLessThan(1024)
    for (const part of parts.slice(0, -1)) expect(part.endsWith(',push-continuation 2')).toBe(true)
    expect(parts.at(-1)!.endsWith(',push-continuation 1')).toBe(true)
    const results = assemble(parts)
    expect(results.slice(0, -1).every((result) => result.type === 'more')).toBe(true)
    expect(results.at(-1)).toEqual({ type: 'complete', options: routes })
  })

  it('PUSH-20 sizes count bytes, not characters', () => {
    const options = Array.from({ length: 20 }, () => `echo ${'ü'.repeat(100)}`)
    for (const part of writePushParts('PUSH_REPLY', options)) expect(Buffer.byteLength(part)).toBeLessThan(1024)
  })

  it('PUSH-20 refuses options that would break out or never fit', () => {
    for (const option of ['a,b', '', ' ', 'a\0b', 'echo a\nb', 'x'.repeat(930)])
      expect(() => writePushParts('PUSH_REPLY', [option])).toThrow(UsageError)
    expect(writePushParts('PUSH_REPLY', ['x'.repeat(929), 'y']).length).toBe(2)
  })

  it('PUSH-1 a part without a mark is complete, and the next one starts anew', () => {
    const assembler = new PushAssembler()
    expect(assembler.add('a,push-continuation 2')).toEqual({ type: 'more' })
    expect(assembler.pending).toBe(true)
    expect(assembler.add(',b,,')).toEqual({ type: 'complete', options: ['a', 'b'] })
    expect(assembler.pending).toBe(false)
    expect(assembler.add('c,push-continuation 1')).toEqual({ type: 'complete', options: ['c'] })
    expect(assembler.add('')).toEqual({ type: 'complete', options: [] })
    assembler.add('d,push-continuation 2')
    assembler.reset()
    expect(assembler.add('e')).toEqual({ type: 'complete', options: ['e'] })
  })

  it('PUSH-1 ends at the cap of characters, also without options', () => {
    const assembler = new PushAssembler()
    let parts = 0
    while (assembler.add('push-continuation 2').type === 'more') parts++
    expect(parts).toBeLessThan(MAX_PUSH_LENGTH / 19)
    expect(assembler.add('a')).toEqual({ type: 'too-large' })
    const large = new PushAssembler()
    expect(large.add('x'.repeat(MAX_PUSH_LENGTH + 1))).toEqual({ type: 'too-large' })
  })

  it('PUSH-1 ends at the cap of options', () => {
    const exact = new PushAssembler()
    expect(exact.add(Array(MAX_PUSH_OPTIONS).fill('a').join(',')).type).toBe('complete')
    const over = new PushAssembler()
    expect(
      over.add(
        Array(MAX_PUSH_OPTIONS + 1)
          .fill('a')
          .join(','),
      ).type,
    ).toBe('too-large')
  })
})
