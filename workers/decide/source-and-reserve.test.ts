/** Reserving round by round, against what an attempt before this one, or a part of it that nobody heard of, still does. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testRedis } from '../../adapters/shared/testing.ts'
import type { StockOptions } from '../../adapters/stock/client.ts'
import { StockError } from '../../adapters/stock/errors.ts'
import { audit } from '../../adapters/store/audit/audit.ts'
import type { InboxEvent } from '../../adapters/store/inbox/event.ts'
import { storeEvents } from '../../adapters/store/inbox/store-events.ts'
import { commitDecisions, type DecisionWrite } from '../../adapters/store/orders/commit.ts'
import { PostgresStore } from '../../adapters/store/postgres-store.ts'
import {
  commitStep,
  empty,
  eventOf,
  figures,
  keyFor,
  lines,
  makeNetwork,
  post,
  skuOf,
  snapshotOf,
} from '../../adapters/store/testing/world.ts'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import { buildDivisions } from '../../router/address.ts'
import { decide } from '../../router/decide.ts'
import { newOrder, takeSnapshot } from '../../router/order.ts'
import { defaultPolicy } from '../../router/policy.ts'
import { Availability } from '../catalog/availability.ts'
import { readCatalog } from '../catalog/catalog.ts'
import type { CounterKeeper } from '../counters/counter-keeper.ts'
import { endReservations } from '../counters/end-reservations.ts'
import { StockKeeper } from '../counters/stock-keeper.ts'
import { auditStores } from '../operate/audit/both-stores.ts'
import type { EventToDecide } from './batch.ts'
import { decideBatch, type ThreadContext } from './decide-batch.ts'
import type { PlacingContext } from './plan-order.ts'
import { writeOf } from './records.ts'
import { forgetPlaced, type Placed, placeAll } from './source-and-reserve.ts'
import type { Work } from './take-events.ts'

const owner = 'own'

let database: TestDatabase
let keeper: StockKeeper
let options: StockOptions
let nextPrefix = 0
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

/** One a at n1, one b at n2, and n3, which is the cheapest for whoever believes that it has something. */
beforeEach(async () => {
  const { sql } = database
  await empty(sql)
  await makeNetwork(sql, { nodes: ['n1', 'n2', 'n3'], skus: ['a', 'b'] })
  await sql`update node set detail = detail || '{"preferenceFen": -300}' where node = 'n3'`
  await post(sql, 'n1', 'add', lines('a', 1))
  await post(sql, 'n2', 'add', lines('b', 1))
  options = { redis: (await testRedis()).url, keyPrefix: `placing${++nextPrefix}:` }
  keeper = new StockKeeper(sql, options, undefined, owner)
  await keeper.open()
  return () => keeper.close()
})

interface Setting {
  readonly context: PlacingContext
  readonly believe: (node: string, sku: string, units: number) => void
}

async function settingWith(asked: CounterKeeper): Promise<Setting> {
  const catalog = await readCatalog(database.sql)
  const availability = Availability.sized(10)
  const believe: Setting['believe'] = (node, sku, units) =>
    availability.set(catalog.nodeNo(catalog.nodeIndex.get(node)!), catalog.skuNo(sku), units)
  believe('n1', 'a', 1)
  believe('n2', 'b', 1)
  return { context: { catalog, availability, keeper: asked, now: () => 1, avoided: new Map() }, believe }
}

/** Of one order of an a and a b, whose event is stored and undecided. */
async function workOnBoth(id = 'o'): Promise<Work & { readonly decision: NonNullable<Work['decision']> }> {
  const event = eventOf(id)
  const [stored] = await storeEvents(database.sql, [event])
  if (stored?.outcome !== 'new') throw new Error('the event is known')
  const before = newOrder(keyFor(id), stored.seq)
  const { order } = takeSnapshot(before, snapshotOf(id, lines('a', 1, 'b', 1)))
  const decision = decide({
    ...{ order, before, tasks: [], takenBack: [], catalog: (sku: string) => skuOf(sku) },
    ...{ checkHolds: [], refusals: [] },
  })
  return {
    ...{ before, tasksBefore: [], decision, checked: { holds: [], passed: [] }, takenBack: [] },
    avoidedNodes: [],
    events: [{ event: { ...event, seq: stored.seq, storedAtMs: 1 }, outcome: 'taken' }],
  }
}

/** The order's own id, which is another one each time, is left out. */
function reservedBy({ newTasks }: Placed): string[] {
  return newTasks.map(({ task, reservationId }) =>
    `${task.node} ${task.taskId} ${reservationId}`.replace(/\d+-/g, 'o-'),
  )
}

/** As the sweep does with records that are old enough. */
async function sweep(): Promise<void> {
  for (const node of ['n1', 'n2', 'n3']) {
    const { held } = await keeper.look(node)
    const refs = held.map(({ reservationId, madeAtMs }) => ({ node, reservationId, madeAtMs }))
    await endReservations(new PostgresStore(database.sql), keeper, refs)
  }
}

const promised = async (node: string, sku: string): Promise<number | undefined> =>
  (await keeper.look(node)).atp.get(sku)

/** Of its first release nobody hears: it lands when it is told to. */
function releasesLate(): { readonly cutOff: CounterKeeper; readonly landLate: () => Promise<void> } {
  let late: Parameters<CounterKeeper['release']>[0] | null = null
  const release: CounterKeeper['release'] = async (reservations) => {
    if (late !== null || reservations.length === 0) return await keeper.release(reservations)
    late = reservations
    throw new StockError('redis_unavailable', 'no answer in time')
  }
  const cutOff = new Proxy<CounterKeeper>(keeper, {
    get: (_, verb: keyof CounterKeeper) => {
      const member = keeper[verb]
      return verb === 'release' ? release : typeof member === 'function' ? member.bind(keeper) : member
    },
  })
  return { cutOff, landLate: () => keeper.release(late ?? []) }
}

/** As the platform tells it. */
function tradeEvent(): InboxEvent {
  const order = ['a', 'b'].map((sku, i) => ({ oid_str: `7${i}`, num: 1, outer_sku_id: sku, divide_order_fee: '1.00' }))
  const receiver = { receiver_name: '*', receiver_mobile: '*', receiver_address: '*', receiver_district: '' }
  const trade = {
    ...{ tid_str: '7', status: 'WAIT_SELLER_SEND_GOODS', modified: '2025-01-01 00:00:00', payment: '2.00' },
    ...{ post_fee: '0.00', receiver_state: '上海市', receiver_city: '上海市', ...receiver, orders: { order } },
  }
  return eventOf('7', { body: Buffer.from(JSON.stringify({ trade })) })
}

function threadWith(context: PlacingContext, store: PostgresStore): ThreadContext {
  let nowMs = 0
  return {
    ...{ ...context, store, now: () => ++nowMs },
    policy: defaultPolicy,
    divisions: buildDivisions([{ adcode: '310000', name: '上海市', point: { lat: 31, lng: 121 } }]),
    logBug: (_, error) => {
      throw error
    },
  }
}

async function storedBatch(): Promise<EventToDecide[]> {
  const event = tradeEvent()
  const [stored] = await storeEvents(database.sql, [event])
  if (stored?.outcome !== 'new') throw new Error('the event is known')
  return [{ ...event, seq: stored.seq, storedAtMs: 1 }]
}

describe('an attempt before this one', () => {
  test('may still be committed: what it reserved is not given back when another parcel is refused', async () => {
    const { sql } = database
    const { context, believe } = await settingWith(keeper)
    const work = await workOnBoth()
    const write = (placed: Placed, epoch: number): DecisionWrite => writeOf(work, placed, epoch)
    const first = await placeAll(context, [work.decision])
    expect(reservedBy(first.placed[0]!)).toEqual(['n1 o-1 o-1@0.own', 'n2 o-2 o-2@0.own'])
    // COMMIT was sent and its connection broke: the event is tried again, by somebody with a wrong figure.
    forgetPlaced(context, first.placed)
    believe('n3', 'b', 1)
    const second = await placeAll({ ...context, now: () => 2 }, [work.decision])
    expect(await promised('n1', 'a')).toBe(0)
    // The first commit lands, and the second one finds it.
    expect(await commitDecisions(sql, first.epoch, [write(first.placed[0]!, first.epoch)])).toMatchObject({
      ...{ outcome: 'committed', conflicts: [] },
    })
    expect(await commitDecisions(sql, second.epoch, [write(second.placed[0]!, second.epoch)])).toMatchObject({
      ...{ outcome: 'committed', conflicts: [0] },
    })
    const refs = second.placed[0]!.newTasks.map((t) => ({ node: t.task.node, reservationId: t.reservationId }))
    await endReservations(new PostgresStore(sql), keeper, refs)
    expect(await figures(sql, 'n1', 'a')).toMatchObject({ onHand: 1, reserved: 1 })
    expect(await promised('n1', 'a')).toBe(0)
    const theNext = { node: 'n1', reservationId: 'p-1@0.own', lines: lines('a', 1) }
    expect((await keeper.reserve(() => 3, [theNext])).answers).toMatchObject([{ outcome: 'insufficient_stock' }])
    await sweep()
    expect(await auditStores(sql, keeper)).toEqual([])
  })

  test('may still be committed: what it reserved is not given back when the next one is refused as a whole', async () => {
    const { sql } = database
    class Store extends PostgresStore {
      readonly commits: Parameters<PostgresStore['commitDecisions']>[] = []
      override async commitDecisions(...asked: Parameters<PostgresStore['commitDecisions']>) {
        // Nobody hears of the first; of the batch of the second some other event was settled elsewhere.
        if (this.commits.push(asked) === 1) throw Object.assign(new Error('cut off'), { code: 'CONNECTION_CLOSED' })
        return { outcome: 'settled_elsewhere' } as const
      }
      // This order's turn comes later: another event of it is decided first.
      override async stillPending() {
        return new Set<string>()
      }
    }
    const { context } = await settingWith(keeper)
    const store = new Store(sql)
    const thread = threadWith(context, store)
    const batch = await storedBatch()
    expect((await decideBatch(thread, batch)).decided).toMatchObject([{ done: false, passing: true }])
    await decideBatch(thread, batch)
    expect(store.commits).toHaveLength(2)
    expect(await new PostgresStore(sql).commitDecisions(...store.commits[0]!)).toMatchObject({ conflicts: [] })
    expect(await figures(sql, 'n1', 'a')).toMatchObject({ onHand: 1, reserved: 1 })
    expect(await promised('n1', 'a')).toBe(0)
    await sweep()
    expect(await auditStores(sql, keeper)).toEqual([])
  })

  test('holds its units until the sweep ends it, also when it is not committed', async () => {
    const { context, believe } = await settingWith(keeper)
    const work = await workOnBoth()
    forgetPlaced(context, (await placeAll(context, [work.decision])).placed)
    believe('n3', 'b', 1)
    // First refused the b of n3, then that of n2 under another name.
    const { placed, refusals } = await placeAll({ ...context, now: () => 2 }, [work.decision])
    expect({ refusals, made: reservedBy(placed[0]!) }).toEqual({ refusals: 2, made: [] })
    expect(placed[0]!.order.state).toBe('backordered')
    await sweep()
    expect([await promised('n1', 'a'), await promised('n2', 'b')]).toEqual([1, 1])
  })

  test('may still give back what it took: its release, when it lands, leaves what was asked for again', async () => {
    const { cutOff, landLate } = releasesLate()
    const { context, believe } = await settingWith(cutOff)
    const work = await workOnBoth()
    believe('n3', 'b', 1)
    await expect(placeAll(context, [work.decision])).rejects.toThrow(StockError)
    believe('n3', 'b', 0)
    believe('n2', 'b', 1)
    const { placed } = await placeAll({ ...context, now: () => 2 }, [work.decision])
    expect(reservedBy(placed[0]!)).toEqual(['n1 o-1 o-1@0.own', 'n2 o-2 o-2@0.own'])
    await landLate()
    expect(await promised('n1', 'a')).toBe(0)
  })
})

test('a decision that was not committed gives back what it took, and that release lands in the middle of the next', async () => {
  const { sql } = database
  const { cutOff, landLate } = releasesLate()
  const { context } = await settingWith(cutOff)
  class Store extends PostgresStore {
    commits = 0
    override async commitDecisions(...asked: Parameters<PostgresStore['commitDecisions']>) {
      // First another event of the batch was settled by somebody else.
      if (++this.commits === 1) return { outcome: 'settled_elsewhere' } as const
      await landLate()
      return await super.commitDecisions(...asked)
    }
  }
  const thread = threadWith(context, new Store(sql))
  const batch = await storedBatch()
  expect((await decideBatch(thread, batch)).decided).toMatchObject([{ done: false, passing: true }])
  expect((await decideBatch(thread, batch)).decided).toMatchObject([{ done: true, outcome: 'routed' }])
  expect(await promised('n1', 'a')).toBe(0)
  expect(await auditStores(sql, keeper)).toEqual([])
})

describe('after the last round', () => {
  test('the parcels that were reserved are kept, under the names that they were reserved by', async () => {
    const { sql } = database
    // Somebody else is always quicker at n1, and always gives it back a moment later.
    const beaten = {
      owner,
      epoch: keeper.epoch,
      reserve: async (...[, requests]: Parameters<CounterKeeper['reserve']>) => {
        const answers = requests.map(({ node, lines: wanted }) => ({
          outcome: node === 'n1' ? 'insufficient_stock' : 'reserved',
          atp: wanted.map(({ sku }) => ({ sku, atp: 0 })),
        }))
        return { epoch: keeper.epoch, answers }
      },
      release: async () => believe('n1', 'a', 1),
      figures: async () => [],
    } as unknown as CounterKeeper
    const { context, believe } = await settingWith(beaten)
    const work = await workOnBoth()
    const { placed, epoch } = await placeAll(context, [work.decision])
    expect(reservedBy(placed[0]!)).toEqual(['n2 o-2 o-2@7.own'])
    expect(await commitDecisions(sql, epoch, [writeOf(work, placed[0]!, epoch)])).toMatchObject({ conflicts: [] })
    expect(await audit(sql)).toEqual([])
    // The a is found after all, and has a number that no task of the order had.
    await commitStep(sql, 'o', { node: 'n1' }, epoch)
    const taken = await sql<{ nodes: string }[]>`
      select string_agg(node || ' ' || substring(task_id from '-.*'), ', ' order by node) as nodes from task`
    expect(taken).toEqual([{ nodes: 'n1 -3, n2 -2' }])
    expect(await audit(sql)).toEqual([])
  })
})

describe('what memory does not know of', () => {
  /** Counts the looks. */
  function looking(): { readonly asked: CounterKeeper; readonly looks: () => number } {
    let looks = 0
    const asked = new Proxy<CounterKeeper>(keeper, {
      get: (_, verb: keyof CounterKeeper) => {
        if (verb === 'figures') looks++
        const member = keeper[verb]
        return typeof member === 'function' ? member.bind(keeper) : member
      },
    })
    return { asked, looks: () => looks }
  }

  test('is looked up in Redis before it is backordered', async () => {
    const { asked, looks } = looking()
    const { context, believe } = await settingWith(asked)
    // Another process gave them back a moment ago.
    believe('n1', 'a', 0)
    believe('n2', 'b', 0)
    const { decision } = await workOnBoth()
    const { placed } = await placeAll(context, [decision])
    expect(placed[0]!.newTasks.map(({ task }) => task.node)).toEqual(['n1', 'n2'])
    expect(placed[0]!.rounds).toBe(2)
    expect(looks()).toBe(1)
    expect([await promised('n1', 'a'), await promised('n2', 'b')]).toEqual([0, 0])
  })

  test('and what Redis has not either is looked for once a second', async () => {
    const { asked, looks } = looking()
    const { context } = await settingWith(asked)
    const { decision } = await workOnBoth()
    expect((await placeAll(context, [decision])).placed[0]!.newTasks).toHaveLength(2)
    for (const nowMs of [5_000, 5_500, 5_999, 6_000]) {
      const { decision: next } = await workOnBoth(`o${nowMs}`)
      const { placed } = await placeAll({ ...context, now: () => nowMs }, [next])
      expect([placed[0]!.newTasks, placed[0]!.rounds]).toEqual([[], 1])
    }
    expect(looks()).toBe(2)
  })

  test('two processes with figures of their own sell what there is, and not one unit less', async () => {
    await post(database.sql, 'n1', 'add', lines('a', 60, 'b', 60))
    await keeper.catchUp('n1')
    const { sql } = database
    const other = new StockKeeper(sql, options, undefined, 'other')
    await other.open()
    try {
      const [mine, theirs] = [await settingWith(keeper), await settingWith(other)]
      // Both believe that they have it all.
      for (const { believe } of [mine, theirs]) for (const sku of ['a', 'b']) believe('n1', sku, 61)
      const sold = { a: 0, b: 0 }
      for (let n = 0; n < 40; n++) {
        for (const [at, { context }] of [mine, theirs].entries()) {
          const { decision } = await workOnBoth(`o${n}-${at}`)
          const { placed } = await placeAll({ ...context, now: () => 10_000 * n }, [decision])
          for (const { task } of placed[0]!.newTasks) for (const l of task.lines) sold[l.sku as 'a'] += l.quantity
        }
      }
      expect(sold).toEqual({ a: 61, b: 61 })
    } finally {
      other.close()
    }
  })
})
