import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { fc } from '../../router/testing/seed.ts'
import { hexDigest } from './digest.ts'

test('the digest of all pieces one behind the other, whatever they are', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.uint8Array({ maxLength: 300 }),
    // More than there is memory for.
    fc.integer({ min: 20_000, max: 70_000 }).map((length) => Buffer.alloc(length, length)),
  )
  const algorithm = fc.constantFrom('md5', 'sha1', 'sha256')
  fc.assert(
    fc.property(algorithm, fc.array(piece, { maxLength: 6 }), (name, pieces) => {
      const whole = Buffer.concat(pieces.map((one) => (typeof one === 'string' ? Buffer.from(one) : one)))
      expect(hexDigest(name, ...pieces)).toBe(createHash(name).update(whole).digest('hex'))
    }),
  )
})
