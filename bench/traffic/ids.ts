/**
 * Order ids in the platforms' own lengths that carry seed and index, so that code that sees an id knows which order it
 * is without keeping any. Check digits make an invented id fail.
 *
 *   tmall   19 digits  4 sssss iiiiiiii nn ccc     (s seed mod 100,000 · i index · n line, 00 for the trade · c check)
 *   jd      12 digits  3 sss iiiiiiii              (s seed mod 1,000; too short for a check)
 *   wechat  19 digits  37 sssss iiiiiiii cccc
 */
import { mix } from '../../adapters/shared/seeded-random.ts'

/** Eight digits of index. */
export const indexMax = 99_999_999

export function tmallId(seed: number, index: number, line = 0): string {
  return `4${digits(seed % 100_000, 5)}${digits(index, 8)}${digits(line, 2)}${digits(mix(seed, index) % 1000, 3)}`
}

export function jdId(seed: number, index: number): string {
  return `3${digits(seed % 1000, 3)}${digits(index, 8)}`
}

export function wechatId(seed: number, index: number): string {
  return `37${digits(seed % 100_000, 5)}${digits(index, 8)}${digits(mix(index, seed) % 10_000, 4)}`
}

/** The index in a wechat order id of this seed, or null when the id was not made by it. */
export function indexOfWechatId(seed: number, orderId: string): number | null {
  const match = /^37\d{5}(\d{8})\d{4}$/.exec(orderId)
  if (match === null) return null
  const index = Number(match[1])
  return wechatId(seed, index) === orderId ? index : null
}

/** The payment's id: 28 digits, `4200002345` and the day at WeChat Pay, the day and the seller's `22001198` at Alipay. */
export function wechatTransactionId(seed: number, index: number, day: string): string {
  return `4200002345${day}${digits(seed % 100, 2)}${digits(index, 8)}`
}

export function alipayNo(seed: number, index: number, day: string): string {
  return `${day}22001198${digits(seed % 10_000, 4)}${digits(index, 8)}`
}

export function digits(number: number, width: number): string {
  return String(number).padStart(width, '0')
}
