/** Whole orders decided again: pulled, given back, called back, shipped, out of stock, cancelled; and histories that say something else. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { later, type TestOrder, testOrder } from '../../e2e/testing/orders.ts'
import { startTestService, type TestService } from '../../e2e/testing/service.ts'
import { signedOrder } from '../../e2e/testing/webhooks.ts'
import { replayDecisions } from './replay.ts'

let service: TestService
const orders = new Map<string, TestOrder>()

async function told(name: string, sku: string, quantity: number): Promise<TestOrder> {
  const order = testOrder('jd', [{ sku, quantity, paidFen: 500 * quantity }])
  orders.set(name, order)
  await service.tell(order)
  return order
}

beforeAll(async () => {
  service = await startTestService()
  await service.goods('a', { east: 20, south: 20 })
  await service.goods('b', {})
  const east = service.at('east')

  const rejected = await told('rejected', 'a', 4)
  const first = await east.pullFor(rejected)
  await east.reject(first, 'overloaded')
  await service.settled()
  const second = await service.at('south').pullFor(rejected)
  await service.at('south').ship(second, 'SF0001', [{ sku: 'a', quantity: 1 }])
  await service.at('south').ship(second, 'SF0002', [{ sku: 'a', quantity: 3 }])

  // Locked while a warehouse has it, let go again, locked once more and given back; then let go for good.
  const stopped = await told('stopped', 'a', 2)
  const pulled = await east.pullFor(stopped)
  const locked = later(stopped, { step: 'locked' })
  await service.tell(locked)
  const free = later(locked, { step: 'paid' })
  await service.tell(free)
  const lockedAgain = later(free, { step: 'locked' })
  await service.tell(lockedAgain)
  await east.intercept(pulled)
  await service.settled()
  await service.tell(later(lockedAgain, { step: 'paid' }))
  // Older than what is known: changes nothing.
  await service.tell(later(stopped, { step: 'locked', sellerMemo: 'late' }))

  await told('waiting', 'b', 3)
  await service.goods('b', { east: 3 })
  await service.sweep()

  await service.goods('c', { east: 9 })
  await service.goods(
    'pair',
    {},
    {
      bundle: [
        { sku: 'a', quantity: 2 },
        { sku: 'c', quantity: 1 },
      ],
    },
  )
  await told('pair', 'pair', 1)

  const cancelled = await told('cancelled', 'a', 1)
  await service.tell(later(cancelled, { step: 'closed' }))
  await service.settled()

  // Its row is taken while it is told the first time, so the later two wait and are decided together.
  const busy = await told('busy', 'a', 1)
  const lockedOnce = later(busy, { step: 'locked' })
  const freeOnce = later(lockedOnce, { step: 'paid' })
  await service.sql.begin(async (other) => {
    await other`select from orders where order_id = ${busy.orderId} for update`
    for (const step of [lockedOnce, freeOnce, later(freeOnce, { step: 'closed' })])
      await service.send(signedOrder(step))
  })
  await service.settled()
  await service.sql`create table saved_decision as select * from decision`
  await service.sql`create table saved_inbox as select * from inbox`
  await service.sql`create table saved_sku as select sku, detail from sku`
  await service.sql`create table saved_orders as select id, version, allocations, state, body from orders`
  await service.sql`create table saved_shop as select channel, shop, sku_map from shop`
})
afterAll(() => service.close())

const replayed = () => replayDecisions(service.sql, 100)

test('every version of every order comes out as it did', async () => {
  const { sql } = service
  const [known] = await sql<{ orders: number; versions: number }[]>`
    select count(*)::int as orders, sum(version)::int as versions from orders`
  expect(await replayed()).toEqual({ ...known, traces: expect.any(Number), notReplayed: {}, different: [] })
  expect(known!.orders).toBe(6)
  const together = await sql`
    select from decision d join orders o on o.id = d.order_id and o.order_id = ${orders.get('busy')!.orderId}
    where d.version = 3`
  expect(together.length).toBe(2)
  // Also those whose tasks were taken back, flagged and shipped in part.
  const outcomes = await sql<{ outcome: string; versions: number }[]>`
    select distinct o.version as versions from orders o order by 1`
  expect(outcomes.map((o) => o.versions)).toEqual([1, 2, 3, 4, 6])
})

/** `broken`: SQL about the order `o`; `version`: where the replay finds it, null when only the stored order shows it. */
interface Lie {
  readonly of: string
  readonly broken: string
  readonly version: number | null
  readonly differs: readonly string[]
}

const trace = (version: number, changed: string) =>
  `update decision d set trace = (${changed})::text from o where d.order_id = o.id and d.version = ${version} and d.seq > 0`

const lies: readonly Lie[] = [
  {
    of: 'rejected',
    broken: `update decision d set outcome = 'held' from o where d.order_id = o.id and d.version = 2`,
    version: 2,
    differs: ['state'],
  },
  {
    of: 'rejected',
    broken: trace(2, `trace::jsonb - 'released'`),
    version: 2,
    // A task that did not come back keeps its units.
    differs: ['demand'],
  },
  {
    of: 'rejected',
    broken: `update decision d set outcome = 'shipped' from o where d.order_id = o.id and d.version = 3`,
    version: 3,
    differs: ['outcome'],
  },
  {
    of: 'stopped',
    broken: trace(2, `trace::jsonb - 'interceptRequested'`),
    version: 2,
    differs: ['interceptRequested'],
  },
  {
    of: 'stopped',
    broken: trace(3, `trace::jsonb - 'interceptWithdrawn'`),
    version: 3,
    differs: ['interceptWithdrawn'],
  },
  { of: 'stopped', broken: trace(4, `jsonb_set(trace::jsonb, '{holds}', '[]')`), version: 4, differs: ['holds'] },
  { of: 'waiting', broken: trace(2, `jsonb_set(trace::jsonb, '{tasks}', '["1-7"]')`), version: 2, differs: ['tasks'] },
  {
    of: 'cancelled',
    broken: `update orders set allocations = jsonb_set(allocations, '{0,place}', '"held"') from o where orders.id = o.id`,
    version: null,
    differs: ['allocations'],
  },
  {
    of: 'cancelled',
    broken: `update orders set state = 'closed' from o where orders.id = o.id`,
    version: null,
    differs: ['state'],
  },
]

/** SQL about the order `o`. */
async function withBroken<T>(name: string, broken: string, look: () => Promise<T>): Promise<T> {
  const { sql } = service
  try {
    await sql.unsafe(
      `with o as (select id, channel, shop, order_id from orders where order_id = '${orders.get(name)!.orderId}') ${broken}`,
    )
    return await look()
  } finally {
    await sql.unsafe(`
      delete from decision; insert into decision select * from saved_decision;
      delete from inbox; insert into inbox select * from saved_inbox;
      update sku set detail = s.detail from saved_sku s where s.sku = sku.sku;
      update shop set sku_map = s.sku_map from saved_shop s where (s.channel, s.shop) = (shop.channel, shop.shop);
      update orders o set version = s.version, allocations = s.allocations, state = s.state, body = s.body from saved_orders s where s.id = o.id`)
  }
}

describe('a history or an order that says otherwise is told', () => {
  test.each(lies)('$of: $broken', async ({ of, broken, version, differs }) => {
    const found = await withBroken(of, broken, replayed)
    expect(found.notReplayed).toEqual({})
    expect(found.different).toMatchObject([{ version, differs }])
  })

  test('an event that was not taken as it is said', async () => {
    const { different } = await withBroken(
      'stopped',
      trace(2, `jsonb_set(trace::jsonb, '{taken}', '"stale"')`),
      replayed,
    )
    expect(different).toMatchObject([{ version: 2, differs: [expect.stringMatching(/^event \d+$/)] }])
  })
})

describe('what cannot be decided again is counted with its reason', () => {
  test.each([
    ['events_gone', `delete from inbox i using o where i.order_id = o.order_id`],
    ['history_incomplete', `delete from decision d using o where d.order_id = o.id and d.version = 3`],
    [
      'history_incomplete',
      `update decision d set trace = '{"event": "of another time"}' from o where d.order_id = o.id and d.seq = 0 and d.version = 3`,
    ],
    [
      'history_too_long',
      `insert into decision (order_id, version, seq, outcome, trace)
       select o.id, 4, -n, 'restocked', '{}' from o, generate_series(1, 1000) n`,
    ],
  ])('%s: %s', async (why, broken) => {
    const found = await withBroken('rejected', broken, replayed)
    expect(found).toMatchObject({ orders: 5, different: [] })
    expect(found.notReplayed).toEqual({ [why]: 1 })
  })

  test('settings_changed: only where the decision is another one with them', async () => {
    const heavier = `update sku set detail = jsonb_set(detail, '{weightGrams}', '9') from o where sku = 'b'`
    const found = await withBroken('waiting', heavier, replayed)
    expect([found.orders, found.notReplayed, found.different]).toEqual([6, {}, []])
    const bundled = `update sku set detail = jsonb_set(detail, '{bundle}', '[{"sku": "a", "quantity": 2}]') from o where sku = 'b'`
    const left = await withBroken('waiting', bundled, replayed)
    expect([left.orders, left.notReplayed, left.different]).toEqual([5, { settings_changed: 1 }, []])
  })

  test.each([
    [
      'a storage class',
      `update sku set detail = jsonb_set(detail, '{storageClass}', '"frozen"') where sku = 'c'`,
      'pair',
    ],
    [
      'more of a part',
      `update sku set detail = jsonb_set(detail, '{bundle,0,quantity}', '3') where sku = 'pair'`,
      'pair',
    ],
    ['another SKU of the map', `update shop set sku_map = '{"a": "b"}' where channel = 'jd'`, 'stopped'],
  ])('settings_changed: %s', async (_, change, of) => {
    const found = await withBroken(of, `, changed as (${change} returning 1) select 1`, replayed)
    expect(found.different).toEqual([])
    expect(found.notReplayed.settings_changed).toBeGreaterThan(0)
  })

  test('an order whose state the audit computed anew is decided again as well', async () => {
    const mended = `
      , up as (update orders set version = version + 1 from o where orders.id = o.id returning orders.id, version, state)
      insert into decision (order_id, version, seq, outcome, trace)
      select id, version, 0, state, '{"event": "audit", "was": "held"}' from up`
    const { sql } = service
    const [before] = await sql`select count(*)::int as orders, sum(version)::int + 1 as versions from orders`
    expect(await withBroken('waiting', mended, replayed)).toMatchObject({ ...before, notReplayed: {}, different: [] })
    const lied = mended.replace('0, state', "0, 'held'")
    expect(await withBroken('waiting', lied, replayed)).toMatchObject({ different: [{ differs: ['state'] }] })
  })
})
