/** The stock epoch and the telling of Redis, on a real Redis and a real Postgres, with several processes' keepers. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testRedis } from '../../adapters/shared/testing.ts'
import { audit } from '../../adapters/store/audit/audit.ts'
import { putNodes } from '../../adapters/store/catalog/catalog.ts'
import { commitDecisions } from '../../adapters/store/orders/commit.ts'
import { connect, type Sql } from '../../adapters/store/postgres/connect.ts'
import { currentEpoch, withEpochLock } from '../../adapters/store/stock/epoch.ts'
import {
  commitStep,
  decided,
  empty,
  lines,
  makeNetwork,
  post,
  route,
  sha256,
  snapshotOf,
  waits,
} from '../../adapters/store/testing/world.ts'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import { nodeOf } from '../../router/source/testing.ts'
import type { NodeDelta } from '../../router/stock.ts'
import { auditStores } from '../operate/audit/both-stores.ts'
import { StockKeeper } from './stock-keeper.ts'

const nodes = Array.from({ length: 40 }, (_, i) => `n${i}`)

let database: TestDatabase
let sql: Sql
let many: Sql
let keepers: StockKeeper[]
beforeAll(async () => {
  database = await testDatabase()
  sql = database.sql
  many = connect(database.url, { max: 20, applicationName: 'racer' })
})
beforeEach(async () => {
  await empty(sql)
  await makeNetwork(sql, { nodes, skus: ['a', 'b'] })
  const { url } = await testRedis()
  keepers = [1, 2, 3].map(() => new StockKeeper(many, { redis: url, keyPrefix: 'test' }))
})
afterEach(() => {
  for (const keeper of keepers) keeper.close()
})
afterAll(async () => {
  await many.end()
  await database.close()
})

const delta = (posted: Awaited<ReturnType<typeof post>>): NodeDelta => {
  if (posted.outcome !== 'posted') throw new Error(posted.outcome)
  return posted.delta
}

describe('recovery', () => {
  test('by several at once raises the epoch once', async () => {
    await Promise.all(keepers.map((keeper) => keeper.open()))
    expect(keepers.map((keeper) => keeper.epoch)).toEqual([1, 1, 1])
    await Promise.all(keepers.flatMap((keeper) => [keeper.recover(1), keeper.recover(1)]))
    expect(keepers.map((keeper) => keeper.epoch)).toEqual([2, 2, 2])
    expect(await currentEpoch(sql)).toBe(2)
  })

  test('makes no reservation old: it is as old as the asking that made it, not as the question', async () => {
    const [keeper, other] = keepers as [StockKeeper, StockKeeper]
    await Promise.all([keeper.open(), other.open()])
    await keeper.tell([delta(await post(sql, 'n0', 'add', lines('a', 5)))])
    await other.recover(1)
    // A minute goes by between the first asking, which is of an old epoch, and the second.
    let nowMs = 0
    const now = (): number => {
      nowMs += 60_000
      return nowMs
    }
    const reserved = await keeper.reserve(now, [{ node: 'n0', reservationId: 'r', lines: lines('a', 1) }])
    expect(reserved).toMatchObject({ epoch: 2, madeAtMs: 120_000, answers: [{ outcome: 'reserved' }] })
    const held = async () => (await keeper.look('n0')).held.map(({ madeAtMs }) => madeAtMs)
    expect(await held()).toEqual([120_000])
    await keeper.release([{ node: 'n0', reservationId: 'r', madeAtMs: reserved.madeAtMs }])
    expect(await held()).toEqual([])
  })

  test('while decisions are committed: none of the old epoch comes after the figures were read', async () => {
    await Promise.all(keepers.map((keeper) => keeper.open()))
    for (const node of nodes.slice(0, 4)) {
      await keepers[0]!.tell([delta(await post(sql, node, 'add', lines('a', 500, 'b', 500)))])
    }
    let committed = 0
    let stale = 0
    let working = true
    const worker = async (keeper: StockKeeper, name: string) => {
      for (let i = 0; working; i++) {
        const id = `${name}-${i}`
        const write = await decided(many, id, { told: snapshotOf(id, lines('a', 1, 'b', 2)), node: nodes[i % 4]! })
        const { task, reservationId } = write.newTasks[0]!
        await keeper.reserve(() => 1, [{ node: task.node, reservationId, lines: task.lines }])
        const { epoch } = keeper
        const done = await commitDecisions(many, epoch, [write])
        const reservation = [{ node: task.node, reservationId }]
        if (done.outcome === 'committed') await keeper.confirm(reservation)
        else await keeper.recover(epoch)
        if (done.outcome === 'committed') committed += 1
        else stale += 1
      }
    }
    const workers = keepers.flatMap((keeper, i) => [worker(keeper, `${i}x`), worker(keeper, `${i}y`)])
    for (let round = 0; round < 8; round++) {
      const before = committed
      while (committed < before + 3) await new Promise((resolve) => setImmediate(resolve))
      await keepers[round % 3]!.recover(keepers[round % 3]!.epoch)
    }
    working = false
    await Promise.all(workers)
    expect(stale).toBeGreaterThan(0)
    // What was decided in an old epoch was refused whole and is still to be decided.
    expect((await sql`select from pending`).count).toBe(stale)
    // Nothing else differs, though keepers were behind and ahead of each other all the time.
    expect(await auditStores(sql, keepers[0]!)).toEqual([])
  })

  test('waits for decisions that are being committed, and those that come later are refused', async () => {
    await keepers[0]!.open()
    await keepers[0]!.tell([delta(await post(sql, 'n0', 'add', lines('a', 5)))])
    const write = await decided(sql, 'o', { told: snapshotOf('o', lines('a', 1)), node: 'n0' })
    const late = await decided(sql, 'p', { told: snapshotOf('p', lines('a', 1)), node: 'n0' })
    const slow = connect(database.url, { max: 3, applicationName: 'slow' })
    const order: string[] = []
    let committing: Promise<unknown> = Promise.resolve()
    let raising: Promise<unknown> = Promise.resolve()
    await sql.begin(async (tx) => {
      // The first decision is held up at its stock; the raise waits for it.
      await tx`select from stock where node = 'n0' for update`
      committing = commitDecisions(slow, 1, [write]).then((done) => order.push(done.outcome))
      await waits(database.sql, 'slow')
      const raiser = connect(database.url, { max: 1, applicationName: 'raiser' })
      raising = withEpochLock(raiser, async (inner) => {
        const [row] = await inner<{ reserved: number }[]>`select reserved from stock where node = 'n0'`
        order.push(`reads ${row!.reserved}`)
        return 9
      }).finally(() => raiser.end())
      await waits(database.sql, 'raiser')
    })
    await Promise.all([committing, raising])
    expect(order.toSorted()).toEqual(['committed', 'reads 1'])
    expect(await commitDecisions(sql, 1, [late])).toEqual({ outcome: 'stale_epoch', epoch: 9 })
    await slow.end()
  })

  test('whose connection is lost under way leaves the epoch as it is, and says so', async () => {
    const alone = connect(database.url, { max: 1, applicationName: 'raiser' })
    let quicker: Promise<unknown> = Promise.resolve()
    let give: (value: null) => void = () => undefined
    const given = new Promise((resolve) => {
      give = resolve
    })
    const raising = withEpochLock(alone, async (_, epoch) => {
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'raiser'`
      // Somebody else is quicker now, since the lock went with the connection.
      quicker = withEpochLock(many, async () => epoch + 5)
      await quicker
      setTimeout(() => give(null), 100)
      return epoch + 1
    })
    await expect(raising).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    await quicker
    // Its work goes on a while, and must not write any more.
    await given
    expect(await currentEpoch(sql)).toBe(5)
    await alone.end({ timeout: 1 })
  })

  test('that was cut off before Postgres knew of it is done again above it', async () => {
    await keepers[0]!.open()
    await sql`update stock_epoch set epoch = 0`
    await keepers[1]!.open()
    expect(keepers[1]!.epoch).toBe(2)
    expect(await currentEpoch(sql)).toBe(2)
    expect(await auditStores(sql, keepers[0]!)).toEqual([])
    expect(keepers[0]!.epoch).toBe(2)
  })
})

describe('a node that is new', () => {
  test('is loaded by whoever asks first, and the epoch stays', async () => {
    await Promise.all(keepers.map((keeper) => keeper.open()))
    for (let i = 0; i < 12; i++) {
      const node = `new${i}`
      await putNodes(sql, [{ node: nodeOf(node), apiKeyHash: sha256(node) }])
      const deltas = [
        delta(await post(sql, node, 'add', lines('a', 5))),
        delta(await post(sql, node, 'add', lines('a', 1))),
      ]
      await Promise.all([...keepers.map((keeper) => keeper.catchUp(node)), keepers[0]!.tell(deltas)])
      expect((await keepers[1]!.look(node)).atp).toEqual(new Map([['a', 6]]))
    }
    expect(keepers.map((keeper) => keeper.epoch)).toEqual([1, 1, 1])
    expect(await currentEpoch(sql)).toBe(1)
  })

  test('that has reservations already is no new one: the epoch is raised', async () => {
    await keepers[0]!.open()
    await putNodes(sql, [{ node: nodeOf('new'), apiKeyHash: sha256('new') }])
    await post(sql, 'new', 'add', lines('a', 5))
    await sql`update stock_epoch set epoch = 0`
    await route(sql, 'o', 'new', lines('a', 2))
    await sql`update stock_epoch set epoch = 1`
    await keepers[0]!.catchUp('new')
    expect(keepers[0]!.epoch).toBe(2)
    expect((await keepers[0]!.look('new')).atp).toEqual(new Map([['a', 3]]))
  })
})

describe('telling', () => {
  test('in any order, with gaps and twice, ends with what Postgres has', async () => {
    await keepers[0]!.open()
    const keeper = keepers[0]!
    const deltas: NodeDelta[] = []
    for (let i = 1; i <= 8; i++) deltas.push(delta(await post(sql, 'n0', i % 3 === 0 ? 'set' : 'add', lines('a', i))))
    for (const at of [3, 1, 3, 7, 0, 7]) {
      await keeper.tell([deltas[at]!])
      // A gap makes it read all that it has missed.
      expect((await keeper.look('n0')).seq).toBe(8)
    }
    await keeper.tell(deltas.toReversed())
    await keeper.catchUp('n0')
    expect(await auditStores(sql, keeper)).toEqual([])
  })

  test('by three at once, of several nodes', async () => {
    await Promise.all(keepers.map((keeper) => keeper.open()))
    const deltas: NodeDelta[] = []
    for (let i = 0; i < 12; i++) deltas.push(delta(await post(sql, nodes[i % 3]!, 'add', lines('a', 1, 'b', 1))))
    await Promise.all(keepers.map((keeper, i) => keeper.tell([...deltas.slice(i * 4), ...deltas.slice(0, i * 4)])))
    expect(await auditStores(sql, keepers[0]!)).toEqual([])
  })

  test('of what a decision gave back', async () => {
    await keepers[0]!.open()
    await sql`update stock_epoch set epoch = 0`
    await post(sql, 'n0', 'add', lines('a', 5))
    await route(sql, 'o', 'n0', lines('a', 2))
    await sql`update stock_epoch set epoch = 1`
    await keepers[0]!.recover(1)
    await sql`update stock_epoch set epoch = 0`
    const closed = snapshotOf('o', lines('a', 2), { platformState: 'closed', modifiedAt: Date.UTC(2027, 0) })
    const deltas = await commitStep(sql, 'o', { told: closed })
    await sql`update stock_epoch set epoch = 2`
    expect((await keepers[0]!.look('n0')).atp.get('a')).toBe(3)
    await keepers[0]!.tell(deltas)
    expect((await keepers[0]!.look('n0')).atp.get('a')).toBe(5)
    expect(await audit(sql)).toEqual([])
  })
})
