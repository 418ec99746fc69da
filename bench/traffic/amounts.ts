/** Fen, yuan text and wall-clock text, as the platforms write them. */
import { formatGmt8 } from '../../adapters/shared/time.ts'

export function sumOf(numbers: readonly number[]): number {
  let sum = 0
  for (const number of numbers) sum += number
  return sum
}

/**
 * Shares a total by weight so that the parts add up: floors first, then one fen each by largest remainder. The
 * platforms' own sharing, and so not router/money.ts: the two have to come to the same.
 */
export function shareOut(totalFen: number, weights: readonly number[]): number[] {
  const weightSum = sumOf(weights)
  if (weightSum === 0) return weights.map((_, i) => (i === 0 ? totalFen : 0))
  const parts = weights.map((weight) => Math.floor((totalFen * weight) / weightSum))
  const order = weights.map((weight, i) => ({ i, rest: (totalFen * weight) % weightSum }))
  order.sort((a, b) => b.rest - a.rest || a.i - b.i)
  let left = totalFen - sumOf(parts)
  for (const { i } of order) {
    if (left-- <= 0) break
    parts[i]!++
  }
  return parts
}

/** `25900` → `259.00`; negative amounts keep their sign. */
export function yuan(fen: number): string {
  const digits = String(Math.abs(fen)).padStart(3, '0')
  return `${fen < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** `yyyy-MM-dd HH:mm:ss` in GMT+8. The last seconds are remembered: traffic asks for the same ones all the time. */
export function gmt8(ms: number): string {
  const second = Math.floor(ms / 1000)
  const slot = second & 63
  if (slotSecond[slot] !== second) {
    slotText[slot] = formatGmt8(second * 1000)
    slotSecond[slot] = second
  }
  return slotText[slot]!
}
const slotSecond: number[] = new Array(64).fill(-1)
const slotText: string[] = new Array(64).fill('')
