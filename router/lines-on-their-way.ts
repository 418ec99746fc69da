/**
 * Lines that the platform changes while warehouses have tasks of the order, or have shipped some. An item cannot be made
 * anew while units of it are in a task, so the order keeps what its tasks were made of, and takes the change as units:
 *
 *   more of a line    the item grows, and the rest is sourced as well
 *   less of a line    the item keeps the units that are in tasks; what is told now is `wanted`, the rest is not wanted
 *   a line more       its items are added
 *   other goods       as a line less and a line more
 *   a line less       gone, unless units of it are in tasks: then it stays, and nothing of it is wanted
 *
 * What is not wanted is called back like every other unit (./unwanted.ts).
 */
import { type Catalog, explode, isTooMuch } from './bundle.ts'
import { type LineUnits, toldUnits } from './line-units.ts'
import type { Allocation, Item, Order, OrderSnapshot, SnapshotLine } from './types.ts'

/** Asked of the platform's own words: which of our SKUs a line is may be learned later, and changes no order on its way. */
export function linesChanged({ lines }: OrderSnapshot, after: OrderSnapshot): boolean {
  const before = isAnyKept(lines) ? lines.filter((line) => toldUnits(line) > 0) : lines
  return (
    before.length !== after.lines.length ||
    before.some((line, i) => {
      const now = after.lines[i]!
      return line.lineId !== now.lineId || line.platformSku !== now.platformSku || toldUnits(line) !== toldUnits(now)
    })
  )
}

/** Some line has more units than the platform tells. */
export function isAnyKept(lines: readonly SnapshotLine[]): boolean {
  return lines.some((line) => line.wanted !== undefined)
}

interface Kept {
  readonly line: SnapshotLine
  readonly items: readonly Item[]
  /** Of `items` in the order as it was; none where they are new. */
  readonly from: readonly number[]
}

/** `order` has the lines that the platform tells now, and the items of before. */
export function keepUnitsInTasks(
  order: Order & { readonly snapshot: OrderSnapshot },
  before: OrderSnapshot,
  catalog: Catalog,
): Order {
  if (isTooMuch(order.snapshot.lines, catalog)) return withLinesOf(order, before)
  const old = new Map(before.lines.map((line, index) => [line.lineId, index]))
  // An approval looks at the lines that the order has, those that the platform does not tell any more among them.
  const listed = order.snapshot.lines.filter((line) => toldUnits(line) > 0)
  const told = new Map(listed.map((line) => [line.lineId, line]))
  const ids = [...new Set([...told.keys(), ...old.keys()])].sort()
  const kept = ids.flatMap((lineId): Kept[] => {
    const index = old.get(lineId)
    const line = told.get(lineId)
    const fresh = (): Kept => ({ line: line!, items: explode([line!], catalog), from: [] })
    if (index === undefined) return [fresh()]
    const known = before.lines[index]!
    const own = unitsInTasks(order, index, known)
    if (line !== undefined && line.platformSku === known.platformSku)
      return [{ ...keptLine(line, known, own), from: own.from }]
    const left =
      own.units === 0
        ? []
        : [
            {
              ...keptLine(
                gone(known, (id) => old.has(id) || told.has(id)),
                known,
                own,
              ),
              from: own.from,
            },
          ]
    return line === undefined ? left : [fresh(), ...left]
  })
  const itemOf = new Map<number, number>()
  const items = kept.flatMap(({ items: own }, line) => own.map((item) => ({ ...item, line })))
  let next = 0
  for (const { items: own, from } of kept) {
    for (const [i, index] of from.entries()) itemOf.set(index, next + i)
    next += own.length
  }
  const allocations = order.allocations.flatMap((a): Allocation[] => {
    const item = itemOf.get(a.item)
    // Units that are in no task find their place anew.
    return item === undefined || (a.place !== 'task' && a.place !== 'returned') ? [] : [{ ...a, item }]
  })
  return { ...order, items, allocations, snapshot: { ...order.snapshot, lines: kept.map(({ line }) => line) } }
}

interface InTasks {
  /** Units of the line that its items in tasks, or returned, need. */
  readonly units: number
  readonly items: readonly Item[]
  readonly from: readonly number[]
}

function unitsInTasks({ items, allocations }: Order, line: number, { quantity }: SnapshotLine): InTasks {
  const from = items.flatMap((item, index) => (item.line === line ? [index] : []))
  let units = 0
  for (const index of from) {
    let placed = 0
    for (const a of allocations)
      if (a.item === index && (a.place === 'task' || a.place === 'returned')) placed += a.quantity
    units = Math.max(units, Math.ceil((placed * quantity) / items[index]!.quantity))
  }
  return { units, items: from.map((index) => items[index]!), from }
}

/** What the money is shared over follows in the decision; here each item keeps its own. */
function keptLine(told: SnapshotLine, before: SnapshotLine, own: InTasks): Pick<Kept, 'line' | 'items'> {
  const wanted = told.wanted ?? told.quantity
  const quantity = Math.max(wanted, own.units)
  const { wanted: _, ...line } = { ...told, sku: before.sku, quantity }
  return {
    line: wanted < quantity ? { ...line, wanted } : line,
    items: own.items.map((item) => ({ ...item, quantity: (item.quantity / before.quantity) * quantity })),
  }
}

/**
 * The platform does not list it any more, or lists other goods under its id; what was paid stands at the others. Its id
 * is then one that no platform gives, and no other line of the order has.
 */
function gone({ refundUnits: _, ...line }: SnapshotLine, isTaken: (lineId: string) => boolean): SnapshotLine {
  let { lineId } = line
  if (line.wanted !== 0) {
    lineId += `~${line.platformSku}`
    while (isTaken(lineId)) lineId += '~'
  }
  return { ...line, lineId, paidFen: 0, refund: 'none', wanted: 0 }
}

/** What no warehouse could pick is held (./check.ts), and the order keeps its lines with their money until then. */
function withLinesOf(order: Order & { readonly snapshot: OrderSnapshot }, before: OrderSnapshot): Order {
  const { lines, paidFen, freightFen, serviceFen = 0 } = before
  const service = serviceFen > 0 || order.snapshot.serviceFen !== undefined ? { serviceFen } : {}
  return { ...order, snapshot: { ...order.snapshot, lines, paidFen, freightFen, ...service } }
}

/** As the platform tells the lines, since no unit is in a task any more; `units` are those that each line has then. */
export function asTold(
  lines: readonly SnapshotLine[],
  units: readonly LineUnits[],
): { readonly lines: readonly SnapshotLine[]; readonly units: readonly LineUnits[] } {
  if (!isAnyKept(lines)) return { lines, units }
  const told = lines.map(({ wanted: _, ...line }, i) => {
    const [quantity, of] = [toldUnits(lines[i]!), units[i]!]
    return { line: { ...line, quantity }, units: { ...of, cancel: of.cancel - (line.quantity - quantity) } }
  })
  const listed = told.filter(({ line }) => line.quantity > 0)
  return { lines: listed.map(({ line }) => line), units: listed.map((of) => of.units) }
}
