/**
 * Digests of a few pieces one behind the other, as hex. The pieces are laid together in memory that is used again and
 * again: an object that is fed piece by piece costs more than the digest of a body, and so does memory for each answer.
 */
import { createHash, hash } from 'node:crypto'

export type Digest = 'md5' | 'sha1' | 'sha256'

// Nearly every webhook fits.
const scratchBytes = 64 * 1024
// Of UTF-8 a character of a string.
const bytesACharacter = 3
const scratch = Buffer.allocUnsafeSlow(scratchBytes)

/** Lower-case hex; texts count as UTF-8. */
export function hexDigest(algorithm: Digest, ...pieces: readonly (string | Uint8Array)[]): string {
  let bytesMax = 0
  for (const piece of pieces) bytesMax += typeof piece === 'string' ? piece.length * bytesACharacter : piece.length
  if (bytesMax > scratchBytes) {
    const digest = createHash(algorithm)
    for (const piece of pieces) digest.update(piece)
    return digest.digest('hex')
  }
  let end = 0
  for (const piece of pieces) {
    if (typeof piece === 'string') end += scratch.write(piece, end)
    else {
      scratch.set(piece, end)
      end += piece.length
    }
  }
  const digest = hash(algorithm, scratch.subarray(0, end), 'hex')
  // A secret is among the pieces: it is not left lying about.
  scratch.fill(0, 0, end)
  return digest
}
