import { describe, expect, test } from 'vitest'
import { itemsOfPlan } from './items-of-plan.ts'
import { source } from './source/source.ts'
import { nodeOf } from './source/testing.ts'
import { splitByConstraint, transportOf } from './split.ts'
import { fc, runs } from './testing/seed.ts'
import { type Item, type Sku, type SnapshotLine, storageClasses } from './types.ts'

const skus = new Map<string, Sku>()
for (const storageClass of storageClasses) {
  for (const code of [storageClass, `${storageClass}2`]) {
    skus.set(code, { sku: code, name: code, weightGrams: 100, storageClass, warehouseOnly: false, bundle: [] })
  }
}
skus.set('big', { ...skus.get('normal')!, sku: 'big', warehouseOnly: true })
const catalog = (sku: string) => skus.get(sku)

interface Ordered {
  sku: string
  quantity?: number
  readyAt?: number
  gift?: boolean
  giftOf?: string
}

/** lineId is the index. */
function orderOf(ordered: readonly Ordered[]) {
  const lines = ordered.map(
    ({ sku, quantity = 1, readyAt = null, gift = false, giftOf = null }, index): SnapshotLine => ({
      lineId: `${index}`,
      sku,
      platformSku: sku,
      title: sku,
      quantity,
      paidFen: 0,
      gift,
      giftOf,
      refund: 'none',
      readyAt,
    }),
  )
  const items = lines.map(({ sku, quantity }, line): Item => ({ line, sku, quantity, paidFen: 0 }))
  const units = items.map(({ quantity }, item) => ({ item, quantity }))
  return { lines, items, units }
}

function groupsOf(ordered: readonly Ordered[]) {
  const { lines, items, units } = orderOf(ordered)
  return splitByConstraint(units, items, lines, catalog)
}

describe('splitByConstraint', () => {
  // One string a group: its SKUs with quantities.
  test.each<[why: string, ordered: Ordered[], groups: string[]]>([
    ['nothing', [], []],
    ['one SKU on two lines is added up', [{ sku: 'normal', quantity: 2 }, { sku: 'normal' }], ['normalx3']],
    ['fragile with normal', [{ sku: 'normal' }, { sku: 'fragile' }], ['normalx1 fragilex1']],
    ['cold apart', [{ sku: 'normal' }, { sku: 'cold' }], ['normalx1', 'coldx1']],
    ['frozen is not cold', [{ sku: 'cold' }, { sku: 'frozen' }], ['coldx1', 'frozenx1']],
    ['hazardous apart', [{ sku: 'fragile' }, { sku: 'hazardous' }], ['fragilex1', 'hazardousx1']],
    ['warehouse goods stay', [{ sku: 'normal' }, { sku: 'big' }], ['normalx1 bigx1']],
    ['unknown goods travel as normal ones', [{ sku: 'normal' }, { sku: '?' }], ['normalx1 ?x1']],
    ['another date apart', [{ sku: 'normal' }, { sku: 'normal2', readyAt: 9 }], ['normalx1', 'normal2x1']],
    [
      'the same date together',
      [
        { sku: 'normal', readyAt: 9 },
        { sku: 'normal2', readyAt: 9 },
      ],
      ['normalx1 normal2x1'],
    ],
    ['one SKU on two dates stays apart', [{ sku: 'normal' }, { sku: 'normal', readyAt: 9 }], ['normalx1', 'normalx1']],
    [
      'a gift waits with its main line, wherever it stands',
      [{ sku: 'normal2', giftOf: '2' }, { sku: 'normal' }, { sku: 'fragile', readyAt: 9 }],
      ['normalx1', 'fragilex1 normal2x1'],
    ],
    [
      'a gift without main line: the first that fits',
      [{ sku: 'cold' }, { sku: 'normal' }, { sku: 'normal2', gift: true }],
      ['coldx1', 'normalx1 normal2x1'],
    ],
    ['a gift whose main line is gone', [{ sku: 'normal' }, { sku: 'normal2', giftOf: 'gone' }], ['normalx1 normal2x1']],
    [
      'a gift that may not travel with its main line',
      [{ sku: 'normal' }, { sku: 'cold', giftOf: '0' }],
      ['normalx1', 'coldx1'],
    ],
    [
      'a gift that is ready later than its main line',
      [{ sku: 'normal' }, { sku: 'normal2', giftOf: '0', readyAt: 9 }],
      ['normalx1', 'normal2x1'],
    ],
    [
      'a gift that is ready before its main line',
      [
        { sku: 'normal', readyAt: 9 },
        { sku: 'normal2', giftOf: '0', readyAt: 5 },
      ],
      ['normalx1 normal2x1'],
    ],
    [
      'gifts alone',
      [
        { sku: 'normal', gift: true },
        { sku: 'normal2', gift: true },
      ],
      ['normalx1 normal2x1'],
    ],
    [
      'the same SKU as main line and gift is added up',
      [
        { sku: 'normal', quantity: 2 },
        { sku: 'normal', giftOf: '0' },
      ],
      ['normalx3'],
    ],
  ])('%s', (_why, ordered, groups) => {
    expect(
      groupsOf(ordered).map((group) => group.demand.map((line) => `${line.sku}x${line.quantity}`).join(' ')),
    ).toEqual(groups)
  })

  test('demand carries weight and the warehouse rule', () => {
    expect(groupsOf([{ sku: 'big' }, { sku: '?' }])[0]!.demand).toEqual([
      { sku: 'big', quantity: 1, grams: 100, warehouseOnly: true },
      { sku: '?', quantity: 1, grams: 0, warehouseOnly: false },
    ])
  })

  test.each([0, -1, 0.5, 3])('%d units of an item of two is a bug', (quantity) => {
    const { lines, items } = orderOf([{ sku: 'normal', quantity: 2 }])
    expect(() => splitByConstraint([{ item: 0, quantity }], items, lines, catalog)).toThrow(RangeError)
  })

  const anyOrder = fc.array(
    fc.record(
      {
        sku: fc.constantFrom(...skus.keys(), '?'),
        quantity: fc.integer({ min: 1, max: 9 }),
        readyAt: fc.constantFrom(5, 9),
        gift: fc.boolean(),
        giftOf: fc.constantFrom('0', '1', '2', 'gone'),
      },
      { requiredKeys: ['sku', 'quantity'] },
    ),
    { maxLength: 10 },
  )

  test('every unit is in exactly one group, and nothing travels with what it must not', () => {
    fc.assert(
      fc.property(anyOrder, (ordered) => {
        const { lines, items, units } = orderOf(ordered)
        const groups = splitByConstraint(units, items, lines, catalog)
        const found = items.map(() => 0)
        for (const { demand, parts, transport, readyAt } of groups) {
          const added = demand.map(() => 0)
          for (const { item, quantity, demandLine } of parts) {
            found[item]! += quantity
            added[demandLine]! += quantity
            expect(demand[demandLine]!.sku).toBe(items[item]!.sku)
            expect(transportOf[catalog(items[item]!.sku)?.storageClass ?? 'normal']).toBe(transport)
            expect(readyAt ?? 0).toBeGreaterThanOrEqual(lines[items[item]!.line]!.readyAt ?? 0)
          }
          expect(added).toEqual(demand.map((line) => line.quantity))
          expect(new Set(demand.map((line) => line.sku)).size).toBe(demand.length)
        }
        expect(found).toEqual(items.map((item) => item.quantity))
      }),
      { numRuns: runs(500) },
    )
  })

  test('a plan for a group finds its way back to the items, unit by unit', () => {
    const stock = fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 11, maxLength: 11 }), { maxLength: 4 })
    fc.assert(
      fc.property(anyOrder, stock, (ordered, nodes) => {
        for (const group of groupsOf(ordered)) {
          const candidates = nodes.map((available, index) => ({
            node: nodeOf(`N${index}`),
            km: index,
            available: available.slice(0, group.demand.length),
            refusedBy: null,
          }))
          const plan = source(group.demand, candidates)
          const { parcels, missing } = itemsOfPlan(group, plan)
          const left = new Map(group.parts.map((part) => [part.item, part.quantity]))
          for (const { item, quantity } of [...parcels.flatMap((parcel) => parcel.items), ...missing]) {
            expect(quantity).toBeGreaterThan(0)
            left.set(item, left.get(item)! - quantity)
          }
          expect([...left.values()].every((units) => units === 0)).toBe(true)
          expect(parcels.map((parcel) => parcel.node)).toEqual(plan.parcels.map((parcel) => parcel.node))
        }
      }),
    )
  })
})
