import { describe, expect, test } from 'vitest'
import { bundleComponentsMax, countItems, countUnits, explode, orderItemsMax, orderUnitsMax } from './bundle.ts'
import { fc } from './testing/seed.ts'
import type { Sku, SkuQuantity, SnapshotLine } from './types.ts'

function line(sku: string, quantity: number, paidFen: number): SnapshotLine {
  return {
    lineId: `line-${sku}`,
    sku,
    platformSku: sku,
    title: sku,
    quantity,
    paidFen,
    gift: false,
    giftOf: null,
    refund: 'none',
    readyAt: null,
  }
}

function skuOf(sku: string, bundle: readonly SkuQuantity[] = []): Sku {
  return { sku, name: sku, weightGrams: 100, storageClass: 'normal', warehouseOnly: false, bundle }
}

function catalogOf(...skus: Sku[]) {
  return (sku: string) => skus.find((each) => each.sku === sku)
}

const catalog = catalogOf(
  skuOf('A'),
  skuOf('B'),
  skuOf('SET', [
    { sku: 'A', quantity: 1 },
    { sku: 'B', quantity: 2 },
  ]),
  skuOf('TWICE', [
    { sku: 'A', quantity: 1 },
    { sku: 'B', quantity: 1 },
    { sku: 'A', quantity: 2 },
  ]),
  skuOf('NESTED', [{ sku: 'SET', quantity: 1 }]),
)

describe('explode', () => {
  test.each<[why: string, lines: SnapshotLine[], items: [line: number, sku: string, quantity: number, fen: number][]]>([
    ['a plain line is one item', [line('A', 3, 100)], [[0, 'A', 3, 100]]],
    ['an unknown SKU passes as it is', [line('?', 2, 7)], [[0, '?', 2, 7]]],
    ['a line without SKU passes as it is', [line('', 2, 7)], [[0, '', 2, 7]]],
    // prettier-ignore
    [
      'a bundle is taken apart, times the line, money by pieces',
      [line('SET', 2, 100)],
      [
        [0, 'A', 2, 33],
        [0, 'B', 4, 67],
      ],
    ],
    [
      'the same component twice is added up',
      [line('TWICE', 1, 8)],
      [
        [0, 'A', 3, 6],
        [0, 'B', 1, 2],
      ],
    ],
    [
      'two lines stay two items, even of one SKU',
      [line('A', 1, 5), line('A', 2, 9)],
      [
        [0, 'A', 1, 5],
        [1, 'A', 2, 9],
      ],
    ],
    ['a bundle in a bundle is left for the check', [line('NESTED', 1, 5)], [[0, 'SET', 1, 5]]],
    [
      'a free bundle costs nothing',
      [line('SET', 1, 0)],
      [
        [0, 'A', 1, 0],
        [0, 'B', 2, 0],
      ],
    ],
  ])('%s', (_why, lines, items) => {
    expect(explode(lines, catalog)).toEqual(
      items.map(([index, sku, quantity, paidFen]) => ({ line: index, sku, quantity, paidFen })),
    )
  })

  test.each<[why: string, quantity: number]>([
    ['zero', 0],
    ['less than zero', -1],
    ['a fraction', 1.5],
    ['more than can be counted', 2 ** 53],
  ])('%s is a bug', (_why, quantity) => {
    expect(() => explode([line('SET', quantity, 1)], catalog)).toThrow(RangeError)
  })

  test('a bundle longer than the limit is a bug', () => {
    const components = Array.from({ length: bundleComponentsMax + 1 }, (_, index) => ({
      sku: `C${index}`,
      quantity: 1,
    }))
    expect(() => explode([line('LONG', 1, 1)], catalogOf(skuOf('LONG', components)))).toThrow(RangeError)
  })

  test('money and units of every line add up over its items', () => {
    const component = fc.record({ sku: fc.constantFrom('A', 'B', 'C', 'D'), quantity: fc.integer({ min: 1, max: 9 }) })
    const ordered = fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 1_000_000 }))
    fc.assert(
      fc.property(fc.array(component, { maxLength: 8 }), fc.array(ordered, { maxLength: 5 }), (bundle, orders) => {
        const lines = orders.map(([quantity, paidFen]) => line('X', quantity, paidFen))
        const items = explode(lines, catalogOf(skuOf('X', bundle)))
        const pieces = bundle.length === 0 ? 1 : bundle.reduce((sum, each) => sum + each.quantity, 0)
        for (const [index, { quantity, paidFen }] of lines.entries()) {
          const own = items.filter((item) => item.line === index)
          expect(own.reduce((sum, item) => sum + item.paidFen, 0)).toBe(paidFen)
          expect(own.reduce((sum, item) => sum + item.quantity, 0)).toBe(quantity * pieces)
          expect(new Set(own.map((item) => item.sku)).size).toBe(own.length)
        }
      }),
    )
  })
})

test('an order that would come to too many items is not taken apart; one that just fits is', () => {
  const fifty = Array.from({ length: 50 }, (_, i) => ({ sku: `P${i}`, quantity: 1 }))
  const wide = catalogOf(skuOf('WIDE', fifty), ...fifty.map(({ sku }) => skuOf(sku)))
  const told = (count: number) => Array.from({ length: count }, () => line('WIDE', 1, 100))
  const fits = orderItemsMax / 50
  expect(countItems(told(fits), wide)).toBe(orderItemsMax)
  expect(explode(told(fits), wide)).toHaveLength(orderItemsMax)
  expect(countItems(told(1_000), wide)).toBe(50_000)
  expect(explode(told(1_000), wide)).toEqual(
    told(1_000).map((_, i) => ({ line: i, sku: 'WIDE', quantity: 1, paidFen: 100 })),
  )
})

describe('an order that would come to too many units', () => {
  const million = { sku: 'A', quantity: 1_000_000 }
  const big = catalogOf(
    skuOf('A'),
    skuOf('B'),
    skuOf('BIG', [million]),
    skuOf('PAIR', [million, { sku: 'B', quantity: 1 }]),
  )

  test.each<[why: string, lines: SnapshotLine[], units: number, isTakenApart: boolean]>([
    ['a plain line of as many', [line('A', orderUnitsMax, 1)], orderUnitsMax, true],
    ['a bundle of as many', [line('BIG', 1, 1)], orderUnitsMax, true],
    ['one more, of another component', [line('PAIR', 1, 1)], orderUnitsMax + 1, false],
    ['one more, on another line', [line('BIG', 1, 1), line('B', 1, 1)], orderUnitsMax + 1, false],
    ['what no row of a database holds', [line('BIG', 3_000, 1)], 3_000_000_000, false],
    ['what no number holds', [line('BIG', 2 ** 52, 1)], 2 ** 52 * 1_000_000, false],
  ])('%s', (_, lines, units, isTakenApart) => {
    expect(countUnits(lines, big)).toBe(units)
    const whole = lines.map(({ sku, quantity, paidFen }, i) => ({ line: i, sku, quantity, paidFen }))
    const items = explode(lines, big)
    if (isTakenApart) expect(items.map(({ sku, quantity }) => [sku, quantity])).toEqual([['A', orderUnitsMax]])
    else expect(items).toEqual(whole)
  })
})
