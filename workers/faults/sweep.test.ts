/** What a crash or a lost message leaves behind is found by the sweep and put right. */
import { createHash } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { contract } from '../../adapters/http/v1/contract.ts'
import { keysOf } from '../../adapters/stock/keys.ts'
import type { ReservationName } from '../../adapters/store/order-store.ts'
import { PostgresStore } from '../../adapters/store/postgres-store.ts'
import { postStock } from '../../adapters/store/stock/stock.ts'
import { startTestService, type TestService } from '../e2e/testing/service.ts'
import { sweepOf } from '../service.ts'
import { StockSweep } from '../stock/sweep-stock.ts'
import { orderOf } from './testing/ledger.ts'

const node = 'east'
const keyPrefix = 'e2e:'
const heldMsMax = 10_000

let service: TestService
let redis: Redis

beforeAll(async () => {
  service = await startTestService()
  redis = new Redis(service.redisUrl)
})
afterAll(async () => {
  redis.disconnect()
  await service.close()
})

const freshSweep = () => sweepOf(service.running, { heldMsMax })
const atp = async (sku: string) => (await service.running.keeper.look(node)).atp.get(sku)
const held = async () => (await service.running.keeper.look(node)).held.map((h) => h.reservationId)
const reserve = (reservationId: string, madeAtMs: number, sku: string) =>
  service.running.keeper.reserve(() => madeAtMs, [{ node, reservationId, lines: [{ sku, quantity: 3 }] }])

test('a reservation that nobody committed is given back, once nobody can any more', async () => {
  await service.goods('orphan', { east: 10 })
  const now = Date.now()
  await reserve('nobodys@0', now - 2 * heldMsMax, 'orphan')
  await reserve('being-decided@0', now, 'orphan')
  expect(await atp('orphan')).toBe(4)
  await freshSweep().round()
  expect(await atp('orphan')).toBe(7)
  expect(await held()).toEqual(['being-decided@0'])
  await service.running.keeper.release([{ node, reservationId: 'being-decided@0' }])
  expect(await service.audit()).toEqual([])
})

test('a reservation that is asked for again while the sweep looks is not given back', async () => {
  await service.goods('asked-again', { east: 10 })
  const { keeper } = service.running
  await reserve('again@0', Date.now() - 2 * heldMsMax, 'asked-again')
  class Store extends PostgresStore {
    override async partedByCommit<R extends ReservationName>(reservations: readonly R[]) {
      const parted = await super.partedByCommit(reservations)
      // A decision that was cut off is tried again just now, and is about to commit.
      await reserve('again@0', Date.now(), 'asked-again')
      return parted
    }
  }
  const sweep = new StockSweep({ ...service.running, store: new Store(service.sql) }, { heldMsMax }, () => undefined)
  await sweep.round(() => false)
  expect(await held()).toEqual(['again@0'])
  expect(await atp('asked-again')).toBe(7)
  await keeper.release([{ node, reservationId: 'again@0' }])
  expect(await service.audit()).toEqual([])
})

test('a reservation that was committed and not confirmed stays taken, and its record goes', async () => {
  await service.goods('committed', { east: 10 })
  await reserve('committed@0', Date.now() - 2 * heldMsMax, 'committed')
  const { sql } = service
  await sql`update stock set reserved = 3 where node = ${node} and sku = 'committed'`
  await sql`
    insert into stock_movement (node, kind, ref, skus, on_hand, reserved)
    values (${node}, 'reserve', 'committed@0', ${['committed']}, ${[0]}::int[], ${[3]}::int[])`
  await freshSweep().round()
  expect(await atp('committed')).toBe(7)
  expect(await held()).toEqual([])
  await sql`update stock set reserved = 0 where node = ${node} and sku = 'committed'`
  await sql`delete from stock_movement where ref = 'committed@0'`
  await service.running.keeper.recover(service.running.keeper.epoch)
})

test('the same id at another node is another reservation: committed there, it is given back here', async () => {
  await service.goods('elsewhere', { east: 10, north: 10 })
  await reserve('both@0', Date.now() - 2 * heldMsMax, 'elsewhere')
  const { sql } = service
  await sql`
    insert into stock_movement (node, kind, ref, skus, on_hand, reserved)
    values ('north', 'reserve', 'both@0', ${['elsewhere']}, ${[0]}::int[], ${[3]}::int[])`
  await freshSweep().round()
  await sql`delete from stock_movement where ref = 'both@0'`
  expect(await held()).toEqual([])
  expect(await atp('elsewhere')).toBe(10)
  expect(await service.audit()).toEqual([])
})

test('a change that Redis was never told is told', async () => {
  await service.goods('untold', { east: 10 })
  const lines = [{ sku: 'untold', quantity: 5 }]
  const bodyHash = createHash('sha256').update('untold').digest()
  // As a process does that dies between its commit and the call to Redis.
  await postStock(service.sql, { node, ref: 'untold', kind: 'add', lines, bodyHash })
  expect(await atp('untold')).toBe(10)
  await freshSweep().round()
  expect(await atp('untold')).toBe(15)
  expect(await service.audit()).toEqual([])
})

test.each([
  ['more', 4],
  ['fewer', -4],
])(
  'a counter that shows %s than there is is raised, mended, and forgotten when it is right again',
  async (word, by) => {
    const sku = `drift-${word}`
    await service.goods(sku, { east: 10 })
    await redis.hincrby(keysOf(keyPrefix, node).atp, sku, by)
    const sweep = freshSweep()
    await sweep.round()
    // Seen once it may be a change that is just under way.
    expect(await service.exceptions('stock_drift')).toEqual([])
    await sweep.round()
    expect(await service.exceptions('stock_drift')).toMatchObject([{ ref: node, detail: { skus: 1, units: 4 } }])
    expect(await atp(sku)).toBe(10)
    await sweep.round()
    expect(await service.exceptions('stock_drift')).toEqual([])
    // Mended, and still there to be asked about.
    const path = '/v1/exceptions?kind=stock_drift&state=resolved&limit=500'
    const told = contract.listExceptions.answers[200].parse((await service.admin('GET', path)).json)
    expect(told.exceptions.at(-1)).toMatchObject({
      ...{ ref: node, resolvedAt: expect.any(Number) },
      detail: { mended: 'reloaded', figures: [{ sku, redis: 10 + by, postgres: 10 }] },
    })
    expect(await service.audit()).toEqual([])
  },
)

test('while reservations are under way a wrong counter is seen all the same, and they are none', async () => {
  await service.goods('busy', { east: 10 })
  await service.goods('busier', { east: 10 })
  const now = Date.now()
  await reserve('under-way@0', now, 'busy')
  await reserve('under-way@1', now, 'busier')
  const sweep = freshSweep()
  for (const _ of [1, 2]) await sweep.round()
  expect(await service.exceptions('stock_drift')).toEqual([])
  expect(await held()).toEqual(['under-way@0', 'under-way@1'])
  await redis.hincrby(keysOf(keyPrefix, node).atp, 'busy', 5)
  for (const _ of [1, 2]) await sweep.round()
  expect(await service.exceptions('stock_drift')).toMatchObject([
    { detail: { skus: 1, figures: [{ sku: 'busy', redis: 15, postgres: 10 }] } },
  ])
  // All of Redis was made anew, and what was under way has to be decided again.
  expect([await atp('busy'), await atp('busier'), await held()]).toEqual([10, 10, []])
  await sweep.round()
  expect(await service.audit()).toEqual([])
})

test('the task of an owner who fell silent is taken from him, when it was to be stopped anyway', async () => {
  await service.goods('stopped', { east: 10 })
  const order = orderOf([{ sku: 'stopped', quantity: 4 }])
  await service.tell(order)
  await service.at(node).pullFor(order)
  const path = `/v1/orders/${order.channel}/${encodeURIComponent(order.shop)}/${order.orderId}/cancel`
  expect((await service.admin('POST', path, {})).status).toBe(200)
  await freshSweep().round()
  expect(await service.stock('stopped')).toMatchObject({ east: { reserved: 4 } })
  await service.sql`update task set lease_until = now() - interval '1 second' where node = ${node}`
  await freshSweep().round()
  await service.settled()
  expect(await service.stock('stopped')).toMatchObject({ east: { onHand: 10, reserved: 0, available: 10 } })
  expect(await atp('stopped')).toBe(10)
  expect(await service.audit()).toEqual([])
})

test('an event in the inbox that no process has in memory is decided', async () => {
  await service.goods('left', { east: 10 })
  const order = orderOf([{ sku: 'left', quantity: 1 }])
  await service.tell(order)
  await service.restart(async () => {
    await service.sql`
      with stored as (
        insert into inbox (day, channel, shop, event_id, order_id, kind, body_hash, body)
        select day, channel, shop, event_id || ' again', order_id, kind, body_hash, body from inbox where order_id = ${order.orderId}
        returning *
      )
      insert into pending (seq, day, channel, shop, event_id, order_id, kind)
      select seq, day, channel, shop, event_id, order_id, kind from stored`
  })
  await service.settled()
  expect((await service.order(order)).tasks).toHaveLength(1)
  expect(await service.audit()).toEqual([])
})
