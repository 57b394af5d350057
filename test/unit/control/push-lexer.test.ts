import { describe, expect, it } from 'vitest'
import { quoteOptionWord, splitOptionWords } from '../../../src/control/index.ts'

describe('words of an option', () => {
  it.each<[string, readonly string[] | string]>([
    ['route 10.0.0.0 255.0.0.0', ['route', '10.0.0.0', '255.0.0.0']],
    ['  a \t b  ', ['a', 'b']],
    ['', []],
    ['echo "two words" x', ['echo', 'two words', 'x']],
    ["echo 'two words' x", ['echo', 'two words', 'x']],
    ['echo ""', ['echo', '']],
    ['echo a"b c"d', ['echo', 'ab cd']],
    ['echo "a\\"b"', ['echo', 'a"b']],
    ["echo 'a\\b'", ['echo', 'a\\b']],
    ['echo "it\'s"', ['echo', "it's"]],
    ['echo a\\ b', ['echo', 'a b']],
    ['echo \\#x', ['echo', '#x']],
    ['echo x # comment', ['echo', 'x']],
    ['echo x ;comment', ['echo', 'x']],
    ['echo x#y;z', ['echo', 'x#y;z']],
    ['echo "#x"', ['echo', '#x']],
    ['echo "open', 'bad-quoting'],
    ["echo 'open", 'bad-quoting'],
    ['echo x\\', 'bad-quoting'],
    ['echo "x\\"', 'bad-quoting'],
  ])('PUSH-3 splits %j', (text, words) => {
    expect(splitOptionWords(text)).toEqual(words)
  })

  it('PUSH-2 takes 256 characters and 16 words, and no more', () => {
    expect(splitOptionWords(`echo ${'x'.repeat(251)}`)).toEqual(['echo', 'x'.repeat(251)])
    expect(splitOptionWords(`echo ${'x'.repeat(252)}`)).toBe('too-long')
    expect(splitOptionWords('a '.repeat(16))).toHaveLength(16)
    expect(splitOptionWords('a '.repeat(17))).toBe('too-many-words')
  })

  it('PUSH-3 reads back every quoted word', () => {
    for (const word of ['plain', 'two words', '', 'a"b', 'a\\b', "it's", '#x', ';', '\t'])
      expect(splitOptionWords(`echo ${quoteOptionWord(word)}`)).toEqual(['echo', word])
  })
})
