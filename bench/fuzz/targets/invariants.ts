/** What holds of whatever the parsers and the brain give, however odd the bytes were. */
import type { Received } from '../../../adapters/channels/channel.ts'
import { addFen } from '../../../router/money.ts'
import type { Order, OrderSnapshot, Snapshot } from '../../../router/types.ts'
import { expectThat } from '../target.ts'

const refusals = new Set(['bad_signature', 'stale_timestamp', 'malformed', 'not_supported'])
// What a text column of Postgres does not take.
const unstorable = /[\0\p{Cs}]/u
const quantityMax = 1_000_000

export function checkReceived(received: Received): void {
  if (received.outcome === 'refused') expectThat(refusals.has(received.code), `a documented refusal: ${received.code}`)
  if (received.outcome !== 'event') return
  const { eventId, orderId, occurredAt, kind, payload } = received
  expectThat(eventId !== '' && Buffer.byteLength(eventId) <= 200, 'an event id of 1 to 200 bytes')
  expectThat(!unstorable.test(eventId) && !unstorable.test(orderId), 'ids that can be stored')
  expectThat((orderId === '') === (kind === 'unintelligible'), 'an order id, unless nobody can read it')
  expectThat(Number.isSafeInteger(occurredAt) && occurredAt >= 0, 'an instant, or 0')
  // Year 2100 for seconds; a wall clock of four digits ends in 9999, and Postgres has dates beyond that.
  expectThat(occurredAt < 253_402_300_800_000, 'an instant that has a date')
  expectThat(payload instanceof Uint8Array, 'the bytes that were verified')
}

export function checkSnapshot(snapshot: Snapshot): void {
  expectThat(Object.getPrototypeOf(snapshot) === Object.prototype, 'a plain object')
  expectThat(/^[\x21-\x7e]{1,64}$/.test(snapshot.orderId), 'an order id of visible ASCII')
  if (snapshot.type === 'notification') return
  expectThat(Number.isSafeInteger(snapshot.modifiedAt) && snapshot.modifiedAt >= 0, 'modifiedAt is an instant')
  if (snapshot.type === 'refund') expectThat(isFen(snapshot.refundFen), 'a refund of whole fen, not negative')
  else checkOrderSnapshot(snapshot)
}

function checkOrderSnapshot(snapshot: OrderSnapshot): void {
  const { lines, freightFen, paidFen, receiver, presale } = snapshot
  expectThat(isFen(freightFen) && isFen(paidFen), 'whole fen, not negative')
  expectThat(presale === null || isFen(presale.depositFen), 'a deposit of whole fen')
  expectThat(lines.length > 0 && new Set(lines.map((l) => l.lineId)).size === lines.length, 'lines, each named once')
  for (const line of lines) {
    expectThat(isFen(line.paidFen), 'a line of whole fen, not negative')
    expectThat(
      Number.isSafeInteger(line.quantity) && line.quantity >= 1 && line.quantity <= quantityMax,
      'a quantity from 1 to a million',
    )
    expectThat(typeof line.sku === 'string', 'a SKU that is text')
    expectThat(line.giftOf === null || lines.some((l) => l.lineId === line.giftOf), 'a gift of a line that is there')
  }
  for (const instant of [snapshot.createdAt, snapshot.paidAt, snapshot.shipBy, ...lines.map((l) => l.readyAt)]) {
    expectThat(instant === null || Number.isSafeInteger(instant), 'instants are whole milliseconds')
  }
  for (const text of [...Object.values(receiver), snapshot.buyerId, snapshot.buyerMessage, snapshot.sellerMemo]) {
    expectThat(typeof text !== 'string' || !unstorable.test(text), 'texts that can be stored')
  }
}

/** The order after its decision: every unit somewhere, all money accounted for or the order held. */
export function checkOrder(order: Order): void {
  const { snapshot, items, allocations } = order
  if (snapshot === null) return
  const placed = new Array<number>(items.length).fill(0)
  for (const { item, quantity, place, taskId } of allocations) {
    expectThat(Number.isSafeInteger(quantity) && quantity > 0, 'an allocation of whole units')
    expectThat((place === 'task') === (taskId !== null), 'a task where units are in one')
    placed[item]! += quantity
  }
  items.forEach((item, at) => {
    expectThat(Number.isSafeInteger(item.quantity) && item.quantity > 0, 'items of whole units')
    expectThat(placed[at]! <= item.quantity, 'no unit in two places')
  })
  snapshot.lines.forEach((line, at) => {
    const own = items.filter((item) => item.line === at)
    expectThat(addFen(...own.map((item) => item.paidFen)) === line.paidFen, "a line's items cost what the line does")
  })
  const sumFen = addFen(snapshot.freightFen, ...snapshot.lines.map((l) => l.paidFen))
  const isHeld = allocations.every((a) => a.place !== 'task' && a.place !== 'backordered')
  expectThat(sumFen === snapshot.paidFen || isHeld, 'money that does not add up holds the order')
}

function isFen(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
