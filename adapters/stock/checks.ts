/** What goes to the scripts is checked here, once: a violation is a bug of the caller and throws a RangeError. */
import type { SkuQuantity } from '../../router/types.ts'
import { linesMax, nameCharsMax, quantityMax } from './counters.ts'

export function assertCount(value: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${what} is not a whole number: ${value}`)
}

export function assertName(value: string, what: string): void {
  if (value.length === 0 || value.length > nameCharsMax)
    throw new RangeError(`${what} needs 1 to ${nameCharsMax} chars`)
  // Half a surrogate pair cannot be said in UTF-8: two different names would become one.
  if (/\p{Surrogate}/u.test(value)) throw new RangeError(`${what} is not well-formed Unicode`)
}

/** Adds up lines of the same SKU and sorts by SKU: two requests are the same if and only if this gives the same. */
export function addUpLines(lines: readonly SkuQuantity[]): SkuQuantity[] {
  if (lines.length === 0 || lines.length > linesMax) throw new RangeError(`a reservation has 1 to ${linesMax} lines`)
  const quantities = new Map<string, number>()
  for (const { sku, quantity } of lines) {
    assertName(sku, 'sku')
    if (!Number.isSafeInteger(quantity) || quantity < 1 || quantity > quantityMax) {
      throw new RangeError(`quantity of a line is 1 to ${quantityMax}, not ${quantity}`)
    }
    quantities.set(sku, (quantities.get(sku) ?? 0) + quantity)
  }
  const skus = [...quantities.keys()].sort()
  return skus.map((sku) => ({ sku, quantity: quantities.get(sku)! }))
}
