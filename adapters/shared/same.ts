/**
 * The one place where secrets and signatures are compared. Always digests of one length, always `timingSafeEqual`: how
 * long a comparison takes says neither where two differ nor how long the expected one is.
 */
import { hash, timingSafeEqual } from 'node:crypto'

/** A digest that was given as hex against ours. `pattern`: the letters that the platform writes. */
export function sameDigest(expectedHex: string, givenHex: string, pattern: RegExp): boolean {
  // The length of a digest is no secret: it is in every platform's manual. Half a byte at the end would not be read.
  if (givenHex.length !== expectedHex.length || !pattern.test(givenHex)) return false
  return timingSafeEqual(Buffer.from(givenHex, 'hex'), Buffer.from(expectedHex, 'hex'))
}

/** Two texts, by their SHA-256. */
export function sameText(expected: string, given: string): boolean {
  return timingSafeEqual(hash('sha256', expected, 'buffer'), hash('sha256', given, 'buffer'))
}
