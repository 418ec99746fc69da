/** Presale goods: a task of theirs is pulled when its date has come, and follows the date while no warehouse has it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { later, type TestOrder, testOrder } from './testing/orders.ts'
import { startTestService, type TestService } from './testing/service.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
  await service.goods('now', { east: 20 })
  await service.goods('later', { east: 20 })
})
afterAll(() => service.close())

const dayMs = 86_400_000
/** Whole seconds, as the platform tells it. */
const inDays = (days: number): number => Math.floor((Date.now() + days * dayMs) / 1000) * 1000

function presale(readyAt: number): TestOrder {
  return testOrder('tmall', [
    { sku: 'now', quantity: 1, paidFen: 100 },
    { sku: 'later', quantity: 1, paidFen: 200, readyAt },
  ])
}

function moved(order: TestOrder, readyAt: number): TestOrder {
  return later(order, { lines: order.lines.map((line) => (line.readyAt === undefined ? line : { ...line, readyAt })) })
}

async function pulledSkus(order: TestOrder): Promise<string[]> {
  const tasks = await service.at('east').pull()
  return tasks.filter((t) => t.orderId === order.orderId).flatMap((t) => t.lines.map((l) => l.sku))
}

async function datesOf(order: TestOrder): Promise<Record<string, number | null>> {
  const { tasks } = await service.order(order)
  return Object.fromEntries(tasks.filter((t) => t.state !== 'cancelled').map((t) => [t.lines[0]!.sku, t.notBefore]))
}

test('goods that are there leave, those of a date wait for it', async () => {
  const date = inDays(5)
  const order = presale(date)
  await service.tell(order)
  expect(await datesOf(order)).toEqual({ now: null, later: date })
  expect(await pulledSkus(order)).toEqual(['now'])
  expect(await pulledSkus(order)).toEqual([])
  expect(await service.audit()).toEqual([])
})

test('a date that the platform moves moves the task, both ways, and one that is over lets it go', async () => {
  const order = presale(inDays(5))
  await service.tell(order)
  const put = moved(order, inDays(9))
  await service.tell(put)
  expect(await datesOf(put)).toEqual({ now: null, later: put.lines[1]!.readyAt })
  expect(await service.audit()).toEqual([])
  const over = moved(put, inDays(0) - 1_000)
  await service.tell(over)
  expect(await pulledSkus(over)).toEqual(['now', 'later'])
  // Whoever has it keeps it: what the platform says now is a matter between people.
  const again = moved(over, inDays(3))
  await service.tell(again)
  expect(await datesOf(again)).toEqual({ now: null, later: over.lines[1]!.readyAt })
  expect(await service.audit()).toEqual([])
})

test('a line that gets a date, and one that loses it', async () => {
  const order = testOrder('tmall', [{ sku: 'now', quantity: 1, paidFen: 100 }])
  await service.tell(order)
  const date = inDays(2)
  const dated = later(order, { lines: [{ ...order.lines[0]!, readyAt: date }] })
  await service.tell(dated)
  expect(await datesOf(dated)).toEqual({ now: date })
  expect(await pulledSkus(dated)).toEqual([])
  await service.tell(later(dated, { lines: order.lines }))
  expect(await pulledSkus(dated)).toEqual(['now'])
  expect(await service.audit()).toEqual([])
})
