import { expect, test } from 'vitest'
import { fc } from '../../router/testing/seed.ts'
import { sameDigest, sameText } from './same.ts'

const upper = /^[0-9A-F]+$/

test('a digest is the same as its hex and as nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 32 }), fc.nat(), fc.string(), (bytes, at, junk) => {
      const digest = Buffer.from(bytes)
      const hex = digest.toString('hex').toUpperCase()
      const expected = digest.toString('hex')
      expect(sameDigest(expected, hex, upper)).toBe(true)
      const other = Buffer.from(bytes)
      other[at % other.length]! ^= 1 << (at % 8)
      const wrong = [other.toString('hex').toUpperCase(), hex.slice(2), `${hex}00`, `${hex}0`, hex.slice(1), '', junk]
      for (const given of wrong) expect(sameDigest(expected, given, upper), given).toBe(given === hex)
      if (/[A-F]/.test(hex)) expect(sameDigest(expected, hex.toLowerCase(), upper)).toBe(false)
    }),
  )
})

test('texts are the same when they are equal, whatever their length', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      expect(sameText(a, b)).toBe(a === b)
      expect(sameText(a, a)).toBe(true)
      expect(sameText(a, `${a}x`)).toBe(false)
    }),
  )
})
