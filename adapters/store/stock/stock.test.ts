import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fc, runs } from '../../../router/testing/seed.ts'
import type { SkuQuantity } from '../../../router/types.ts'
import { audit } from '../audit/audit.ts'
import { putSkus } from '../catalog/catalog.ts'
import { raise } from '../exceptions.ts'
import { backorderedSkus, backordersOf } from '../orders/backorders.ts'
import { commitDecisions } from '../orders/commit.ts'
import { connect, type Sql } from '../postgres/connect.ts'
import { shipTask } from '../tasks/ship.ts'
import { giveBack, pullTasks } from '../tasks/tasks.ts'
import {
  atMs,
  commitStep,
  decided,
  empty,
  figures,
  lapse,
  lines,
  makeNetwork,
  post,
  pullOne,
  route,
  setSafety,
  sha256,
  skuOf,
  snapshotOf,
  waits,
} from '../testing/world.ts'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { endShortages, shortAmong, unpulledTasks } from './shortages.ts'
import { deltasAfter, figuresOf, nodesWithOtherSafety, type Posted, postStock, stockRows } from './stock.ts'

let database: TestDatabase
let sql: Sql
let many: Sql
beforeAll(async () => {
  database = await testDatabase()
  sql = database.sql
  many = connect(database.url, { max: 10, applicationName: 'racer' })
})
beforeEach(async () => {
  await empty(sql)
  await makeNetwork(sql, { nodes: ['n1', 'n2'], skus: ['a', 'b', 'c'] })
  await putSkus(sql, [skuOf('bundle', lines('a', 1, 'b', 2))])
})
afterEach(async () => expect(await audit(sql)).toEqual([]))
afterAll(async () => {
  await many.end()
  await database.close()
})

const postAs = (ref: string, kind: 'set' | 'add', given: readonly SkuQuantity[], node = 'n1') =>
  postStock(many, { node, ref, kind, lines: given, bodyHash: sha256(JSON.stringify([kind, given])) })

describe('a posting', () => {
  test.each([
    ['a receipt', 'add', lines('a', 5), [{ sku: 'a', delta: 5 }]],
    ['more of what is there', 'add', lines('b', 5), [{ sku: 'b', delta: 5 }]],
    ['a write-off of all', 'add', lines('b', -10), [{ sku: 'b', delta: -10 }]],
    ['a count of more', 'set', lines('b', 12), [{ sku: 'b', delta: 2 }]],
    ['a count of fewer', 'set', lines('b', 4), [{ sku: 'b', delta: -6 }]],
    ['a count of what is there', 'set', lines('b', 10), [{ sku: 'b', delta: 0 }]],
    ['a count of none of what never was', 'set', lines('a', 0), [{ sku: 'a', delta: 0 }]],
    [
      'several, told in the order of their codes',
      'add',
      lines('c', 1, 'a', 2),
      [
        { sku: 'a', delta: 2 },
        { sku: 'c', delta: 1 },
      ],
    ],
  ] as const)('%s', async (_, kind, given, told) => {
    await postAs('first', 'add', lines('b', 10))
    const posted = await postAs('second', kind, given)
    expect(posted).toEqual({ outcome: 'posted', delta: { node: 'n1', seq: 2, lines: told }, shortages: [] })
    expect(await deltasAfter(sql, 'n1', 1)).toEqual([{ node: 'n1', seq: 2, lines: told }])
  })

  test.each([
    ['more than there is', 'add', lines('b', -11), { outcome: 'below_zero', skus: ['b'] }],
    ['what never was', 'add', lines('a', -1, 'b', 1), { outcome: 'below_zero', skus: ['a'] }],
    ['an unknown SKU', 'add', lines('a', 1, 'x', 1), { outcome: 'unknown_skus', skus: ['x'] }],
    ['a bundle', 'set', lines('bundle', 1), { outcome: 'unknown_skus', skus: ['bundle'] }],
  ] as const)('is refused whole, and its ref is free again: %s', async (_, kind, given, refusal) => {
    await postAs('first', 'add', lines('b', 10))
    expect(await postAs('second', kind, given)).toEqual(refusal)
    expect(await stockRows(sql, { node: 'n1', limit: 10 })).toMatchObject([{ sku: 'b', onHand: 10, available: 10 }])
    expect((await figuresOf(sql, ['n1']))[0]!.seq).toBe(1)
    expect(await postAs('second', 'add', lines('b', 1))).toMatchObject({ outcome: 'posted', delta: { seq: 2 } })
  })

  test('is posted once under its ref, by twenty at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => postAs('ref', 'add', i % 2 ? lines('a', 1) : lines('b', 1))),
    )
    const count = (outcome: string) => all.filter((p) => p.outcome === outcome).length
    expect([count('posted'), count('already_posted'), count('ref_used_for_other_lines')]).toEqual([1, 9, 10])
    // A ref is a node's own.
    expect(await postAs('ref', 'add', lines('a', 1), 'n2')).toMatchObject({ outcome: 'posted' })
  })

  test('of one node by many at once: every number once, every unit there', async () => {
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, i) => {
        const given = lines('a', 1, 'b', 2, 'c', 3)
        return postAs(`r${i}`, 'add', i % 2 ? given : given.toReversed())
      }),
    )
    const seqs = all.map((p) => (p.outcome === 'posted' ? p.delta.seq : -1)).sort((x, y) => x - y)
    expect(seqs).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
    expect(await stockRows(sql, { node: 'n1', limit: 10 })).toMatchObject([
      { sku: 'a', onHand: 40 },
      { sku: 'b', onHand: 80 },
      { sku: 'c', onHand: 120 },
    ])
  })

  test('keeps the safety stock back of what is new, once', async () => {
    expect(await post(sql, 'n1', 'add', lines('a', 5), 2)).toMatchObject({ delta: { lines: [{ sku: 'a', delta: 3 }] } })
    expect(await post(sql, 'n1', 'add', lines('a', 5), 2)).toMatchObject({ delta: { lines: [{ sku: 'a', delta: 5 }] } })
    expect(await figures(sql, 'n1', 'a')).toEqual({ onHand: 10, reserved: 0, safety: 2 })
  })
})

test('a posting that waits for a change of its node keeps back what that change says', async () => {
  let posting: Promise<Posted> | undefined
  await sql.begin(async (tx) => {
    await tx`update node set detail = detail || '{"safetyStock": 4}' where node = 'n1'`
    posting = postAs('r', 'add', lines('a', 5))
    await waits(sql, 'racer')
  })
  expect(await posting).toMatchObject({ delta: { lines: [{ sku: 'a', delta: 1 }] } })
  expect(await figures(sql, 'n1', 'a')).toMatchObject({ safety: 4 })
})

describe('a count below what is promised', () => {
  test('says how many are missing, and ends with the next count', async () => {
    await post(sql, 'n1', 'add', lines('a', 10, 'b', 10))
    await route(sql, 'o1', 'n1', lines('a', 4, 'b', 1))
    await route(sql, 'o2', 'n1', lines('a', 3))
    const counted = await post(sql, 'n1', 'set', lines('a', 5, 'b', 1))
    expect(counted).toMatchObject({ outcome: 'posted', shortages: [{ sku: 'a', missing: 2 }] })
    await raise(sql, [{ kind: 'shortage', ref: 'n1/a', detail: { node: 'n1', sku: 'a', missing: 2 } }])
    expect(await figures(sql, 'n1', 'a')).toMatchObject({ onHand: 5, reserved: 7 })
    // Tasks that are not pulled, the newest first.
    expect((await unpulledTasks(sql, [{ node: 'n1', sku: 'a' }])).map((t) => [t.orderId, t.quantity])).toEqual([
      ['o2', 3],
      ['o1', 4],
    ])
    expect(await endShortages(sql)).toBe(0)
    expect(await post(sql, 'n1', 'add', lines('a', 1))).toMatchObject({ shortages: [{ sku: 'a', missing: 1 }] })
    expect(await post(sql, 'n1', 'set', lines('a', 7))).toMatchObject({ shortages: [] })
    expect(await endShortages(sql)).toBe(1)
  })

  test('nothing more is sold from there', async () => {
    await post(sql, 'n1', 'add', lines('a', 10))
    await route(sql, 'o1', 'n1', lines('a', 4))
    await post(sql, 'n1', 'set', lines('a', 2))
    await raise(sql, [{ kind: 'shortage', ref: 'n1/a' }])
    const write = await decided(sql, 'o2', { told: snapshotOf('o2', lines('a', 1)), node: 'n1' })
    expect(await commitDecisions(sql, 0, [write])).toMatchObject({ outcome: 'stock_refused' })
  })
})

describe('safety stock', () => {
  test('is carried into every row of the node, and only those that differ are told', async () => {
    await post(sql, 'n1', 'add', lines('a', 5), 1)
    await post(sql, 'n2', 'add', lines('a', 5), 1)
    await sql`update node set detail = jsonb_set(detail, '{safetyStock}', '3') where node = 'n1'`
    await post(sql, 'n1', 'add', lines('b', 5))
    expect(await nodesWithOtherSafety(sql, '', 1)).toEqual({ nodes: ['n1'], last: 'n1' })
    expect(await nodesWithOtherSafety(sql, 'n1', 10)).toMatchObject({ nodes: [] })
    expect(await nodesWithOtherSafety(sql, 'n9', 10)).toEqual({ nodes: [], last: null })
    expect(await setSafety(sql, 'n1', 3)).toEqual({ node: 'n1', seq: 3, lines: [{ sku: 'a', delta: -2 }] })
    expect(await setSafety(sql, 'n1', 3)).toBeNull()
    expect(await setSafety(sql, 'n1', 0)).toMatchObject({ seq: 4 })
    expect(await setSafety(sql, 'n2', 9)).toMatchObject({ seq: 2, lines: [{ sku: 'a', delta: -8 }] })
    expect(await stockRows(sql, { sku: 'a', limit: 10 })).toMatchObject([
      { node: 'n1', safety: 0, available: 5 },
      { node: 'n2', safety: 9, available: -4 },
    ])
  })
})

test('goods that came for backorders are found, oldest order first', async () => {
  for (const [id, sku] of [
    ['o1', 'a'],
    ['o2', 'b'],
    ['o3', 'a'],
  ] as const) {
    await commitStep(sql, id, { told: snapshotOf(id, lines(sku, 2)) })
  }
  await post(sql, 'n1', 'add', lines('a', 3, 'c', 5))
  await post(sql, 'n2', 'add', lines('a', 4))
  await post(sql, 'n2', 'add', lines('b', 4), 4)
  expect(await backorderedSkus(sql, '', 9)).toEqual(['a', 'b'])
  expect(await backorderedSkus(sql, '', 1)).toEqual(['a'])
  expect(await backorderedSkus(sql, 'a', 9)).toEqual(['b'])
  expect(await backorderedSkus(sql, 'b', 9)).toEqual([])
  const found = async (skus: readonly string[], perSku: number, all: number, after: string | null = null) => {
    const of = skus.map((code) => ({ sku: code, after }))
    return (await backordersOf(sql, of, { perSku, all })).map((b) => b.orderId)
  }
  expect(await found(['a'], 9, 9)).toEqual(['o1', 'o3'])
  // The oldest of each first: one SKU's many do not stand before another's few.
  expect(await found(['a', 'b'], 9, 9)).toEqual(['o1', 'o2', 'o3'])
  expect(await found(['a', 'b'], 9, 2)).toEqual(['o1', 'o2'])
  expect(await found(['a', 'b'], 1, 9)).toEqual(['o1', 'o2'])
  const [first] = await backordersOf(sql, [{ sku: 'a', after: null }], { perSku: 1, all: 1 })
  expect(await found(['a'], 9, 9, first!.id)).toEqual(['o3'])
})

test('places that promise more than there is are found where they are asked for, and where they are known', async () => {
  await post(sql, 'n1', 'add', lines('a', 5, 'b', 5))
  await post(sql, 'n2', 'add', lines('a', 5))
  for (const [id, node, sku] of [
    ['o1', 'n1', 'a'],
    ['o2', 'n1', 'b'],
    ['o3', 'n2', 'a'],
  ] as const) {
    await route(sql, id, node, lines(sku, 4))
    await post(sql, node, 'set', lines(sku, 3))
  }
  const short = (node: string, sku: string) => ({ node, sku, missing: 1 })
  expect(await shortAmong(sql, [], [])).toEqual([])
  expect(await shortAmong(sql, [{ node: 'n1', sku: 'b' }], [])).toEqual([short('n1', 'b')])
  expect(await shortAmong(sql, [{ node: 'n1', sku: 'b' }], ['n1'])).toEqual([short('n1', 'a'), short('n1', 'b')])
  const detail = { node: 'n2', sku: 'a' }
  await raise(sql, [{ kind: 'shortage', ref: 'n2/a', detail }])
  expect(await shortAmong(sql, [], [])).toEqual([short('n2', 'a')])
  expect(await endShortages(sql)).toBe(0)
  await post(sql, 'n2', 'set', lines('a', 4))
  expect(await endShortages(sql)).toBe(1)
  expect(await shortAmong(sql, [], [])).toEqual([])
  // What the rest of this file's tests check after each.
  await raise(
    sql,
    ['n1/a', 'n1/b'].map((ref) => ({ kind: 'shortage', ref, detail: { node: 'n1', sku: ref.slice(3) } })),
  )
})

type Act =
  | { readonly type: 'post'; readonly kind: 'set' | 'add'; readonly sku: string; readonly quantity: number }
  | { readonly type: 'safety'; readonly safety: number }
  | { readonly type: 'route'; readonly sku: string; readonly quantity: number }
  | { readonly type: 'cancel' | 'ship' | 'pull' | 'reject' | 'lapse'; readonly pick: number; readonly part: boolean }

const sku = fc.constantFrom('a', 'b')
const anyAct: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    ...{ type: fc.constant('post' as const), kind: fc.constantFrom('set' as const, 'add' as const), sku },
    quantity: fc.integer({ min: -3, max: 12 }),
  }),
  fc.record({ type: fc.constant('safety' as const), safety: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ type: fc.constant('route' as const), sku, quantity: fc.integer({ min: 1, max: 3 }) }),
  fc.record({
    type: fc.constantFrom('cancel' as const, 'ship' as const, 'pull' as const, 'reject' as const, 'lapse' as const),
    ...{ pick: fc.nat(), part: fc.boolean() },
  }),
)

/** Redis, as told: its own reservations at once, everything else by the numbered changes. */
class Told {
  readonly #available = new Map<string, number>()
  #seq = 0

  add(code: string, change: number): void {
    this.#available.set(code, (this.#available.get(code) ?? 0) + change)
  }

  async hear(): Promise<void> {
    for (const { seq, lines: changed } of await deltasAfter(sql, 'n1', this.#seq)) {
      expect(seq).toBe(this.#seq + 1)
      this.#seq = seq
      for (const l of changed) this.add(l.sku, l.delta)
    }
  }

  async agrees(): Promise<void> {
    const [known] = await figuresOf(sql, ['n1'])
    expect(this.#seq).toBe(known!.seq)
    const expected = known!.available.map((r) => [r.sku, r.available])
    expect([...this.#available].sort()).toEqual(expected.sort())
  }
}

test('what Redis is told adds up to what Postgres can promise, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyAct, { minLength: 5, maxLength: 25 }), async (acts) => {
      await empty(sql)
      await makeNetwork(sql, { nodes: ['n1'], skus: ['a', 'b'] })
      const told = new Told()
      for (const [i, act] of acts.entries()) {
        await perform(act, i, told)
        await told.hear()
        await told.agrees()
      }
      expect(await audit(sql)).toEqual([])
    }),
    { numRuns: runs(25) },
  )
})

async function perform(act: Act, i: number, told: Told): Promise<void> {
  if (act.type === 'post') {
    const quantity = act.kind === 'set' ? Math.abs(act.quantity) : act.quantity
    const posted = await post(sql, 'n1', act.kind, lines(act.sku, quantity), 1)
    if (posted.outcome === 'posted') {
      await raise(
        sql,
        posted.shortages.map((s) => ({ kind: 'shortage', ref: `n1/${s.sku}` })),
      )
    }
    return
  }
  if (act.type === 'safety') return void (await setSafety(sql, 'n1', act.safety))
  if (act.type === 'route') {
    const orderId = `o${i}`
    const write = await decided(sql, orderId, { told: snapshotOf(orderId, lines(act.sku, act.quantity)), node: 'n1' })
    const done = await commitDecisions(sql, 0, [write])
    if (done.outcome === 'committed') told.add(act.sku, -act.quantity)
    return
  }
  if (act.type === 'pull') return void (await pullTasks(sql, 'n1', 1, 60))
  const tasks = await sql<{ taskId: string; orderId: string; fence: number; state: string; lines: SkuQuantity[] }[]>`
    select t.task_id as "taskId", o.order_id as "orderId", t.fence, t.state, t.lines
    from task t join orders o on o.id = t.order_id where t.state in ('ready', 'pulled', 'accepted') order by t.task_id`
  const task = tasks[act.pick % Math.max(1, tasks.length)]
  if (task === undefined) return
  const { taskId, fence, orderId } = task
  if (act.type === 'cancel') {
    const given = task.lines.map(({ sku: code, quantity }) => ({ sku: code, quantity }))
    const change = { platformState: 'closed', modifiedAt: atMs + 1000 + i } as const
    await commitStep(sql, orderId, { told: snapshotOf(orderId, given, change) })
  } else if (act.type === 'lapse' && task.state !== 'ready') await lapse(sql, taskId)
  else if (act.type === 'ship') {
    const quantity = act.part ? 1 : task.lines[0]!.quantity
    const given = [{ sku: task.lines[0]!.sku, quantity }]
    await shipTask(sql, 'n1', taskId, fence, [{ carrier: 'SF', waybill: `W${i}`, lines: given, shippedAt: atMs }])
  } else if (act.type === 'reject') {
    const how = { state: 'rejected', reason: 'out_of_stock', lines: [] } as const
    const done = await giveBack(sql, 'n1', taskId, fence, how, async () => undefined)
    if (done.outcome !== 'given_back') return
    const corrections = [{ sku: task.lines[0]!.sku, missing: 1, believeNothingLeft: act.part }]
    await commitStep(sql, orderId, { takenBack: [{ taskId, why: 'out_of_stock', corrections }] })
  }
}

test('a task that is pulled while its stock is counted keeps its units', async () => {
  await post(sql, 'n1', 'add', lines('a', 3))
  await route(sql, 'o', 'n1', lines('a', 3))
  await pullOne(sql, 'n1')
  expect(await unpulledTasks(sql, [{ node: 'n1', sku: 'a' }])).toEqual([])
  expect(await post(sql, 'n1', 'set', lines('a', 3))).toMatchObject({ shortages: [] })
})
