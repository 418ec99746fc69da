import { expect, test } from 'vitest'
import { fc } from '../../../router/testing/seed.ts'
import { shareJdPayment } from './money.ts'

const skuIds = fc.constantFrom('a', 'b', 'c')
const lines = fc.array(fc.record({ skuId: skuIds, grossFen: fc.integer({ min: 0, max: 100_000 }) }), {
  minLength: 1,
  maxLength: 12,
})
const coupons = fc.array(
  fc.record({
    skuId: fc.option(fc.oneof(skuIds, fc.constant('unknown'))),
    amountFen: fc.integer({ min: 0, max: 50_000 }),
  }),
  { maxLength: 6 },
)
const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0)

test('when the discounts explain the payment, the lines add up to it', () => {
  fc.assert(
    fc.property(lines, coupons, fc.integer({ min: 0, max: 50_000 }), fc.boolean(), (goods, given, seller, itemised) => {
      const goodsFen =
        sum(goods.map((line) => line.grossFen)) - sum(given.map((one) => one.amountFen)) - (itemised ? 0 : seller)
      fc.pre(goodsFen >= 0)
      const paidFen = shareJdPayment(goods, given, seller, goodsFen)
      expect(sum(paidFen)).toBe(goodsFen)
      for (const [index, fen] of paidFen.entries()) expect(fen >= 0 && fen <= goods[index]!.grossFen).toBe(true)
    }),
  )
})

test('whatever the platform claims, no line costs less than nothing or more than its price', () => {
  fc.assert(
    fc.property(lines, coupons, fc.nat(), fc.integer(), (goods, given, seller, goodsFen) => {
      const paidFen = shareJdPayment(goods, given, seller, goodsFen)
      for (const [index, fen] of paidFen.entries()) expect(fen >= 0 && fen <= goods[index]!.grossFen).toBe(true)
    }),
  )
})

test('a coupon on one SKU stays with its lines', () => {
  const goods = [
    { skuId: 'a', grossFen: 300 },
    { skuId: 'b', grossFen: 500 },
    { skuId: 'a', grossFen: 100 },
  ]
  expect(shareJdPayment(goods, [{ skuId: 'a', amountFen: 100 }], 0, 800)).toEqual([225, 500, 75])
})
