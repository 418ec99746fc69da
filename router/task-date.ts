/** When a task may be pulled at the earliest: presale goods have a date, and a task waits for the last of its lines. */
import type { Order } from './types.ts'

/** Of a task of some items, by their indexes: epoch milliseconds; null: at once. */
export function dateOf({ snapshot, items }: Pick<Order, 'snapshot' | 'items'>, of: Iterable<number>): number | null {
  let last: number | null = null
  for (const item of of) {
    const readyAt = snapshot?.lines[items[item]!.line]?.readyAt ?? null
    if (readyAt !== null && readyAt > (last ?? 0)) last = readyAt
  }
  return last
}
