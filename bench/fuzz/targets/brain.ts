/** The brain on any facts: orders told in any sequence, money shared, sources chosen, traces read. */
import fc from 'fast-check'
import { check } from '../../../router/check.ts'
import { addFen, shareByLargestRemainder } from '../../../router/money.ts'
import { newOrder } from '../../../router/order.ts'
import { decideOrder } from '../../../router/order-decision.ts'
import { defaultPolicy as policy } from '../../../router/policy.ts'
import { type Order, type OrderSnapshot, platformStates, type RefundSnapshot } from '../../../router/types.ts'
import { formatYuan, parseYuan } from '../../../router/yuan.ts'
import { mutateBytes } from '../mutate-bytes.ts'
import { nastyAmounts } from '../nasty.ts'
import { decidingContext, nowMs } from '../samples.ts'
import { expectThat, target } from '../target.ts'

const key = { channel: 'tmall', shop: 'fuzz', orderId: '1' } as const
const refundWord = fc.constantFrom('none', 'requested', 'refunded', 'refused', 'closed')
const fen = fc.oneof(fc.nat(1_000), fc.constantFrom(0, 1, 1_000_000_000_000))
const instant = fc.constantFrom(0, 1, 2, 3, 1_794_326_400_000, 253_402_300_799_000)
const anyText = fc.oneof(
  fc.constantFrom('', '请勿发货', '转人工', '改地址', '密街1号2幢3单元404室'),
  fc.string({ unit: 'binary', maxLength: 30 }),
)

const anyLine = fc.record({
  lineId: fc.constantFrom('1', '2', '3', '4'),
  sku: fc.constantFrom('', 'CF-JKT-BLK-L', 'CF-SOCK-GRY', 'CF-TENT-2P', '__proto__', 'none'),
  platformSku: fc.constantFrom('', '7'),
  title: anyText,
  quantity: fc.constantFrom(1, 2, 201, 1_000_000),
  paidFen: fen,
  gift: fc.boolean(),
  giftOf: fc.constantFrom(null, '1', '2'),
  refund: refundWord,
  readyAt: fc.option(instant),
})
const anySnapshot = fc.record({
  ...{
    type: fc.constant('order'),
    channel: fc.constant(key.channel),
    shop: fc.constant(key.shop),
    orderId: fc.constant('1'),
  },
  ...{ platformState: fc.constantFrom(...platformStates), platformStateRaw: fc.constant('X') },
  ...{
    createdAt: instant,
    paidAt: fc.option(instant),
    modifiedAt: instant,
    shipBy: fc.option(instant),
    fetchNumber: fc.nat(2),
  },
  lines: fc.uniqueArray(anyLine, { selector: (line) => line.lineId, minLength: 1, maxLength: 4 }),
  ...{ freightFen: fen, paidFen: fen, buyerId: anyText, buyerMessage: anyText, sellerMemo: anyText },
  receiver: fc.record({
    ...{ name: anyText, phone: anyText, province: anyText, city: anyText, district: anyText, town: anyText },
    ...{
      street: anyText,
      postalCode: anyText,
      oaid: anyText,
      adcode: fc.constantFrom(null, '330106'),
      point: fc.constant(null),
    },
  }),
  ...{ sellerFlag: fc.nat(99), addressUnderReview: fc.boolean(), transactionId: fc.constant(null) },
  presale: fc.option(
    fc.record({
      step: fc.constantFrom('deposit_unpaid', 'deposit_paid', 'balance_paid', 'forfeited'),
      depositFen: fen,
    }),
  ),
}) as unknown as fc.Arbitrary<OrderSnapshot>
const anyRefund = fc.record({
  ...{
    type: fc.constant('refund'),
    channel: fc.constant(key.channel),
    shop: fc.constant(key.shop),
    orderId: fc.constant('1'),
  },
  ...{ refundId: fc.constantFrom('R1', 'R2'), lineId: fc.constantFrom(null, '1', '2'), status: refundWord },
  ...{ refundFen: fen, modifiedAt: instant },
}) as unknown as fc.Arbitrary<RefundSnapshot>
const anyStory = fc.array(fc.oneof(anySnapshot, anyRefund), { minLength: 1, maxLength: 4 })

const order = target<{ readonly story: (OrderSnapshot | RefundSnapshot)[] }>({
  name: 'order',
  share: 3,
  draw: (random) => ({ story: random.value(anyStory) }),
  run({ story }) {
    const { order: told, demand, checked } = tell(newOrder(key, '1'), story)
    expectThat(decide(told, story).decision === null, 'told again, nothing changes')
    const turned = tell(newOrder(key, '1'), [...story].reverse()).order
    const known = (o: Order) => JSON.stringify([o.snapshot, o.refunds])
    expectThat(known(turned) === known(told), 'the same in any sequence')
    const timesKnown = [told.snapshot, ...told.refunds].map((t) => t?.modifiedAt ?? 0)
    expectThat(Math.max(...timesKnown) <= nowMs + policy.clock.aheadMsMax, 'no time far ahead is believed')
    expectThat(told.state !== 'closed', 'nothing is closed by itself')
    told.items.forEach((item, i) => {
      const units = [...told.allocations, ...demand].filter((part) => part.item === i)
      expectThat(units.reduce((sum, part) => sum + part.quantity, 0) === item.quantity, 'every unit is in one place')
    })
    const { snapshot } = told
    if (snapshot === null) return
    const sumFen = addFen(snapshot.freightFen, ...snapshot.lines.map((l) => l.paidFen))
    expectThat(
      (sumFen === snapshot.paidFen) === !checked.holds.includes('amount_mismatch'),
      'money adds up, or holds the order',
    )
    const { catalog } = decidingContext()
    const asked = { snapshot, catalog: catalog.sku, overruled: [], limits: policy.check, keepsItems: false }
    const found = check(asked)
    const { receiver } = snapshot
    const reasons = [...found.holds, ...found.refusals].map((h) => h.reason).join()
    for (const secret of [receiver.name, receiver.phone, receiver.street, snapshot.buyerMessage]) {
      expectThat(secret.length < 8 || !reasons.includes(secret), 'no reason quotes the buyer')
    }
  },
})

type Told = OrderSnapshot | RefundSnapshot

/** All of it at once, as a thread decides what came together. */
function decide(before: Order, story: readonly Told[]) {
  const { catalog } = decidingContext()
  const events = story.map((told) => ({ told, storedAtMs: nowMs }))
  return decideOrder({ before, tasks: [], events, catalog: catalog.sku, skuMap: {}, policy })
}

/** The first telling of an order always moves it. */
function tell(before: Order, story: readonly Told[]) {
  const { decision, checked } = decide(before, story)
  expectThat(decision !== null, 'what is told first is taken')
  return { ...decision, checked }
}

const money = target<{ readonly totalFen: number; readonly weights: number[]; readonly text: string }>({
  name: 'money',
  share: 8,
  draw(random) {
    const weight = () => (random.oneIn(8) ? random.pick([0, 1, 2 ** 52, 2 ** 53 - 1]) : random.small(1_000_000))
    return {
      totalFen: random.oneIn(8) ? random.pick([0, 1, 2 ** 53 - 1]) : random.small(1_000_000_000),
      weights: Array.from({ length: 1 + random.small(30) }, weight),
      text: random.oneIn(2) ? random.pick(nastyAmounts) : mutateBytes(random, Buffer.from('259.00')).toString(),
    }
  },
  run({ totalFen, weights, text }) {
    if (weights.length > 0) {
      const shares = shareByLargestRemainder(totalFen, weights)
      expectThat(shares.reduce((sum, s) => sum + BigInt(s), 0n) === BigInt(totalFen), 'shares add up to what there was')
      const sum = weights.reduce((soFar, w) => soFar + BigInt(w), 0n)
      shares.forEach((share, at) => {
        expectThat(Number.isSafeInteger(share) && share >= 0, 'shares of whole fen')
        if (sum === 0n) return
        const exact = BigInt(totalFen) * BigInt(weights[at]!)
        expectThat(
          (BigInt(share) - 1n) * sum < exact && exact < (BigInt(share) + 1n) * sum,
          'each within a fen of exact',
        )
      })
    }
    const amountFen = parseYuan(text)
    if (amountFen === null) return
    expectThat(Number.isSafeInteger(amountFen) && !Object.is(amountFen, -0), 'whole fen')
    expectThat(parseYuan(formatYuan(amountFen)) === amountFen, 'what is written is read back')
  },
})

export const brainTargets = [order, money]
