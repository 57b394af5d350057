/**
 * Texts into nodes and back.
 */
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { utf8Encode } from '../../../src/bytes/index.ts'
import { documentBytes, documentText, inspectProfile, parseDocument } from '../../../src/profile/index.ts'

const TEXT =
  '# my profile\r\nclient\r\n\r\n<ca>\r\nMII\r\n</ca>\r\n  <connection>\nremote a\n</connection> trailing\nverb 3'

describe('parseDocument', () => {
  it('PROF-8 loses nothing', () => {
    for (const text of [TEXT, '', '\n\n', '<ca>\nno end', '</ca>\n', '\\', `x${TEXT}`]) {
      expect(documentText(parseDocument('a', text))).toBe(text)
      expect(documentBytes(parseDocument('a', utf8Encode(text)))).toEqual(utf8Encode(text))
    }
  })

  it('PROF-6 keeps a byte order mark apart, and reads what is not UTF-8 as Latin-1', () => {
    const marked = parseDocument('a', `\ufeffdev tun\n`)
    expect(marked).toMatchObject({ byteOrderMark: true, encoding: 'utf-8' })
    expect(inspectProfile('\ufeffdev tun\n').profile.value('dev')).toEqual(['tun'])
    expect(documentBytes(marked)).toEqual(utf8Encode('\ufeffdev tun\n'))
    const latin = Uint8Array.of(0x23, 0xfc, 0x0a)
    expect(parseDocument('a', latin).encoding).toBe('latin-1')
    expect(documentBytes(parseDocument('a', latin))).toEqual(latin)
  })

  it('PROF-7 ends a block at its own closing tag, indented or not', () => {
    const [block, after] = parseDocument('a', '<key>\n<x>\n  </key> rest\nverb 1\n').nodes
    expect(block).toMatchObject({ type: 'block', name: 'key', terminated: true, line: 1 })
    expect(block?.type === 'block' && block.content.reveal()).toBe('<x>\n')
    expect(after).toMatchObject({ type: 'directive', line: 4 })
  })

  it.each(['\n', '\r\n', '\t\n', '\n\n', '\n \n  '])(
    'PROF-7 keeps the blank lines %j before a closing tag',
    (blank) => {
      const text = `<key>\nMII\n${blank}</key>\nverb 1\n`
      const document = parseDocument('a', text)
      const [block, after] = document.nodes
      expect(block).toMatchObject({ type: 'block', name: 'key', terminated: true })
      expect(after).toMatchObject({ type: 'directive' })
      expect(inspectProfile(text).problems.map(({ code }) => code)).not.toContain('stray-close-tag')
    },
  )

  it('PROF-7 numbers lines behind and inside blocks', () => {
    const { nodes } = parseDocument('a', TEXT)
    expect(nodes.map(({ type, line }) => [type, line])).toEqual([
      ['blank', 1],
      ['directive', 2],
      ['blank', 3],
      ['block', 4],
      ['block', 7],
      ['directive', 10],
    ])
    const connection = nodes[4]
    expect(connection?.type === 'block' && connection.children?.[0]).toMatchObject({ line: 8 })
  })

  it('PROF-7 finds a block without an end', () => {
    const { problems } = inspectProfile('dev tun\n<ca>\nMII\n')
    expect(problems.find(({ code }) => code === 'unterminated-block')).toMatchObject({ line: 2, directive: 'ca' })
    expect(inspectProfile('</ca>\n').problems.map(({ code }) => code)).toContain('stray-close-tag')
  })

  it('PROF-20 shows nothing of its text by accident', () => {
    const document = parseDocument('a', '<key>\nSECRET\n</key>\nauth-token SECRET\n')
    const { profile } = inspectProfile('<key>\nSECRET\n</key>\nauth-token SECRET\n')
    for (const value of [document, profile]) {
      expect(inspect(value, { depth: 9, showHidden: false })).not.toContain('SECRET')
      expect(JSON.stringify(value)).not.toContain('SECRET')
    }
    expect(String(profile.entry('key')?.content)).toBe('[7 characters]')
  })
})
