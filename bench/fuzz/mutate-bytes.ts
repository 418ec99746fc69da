/** Bytes that are nearly what they were. */
import { brokenBytes, pieces } from './nasty.ts'
import type { Random } from './random.ts'

const bytesMax = 256 * 1024

/** A copy with a few changes; `others` lend parts. At most 256 KiB. */
export function mutateBytes(random: Random, original: Uint8Array, others: readonly Uint8Array[] = []): Buffer {
  let bytes: Buffer = Buffer.from(original)
  const changes = 1 + random.small(8)
  for (let change = 0; change < changes; change++) bytes = changed(random, bytes, others)
  return bytes.length > bytesMax ? bytes.subarray(0, bytesMax) : bytes
}

function changed(random: Random, bytes: Buffer, others: readonly Uint8Array[]): Buffer {
  const at = random.below(bytes.length + 1)
  switch (random.below(10)) {
    case 0:
      if (bytes.length > 0) bytes[at % bytes.length]! ^= 1 << random.below(8)
      return bytes
    case 1:
      if (bytes.length > 0) bytes[at % bytes.length] = random.below(256)
      return bytes
    case 2:
      return spliced(bytes, at, 0, random.pick(pieces))
    case 3:
      return spliced(bytes, at, 0, random.pick(brokenBytes))
    case 4:
      return spliced(bytes, at, random.small(bytes.length - at + 1), nothing)
    case 5:
      return spliced(bytes, random.below(bytes.length + 1), 0, range(random, bytes))
    case 6:
      return others.length === 0 ? bytes : spliced(bytes, at, random.small(64), range(random, random.pick(others)))
    case 7:
      return bytes.subarray(0, at)
    case 8: {
      // Long ones are rare: they cost as much as a hundred others.
      const times = random.oneIn(64) ? 1 + random.below(20_000) : 1 + random.small(200)
      const piece = random.oneIn(2) ? random.pick(pieces) : range(random, bytes).subarray(0, 32)
      return spliced(bytes, at, 0, Buffer.concat(new Array<Buffer>(times).fill(piece)).subarray(0, bytesMax))
    }
    default: {
      const digits = random.pick(['0', '9', '18446744073709551616', '1e309', '-', '0.', '9'.repeat(40)])
      return spliced(bytes, at, random.small(4), Buffer.from(digits))
    }
  }
}

const nothing = Buffer.alloc(0)

function range(random: Random, bytes: Uint8Array): Buffer {
  const from = random.below(bytes.length + 1)
  const to = from + random.small(bytes.length - from + 1)
  return Buffer.from(bytes.subarray(from, to))
}

function spliced(bytes: Buffer, at: number, remove: number, insert: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)])
}
