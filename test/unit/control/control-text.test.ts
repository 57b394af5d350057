import { describe, expect, it } from 'vitest'
import { concat, utf8Encode, UsageError } from '../../../src/bytes/index.ts'
import { printable, splitControlText, writeControlText } from '../../../src/control/index.ts'

const split = (text: string) => splitControlText(utf8Encode(text))

describe('control text', () => {
  it('MSG-1 splits at NULs and leaves empty messages out', () => {
    expect(split('PUSH_REQUEST\0INFO,a\0\0\r\n\0EXIT\0')).toEqual({
      messages: ['PUSH_REQUEST', 'INFO,a', 'EXIT'],
      ignored: [],
    })
    expect(split('')).toEqual({ messages: [], ignored: [] })
  })

  it('MSG-1 ignores text without its NUL', () => {
    expect(split('EXIT\0PUSH_REQUEST')).toEqual({ messages: ['EXIT'], ignored: ['control-text-unterminated'] })
  })

  it('MSG-1 takes one record and 64 messages, and no more', () => {
    const full = concat(new Uint8Array(16_383).fill(65), new Uint8Array(1))
    expect(splitControlText(full).messages[0]?.length).toBe(16_383)
    expect(splitControlText(concat(full, new Uint8Array(1)))).toEqual({
      messages: [],
      ignored: ['control-text-too-long'],
    })
    const many = split('EXIT\0'.repeat(65))
    expect(many.messages.length).toBe(64)
    expect(many.ignored).toEqual(['control-text-too-long'])
  })

  it('MSG-2 cuts line ends off, wherever a script left them', () => {
    expect(split('AUTH_FAILED,no\r\n\0INFO,x\n\n\0').messages).toEqual(['AUTH_FAILED,no', 'INFO,x'])
  })

  it('MSG-3 ignores a message with any control character inside, whole', () => {
    let accepted = 0
    for (let byte = 1; byte < 256; byte++) {
      for (const position of [0, 4, 8]) {
        const bytes = concat(utf8Encode('INFO,abc'), Uint8Array.of(0))
        const message = concat(bytes.subarray(0, position), Uint8Array.of(byte), bytes.subarray(position))
        const { messages, ignored } = splitControlText(message)
        const control = byte < 0x20 || byte === 0x7f
        const cut = position === 8 && (byte === 10 || byte === 13)
        if (control && !cut) {
          expect([messages.length, ignored]).toEqual([0, ['control-text-unprintable']])
        } else {
          accepted++
          expect(messages.length).toBe(1)
        }
      }
    }
    expect(accepted).toBe(3 * (255 - 31 - 1) + 2)
  })

  it('MSG-3 the other messages of the piece still count', () => {
    expect(split('INFO,\u0007\0EXIT\0')).toEqual({ messages: ['EXIT'], ignored: ['control-text-unprintable'] })
  })

  it('MSG-4 makes the rest safe to show', () => {
    const bytes = concat(utf8Encode('INFO,é\u0085\u2028\u202e\u2066'), Uint8Array.of(0xff, 0))
    expect(splitControlText(bytes).messages).toEqual(['INFO,é\ufffd\ufffd\ufffd\ufffd\ufffd'])
    expect(printable('plain é 漢')).toBe('plain é 漢')
  })

  it('writes what it reads', () => {
    expect(splitControlText(writeControlText('INFO,ünï')).messages).toEqual(['INFO,ünï'])
    expect(() => writeControlText('a\nb')).toThrow(UsageError)
    expect(() => writeControlText('a\0b')).toThrow(UsageError)
    expect(() => writeControlText('x'.repeat(16_384))).toThrow(UsageError)
  })
})
