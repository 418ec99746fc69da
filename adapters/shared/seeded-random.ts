/**
 * Seeded randomness for demo data and traffic: the same seed gives the same numbers on every machine.
 * Not for secrets. Streams of one seed are independent of each other, so number n of a sequence can be made without
 * making the ones before it.
 */
export interface Random {
  /** An integer 0 … 2^32 − 1. */
  next(): number
  /** An integer 0 … limit − 1. */
  below(limit: number): number
  /** An integer, both ends included. */
  between(low: number, high: number): number
  /** True with this probability, 0 … 1. */
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
}

/** sfc32, with its state filled by a 32-bit mixer from seed and stream. */
export function randomFrom(seed: number, stream = 0): Random {
  let a = mix(seed, stream)
  let b = mix(a, seed)
  let c = mix(b, stream)
  let counter = 1

  const next = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  // The first outputs of near seeds resemble each other until the state has been stirred.
  for (let i = 0; i < 8; i++) next()

  // Scaling instead of a remainder: for the limits used here (far below 2^32) the bias is not measurable.
  const below = (limit: number) => Math.floor((next() / 0x1_0000_0000) * limit)
  return {
    next,
    below,
    between: (low, high) => low + below(high - low + 1),
    chance: (probability) => next() < probability * 0x1_0000_0000,
    pick: (list) => list[below(list.length)]!,
  }
}

/** Two integers to one of 32 bits in which every input bit shows (the finaliser of MurmurHash3). */
export function mix(a: number, b: number): number {
  let hash = (Math.imul(a | 0, 0x9e3779b1) ^ Math.imul((b | 0) + 0x7f4a7c15, 0x85ebca6b)) | 0
  // Seeds and indexes above 2^32 count with their high part too.
  hash ^=
    Math.imul(Math.floor(a / 0x1_0000_0000) | 0, 0x27d4eb2f) ^ Math.imul(Math.floor(b / 0x1_0000_0000) | 0, 0x165667b1)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Lower-case hex of the wanted length, for demo keys and tokens. */
export function randomHex(random: Random, length: number): string {
  let text = ''
  while (text.length < length) text += random.next().toString(16).padStart(8, '0')
  return text.slice(0, length)
}

/** Draws an index with the given weights; building costs O(n), drawing O(log n). */
export function weightedPicker(weights: readonly number[]): (random: Random) => number {
  const upTo = new Float64Array(weights.length)
  let total = 0
  for (let i = 0; i < weights.length; i++) {
    total += weights[i]!
    upTo[i] = total
  }
  return (random) => {
    const point = (random.next() / 0x1_0000_0000) * total
    let low = 0
    let high = upTo.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (upTo[middle]! > point) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** Zipf: the item of rank r (from 1) weighs 1 / r^exponent. */
export function zipfWeights(count: number, exponent: number): number[] {
  return Array.from({ length: count }, (_, rank) => 1 / (rank + 1) ** exponent)
}
