/**
 * Randomness that can be asked for again: the same seed, name and index give the same input, whatever was drawn for
 * other indexes.
 */
import fc from 'fast-check'
import { type Random as Numbers, randomFrom } from '../../adapters/shared/seeded-random.ts'

export class Random {
  private readonly numbers: Numbers

  constructor(seed: number, name: string, index: number) {
    let hash = index | 0
    for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193)
    this.numbers = randomFrom(seed ^ Math.floor(index / 2 ** 32), hash)
  }

  /** A whole number from 0 up to, but not, `count`. */
  below(count: number): number {
    return this.numbers.below(count)
  }

  /** From 0 up to, but not, `max`: small ones far more often than large ones. */
  small(max: number): number {
    return Math.floor(max * (this.numbers.next() / 2 ** 32) ** 3)
  }

  oneIn(count: number): boolean {
    return this.below(count) === 0
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** fast-check's arbitraries draw from the same stream. */
  value<T>(arbitrary: fc.Arbitrary<T>): T {
    const source = { clone: () => source, next: () => this.numbers.next() | 0, getState: () => [] }
    return arbitrary.generate(new fc.Random(source), undefined).value
  }
}
