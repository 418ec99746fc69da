/** A book of one's own on the goods that the story touches: what was there, what came and went, what has to be there. */
import type { Sku } from '../../router/types.ts'
import type { Client, OrderView, StockRow } from './client.ts'

export interface Figures {
  onHand: number
  reserved: number
}

export interface StockBook {
  readonly before: ReadonlyMap<string, Figures>
  /** Deliveries and counts that the demo posted, and goods that a warehouse wrote off: units by SKU, with their sign. */
  readonly posted: Map<string, number>
  readonly writtenOff: Map<string, number>
}

/** Plain SKUs: what lies on shelves of what was ordered. */
export function plainSkus(skus: readonly Sku[], ordered: readonly string[]): string[] {
  const known = new Map(skus.map((sku) => [sku.sku, sku]))
  const plain = ordered.flatMap((code) => {
    const bundle = known.get(code)?.bundle ?? []
    return bundle.length === 0 ? [code] : bundle.map((part) => part.sku)
  })
  return [...new Set(plain)].sort()
}

/** All nodes together, by SKU. */
export async function readStock(client: Client, skus: readonly string[]): Promise<Map<string, Figures>> {
  const read = await Promise.all(
    skus.map((sku) => client.operate<{ stock: StockRow[] }>('GET', `/v1/stock?sku=${encodeURIComponent(sku)}`)),
  )
  return new Map(
    skus.map((sku, i) => {
      const rows = read[i]!.stock
      return [sku, { onHand: sum(rows.map((row) => row.onHand)), reserved: sum(rows.map((row) => row.reserved)) }]
    }),
  )
}

export async function rowAt(client: Client, node: string, sku: string): Promise<StockRow | undefined> {
  const path = `/v1/stock?node=${encodeURIComponent(node)}&sku=${encodeURIComponent(sku)}`
  return (await client.operate<{ stock: StockRow[] }>('GET', path)).stock[0]
}

export interface Posted {
  readonly shortages: readonly { readonly sku: string; readonly missing: number }[]
}

/** A delivery (`add`) or a count (`set`), entered in the book as the change that it is. */
export async function post(
  client: Client,
  book: StockBook,
  posting: { node: string; ref: string; kind: 'add' | 'set'; sku: string; quantity: number },
): Promise<Posted> {
  const { node, ref, kind, sku, quantity } = posting
  const known = kind === 'add' ? 0 : ((await rowAt(client, node, sku))?.onHand ?? 0)
  const posted = await client.operate<Posted>('POST', `/v1/nodes/${encodeURIComponent(node)}/stock`, {
    ...{ ref, kind },
    lines: [{ sku, quantity }],
  })
  enter(book.posted, sku, quantity - known)
  return posted
}

export function enter(column: Map<string, number>, sku: string, units: number): void {
  column.set(sku, (column.get(sku) ?? 0) + units)
}

export interface StockLine {
  readonly sku: string
  readonly before: Figures
  readonly posted: number
  readonly writtenOff: number
  readonly shipped: number
  /** Units in tasks of the story that are not shipped. */
  readonly inTasks: number
  readonly after: Figures
  /** onHand = before + posted − writtenOff − shipped; reserved = before + inTasks. */
  readonly addsUp: boolean
}

export function balance(
  book: StockBook,
  after: ReadonlyMap<string, Figures>,
  views: readonly OrderView[],
): StockLine[] {
  const shipped = new Map<string, number>()
  const inTasks = new Map<string, number>()
  for (const { tasks } of views) {
    for (const { state, lines } of tasks) {
      const isLive = state === 'ready' || state === 'pulled' || state === 'accepted'
      for (const line of lines) {
        enter(shipped, line.sku, line.shipped ?? 0)
        if (isLive) enter(inTasks, line.sku, line.quantity - (line.shipped ?? 0))
      }
    }
  }
  return [...after].map(([sku, now]) => {
    const before = book.before.get(sku)!
    const of = (column: ReadonlyMap<string, number>) => column.get(sku) ?? 0
    const line = {
      ...{ sku, before, after: now },
      ...{ posted: of(book.posted), writtenOff: of(book.writtenOff), shipped: of(shipped), inTasks: of(inTasks) },
    }
    const onHand = before.onHand + line.posted - line.writtenOff - line.shipped
    return { ...line, addsUp: now.onHand === onHand && now.reserved === before.reserved + line.inTasks }
  })
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
