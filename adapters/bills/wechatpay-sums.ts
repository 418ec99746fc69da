/** The summary of WeChat Pay's trade bill, held against the rows on the exact text: to the last decimal. */
import { type RefusedBill, refused } from './bill.ts'
import { formatDecimal, parseDecimal } from './decimal.ts'

/** A summary figure and the column that it adds up. Absent columns (a SUCCESS bill has no refunds) add up to zero. */
export const sums = [
  ['应结订单总金额', '应结订单金额', 2],
  ['退款总金额', '退款金额', 2],
  ['充值券退款总金额', '充值券退款金额', 2],
  ['手续费总金额', '手续费', 5],
  ['订单总金额', '订单金额', 2],
  ['申请退款总金额', '申请退款金额', 2],
] as const

export const countName = '总交易单数'

/** What some rows add up to. */
export class Sums {
  count = 0
  readonly #totals = new Map<string, bigint>(sums.map(([, column]) => [column, 0n]))

  add(amounts: ReadonlyMap<string, number>): void {
    this.count++
    for (const [column, amount] of amounts) this.#totals.set(column, this.#totals.get(column)! + BigInt(amount))
  }

  of(column: string): bigint {
    return this.#totals.get(column)!
  }

  without(other: Sums): Sums {
    const rest = new Sums()
    rest.count = this.count - other.count
    for (const [column, total] of this.#totals) rest.#totals.set(column, total - other.of(column))
    return rest
  }
}

/** null: the summary agrees with the sums. Columns by name, as the summary's header has them. */
export function differenceOf(
  columns: ReadonlyMap<string, number>,
  cells: readonly string[],
  added: Sums,
): RefusedBill | null {
  if (cells.length !== columns.size)
    return refused('malformed_bill', 'The summary has not as many cells as its header.')
  const differences: string[] = []
  const count = columns.get(countName)
  if (count === undefined) return refused('malformed_bill', `The summary has no column ${countName}.`)
  const given = cells[count]!.trim()
  if (given !== String(added.count)) differences.push(`${countName} differs: ${added.count} rows were read`)
  for (const [name, column, digits] of sums) {
    const index = columns.get(name)
    if (index === undefined) continue
    const stated = parseDecimal(cells[index]!.trim(), digits)
    if (stated === null) return refused('malformed_bill', `${name} in the summary is no amount.`)
    const difference = BigInt(stated) - added.of(column)
    if (difference === 0n) continue
    const [summed, more] = [added.of(column), formatDecimal(difference, digits)]
    differences.push(`${name} is ${more} off: the rows add up to ${formatDecimal(summed, digits)}`)
  }
  if (differences.length === 0) return null
  const message = `The bill's summary does not agree with its rows; nothing was stored. ${differences.join('; ')}.`
  return refused('bill_summary_mismatch', message)
}
