import { describe, expect, test } from 'vitest'
import { fc } from './testing/seed.ts'
import { formatYuan, parseYuan } from './yuan.ts'

describe('by hand', () => {
  test.each<[text: string, fen: number | null]>([
    ['259.00', 25900],
    ['0.07', 7],
    ['4.35', 435],
    ['1.1', 110],
    ['12', 1200],
    ['007.50', 750],
    ['-3.50', -350],
    ['-0.00', 0],
    ['90071992547409.91', Number.MAX_SAFE_INTEGER],
    ['90071992547409.92', null],
    ['1.005', null],
    ['1.', null],
    ['.5', null],
    ['+1.00', null],
    ['1,000.00', null],
    ['1e3', null],
    ['１.00', null],
    [' 1.00', null],
    ['1.00\n', null],
    ['', null],
    ['-', null],
    ['NaN', null],
  ])('%s', (text, fen) => {
    expect(parseYuan(text)).toBe(fen)
  })
})

test('every amount is read back', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (fen) => {
      expect(parseYuan(formatYuan(fen))).toBe(fen)
    }),
  )
})

test('any text: fen or null', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const fen = parseYuan(text)
      expect(fen === null || Number.isSafeInteger(fen)).toBe(true)
    }),
  )
})
