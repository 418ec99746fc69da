import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { audit } from '../audit/audit.ts'
import { list } from '../exceptions.ts'
import { countPending } from '../inbox/pending.ts'
import { storeEvents } from '../inbox/store-events.ts'
import { connect, keyedPlans, type Sql } from '../postgres/connect.ts'
import { importBill } from '../settle/bills.ts'
import { dueOrders } from '../settle/due.ts'
import { shipTask } from '../tasks/ship.ts'
import { giveBack, pullTasks } from '../tasks/tasks.ts'
import {
  atMs,
  commitStep,
  decided,
  decidedOn,
  empty,
  eventOf,
  figures,
  keyFor,
  lines,
  makeNetwork,
  post,
  pullOne,
  route,
  snapshotOf,
  storeCommand,
  waits,
} from '../testing/world.ts'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { commitDecisions, type DecisionWrite } from './commit.ts'

const nodes = ['n1', 'n2', 'n3']
const skus = ['a', 'b', 'c', 'd']

let database: TestDatabase
let many: Sql
let sql: Sql
beforeAll(async () => {
  database = await testDatabase()
  sql = database.sql
  many = connect(database.url, { max: 12, applicationName: 'racer' })
})
beforeEach(async () => {
  await empty(sql)
  await makeNetwork(sql, { nodes, skus })
})
afterAll(async () => {
  await many.end()
  await database.close()
})

const paid = (orderId: string, ...flat: (string | number)[]) => snapshotOf(orderId, lines(...flat))
const closedLater = (orderId: string, ...flat: (string | number)[]) =>
  snapshotOf(orderId, lines(...flat), { platformState: 'closed', modifiedAt: atMs + 1000 })

async function taskOf(orderId: string) {
  const [row] = await sql<{ task_id: string; state: string; fence: number }[]>`
    select task_id, state, fence from task where order_id = (select id from orders where order_id = ${orderId})`
  return row!
}

/** What the whole database says, but for instants and numbers of rows: to see that nothing changed. */
async function everything() {
  const tables = [
    'orders',
    'task',
    'stock',
    'stock_movement',
    'decision',
    'backorder',
    'pending',
    'exception',
    'node',
    'reconciliation',
  ]
  const contents = await Promise.all(
    tables.map((table) => sql.unsafe(`select t::text as row from ${table} t order by 1`)),
  )
  return contents.map((rows) => rows.map((r) => r.row))
}

describe('the guard of the stock', () => {
  test('lets exactly one of two have the last units, whatever Redis told them', async () => {
    for (let round = 0; round < 10; round++) {
      const sku = skus[round % skus.length]!
      await post(sql, 'n1', 'set', lines(sku, (await reservedOf('n1', sku)) + 3))
      const writes = await Promise.all(
        ['x', 'y'].map((who) => decided(sql, `${who}${round}`, { told: paid(`${who}${round}`, sku, 2), node: 'n1' })),
      )
      const results = await Promise.all(writes.map((write) => commitDecisions(many, 0, [write])))
      expect(results.map((r) => r.outcome).sort()).toEqual(['committed', 'stock_refused'])
      expect(results.find((r) => r.outcome === 'stock_refused')).toMatchObject({ short: [{ node: 'n1', sku }] })
    }
    // What was refused is still to be decided, and nothing else of it is there.
    expect((await sql`select from orders`).count).toBe(10)
    expect(await countPending(sql)).toBe(10)
    expect(await audit(sql)).toEqual([])
  })

  async function reservedOf(node: string, sku: string): Promise<number> {
    const [row] = await sql<{ reserved: number }[]>`select reserved from stock where node = ${node} and sku = ${sku}`
    return row?.reserved ?? 0
  }

  test('sells forty writers exactly what there is', async () => {
    await post(sql, 'n1', 'add', lines('a', 25, 'b', 50))
    const orders = Array.from({ length: 40 }, (_, i) => `o${i}`)
    const writes = await Promise.all(
      orders.map((id, i) =>
        decided(many, id, { told: i % 2 ? paid(id, 'a', 1, 'b', 1) : paid(id, 'b', 1, 'a', 1), node: 'n1' }),
      ),
    )
    const results = await Promise.all(writes.map((write) => commitDecisions(many, 0, [write])))
    expect(results.filter((r) => r.outcome === 'committed')).toHaveLength(25)
    expect(results.filter((r) => r.outcome === 'stock_refused')).toHaveLength(15)
    expect(await figures(sql, 'n1', 'a')).toEqual({ onHand: 25, reserved: 25, safety: 0 })
    expect(await audit(sql)).toEqual([])
  })

  test.each([
    ['one more than there is', 'n1', 'a', 6, false],
    ['exactly what there is', 'n1', 'a', 5, true],
    ['what is kept back', 'n1', 'b', 4, false],
    ['all but what is kept back', 'n1', 'b', 3, true],
    ['what the node never had', 'n1', 'c', 1, false],
    ['what no node has', 'n3', 'a', 1, false],
  ])('%s', async (_, node, sku, quantity, fits) => {
    // Two of each are kept back from now on.
    await post(sql, 'n1', 'add', lines('a', 7))
    await post(sql, 'n1', 'add', lines('b', 5), 2)
    await post(sql, 'n2', 'add', lines('c', 5))
    const before = await everything()
    const write = await decided(sql, 'o', { told: paid('o', sku, quantity), node })
    const result = await commitDecisions(sql, 0, [write])
    if (fits) expect(result).toEqual({ outcome: 'committed', conflicts: [], deltas: [] })
    else {
      expect(result).toEqual({ outcome: 'stock_refused', short: [{ node, sku }] })
      await sql`delete from pending`
      expect(await everything()).toEqual(before)
    }
  })

  test('adds up what one batch takes from one place', async () => {
    await post(sql, 'n1', 'add', lines('a', 5))
    const writes = [
      await decided(sql, 'o1', { told: paid('o1', 'a', 2, 'a', 1), node: 'n1' }),
      await decided(sql, 'o2', { told: paid('o2', 'a', 3), node: 'n1' }),
    ]
    expect(await commitDecisions(sql, 0, writes)).toEqual({
      outcome: 'stock_refused',
      short: [{ node: 'n1', sku: 'a' }],
    })
    expect((await commitDecisions(sql, 0, writes.slice(0, 1))).outcome).toBe('committed')
    expect(await audit(sql)).toEqual([])
  })
})

describe('an order that changed since it was read', () => {
  const cases: readonly [string, (taskId: string, fence: number) => Promise<unknown>][] = [
    ['was decided by another process', () => commitStep(sql, 'o', { told: paid('o', 'a', 3), node: 'n1' })],
    ['has had its task pulled', () => pullTasks(sql, 'n1', 1, 60)],
    [
      'was shipped',
      async (taskId) => {
        const { fence } = await pullOne(sql, 'n1')
        await shipTask(sql, 'n1', taskId, fence, [
          { carrier: 'SF', waybill: 'SF000001', lines: lines('a', 2), shippedAt: atMs },
        ])
      },
    ],
    [
      'was shipped in part',
      async (taskId) => {
        const { fence } = await pullOne(sql, 'n1')
        await shipTask(sql, 'n1', taskId, fence, [
          { carrier: 'SF', waybill: 'SF000001', lines: lines('a', 1), shippedAt: atMs },
        ])
      },
    ],
    [
      'was given back',
      async (taskId) => {
        const { fence } = await pullOne(sql, 'n1')
        const how = { state: 'rejected', reason: 'closed', lines: [] } as const
        await giveBack(sql, 'n1', taskId, fence, how, storeCommand)
      },
    ],
  ]
  test.each(cases)('%s: its decision is refused, the others of the batch are taken', async (_, change) => {
    await post(sql, 'n1', 'add', lines('a', 10, 'b', 10))
    await route(sql, 'o', 'n1', lines('a', 2))
    const conflicting = await decided(sql, 'o', { told: closedLater('o', 'a', 2) })
    const other = await decided(sql, 'p', { told: paid('p', 'b', 4), node: 'n1' })
    const more = await decided(sql, 'q', { told: paid('q', 'b', 1), node: 'n1' })
    const { task_id, fence } = await taskOf('o')
    await change(task_id, fence)
    const before = await taskOf('o')
    const pending = await countPending(sql)
    expect(await commitDecisions(sql, 0, [other, conflicting, more])).toEqual({
      outcome: 'committed',
      conflicts: [1],
      deltas: [],
    })
    expect(await taskOf('o')).toEqual(before)
    expect(await figures(sql, 'n1', 'b')).toMatchObject({ reserved: 5 })
    expect(await countPending(sql)).toBe(pending - 2)
    // Decided again on what is true now, it is taken.
    const again = await decidedOn(sql, 'o', conflicting.seqs[0]!, { told: closedLater('o', 'a', 2) })
    expect(await commitDecisions(sql, 0, [again])).toMatchObject({ outcome: 'committed', conflicts: [] })
    expect(await audit(sql)).toEqual([])
  })

  test('made known by another process first: one row, the other is refused', async () => {
    await post(sql, 'n1', 'add', lines('a', 10))
    const writes = [
      await decided(sql, 'o', { told: paid('o', 'a', 1), node: 'n1' }),
      await decided(sql, 'o', { told: paid('o', 'a', 1), node: 'n1' }),
    ]
    const results = await Promise.all(writes.map((write) => commitDecisions(many, 0, [write])))
    expect(results.map((r) => r.outcome === 'committed' && r.conflicts.length).sort()).toEqual([0, 1])
    expect(await figures(sql, 'n1', 'a')).toMatchObject({ reserved: 1 })
    expect(await audit(sql)).toEqual([])
  })

  test('two processes know the same orders by different ids, in opposite order', async () => {
    for (let round = 0; round < 15; round++) {
      const ids = Array.from({ length: 6 }, (_, i) => `r${round}-${i}`)
      const left = await Promise.all(ids.map((id) => decided(sql, id, { told: paid(id, 'a', 1) })))
      const right: DecisionWrite[] = []
      for (const id of ids.toReversed()) right.push(await decided(sql, id, { told: paid(id, 'a', 1) }))
      const results = await Promise.all([left, right].map((writes) => commitDecisions(many, 0, writes)))
      const refused = results.map((r) => (r.outcome === 'committed' ? r.conflicts.length : -1))
      expect(refused.sort()).toEqual([0, 6])
    }
    expect(await audit(sql)).toEqual([])
  })
})

describe('nothing is written', () => {
  /** A batch that writes to every table: a cancelled task, a rejected one, a new one, a backorder, a problem. */
  async function fullBatch(): Promise<DecisionWrite[]> {
    await post(sql, 'n1', 'add', lines('a', 10, 'b', 10))
    await post(sql, 'n2', 'add', lines('a', 10, 'b', 10))
    await route(sql, 'cancelled', 'n1', lines('a', 2))
    await route(sql, 'rejected', 'n2', lines('a', 3, 'b', 3))
    const { fence, taskId } = await pullOne(sql, 'n2')
    const how = { state: 'rejected', reason: 'out_of_stock', lines: [] } as const
    await giveBack(sql, 'n2', taskId, fence, how, async () => undefined)
    const corrections = ['a', 'b'].map((sku) => ({ sku, missing: 3, believeNothingLeft: true }))
    const rejected = await decided(sql, 'rejected', { takenBack: [{ taskId, why: 'out_of_stock', corrections }] })
    const problems = [{ kind: 'test_problem', ref: 'x', detail: {} }]
    return [
      await decided(sql, 'cancelled', { told: closedLater('cancelled', 'a', 2) }),
      { ...rejected, problems },
      await decided(sql, 'new', { told: paid('new', 'b', 1), node: 'n1' }),
      await decided(sql, 'waiting', { told: paid('waiting', 'c', 1) }),
    ]
  }

  test.each([
    [
      'when an event was settled by somebody else',
      async (writes: DecisionWrite[]) => {
        await sql`delete from pending where seq = ${writes[2]!.seqs[0]!}`
      },
      0,
      { outcome: 'settled_elsewhere' },
    ],
    [
      'when the epoch is over',
      async () => {
        await sql`update stock_epoch set epoch = 7`
      },
      0,
      { outcome: 'stale_epoch', epoch: 7 },
    ],
    ['when the epoch is not yet', async () => undefined, 3, { outcome: 'stale_epoch', epoch: 0 }],
    [
      'when a row has less than was reserved',
      async () => {
        await post(sql, 'n1', 'set', lines('b', 0))
      },
      0,
      { outcome: 'stock_refused', short: [{ node: 'n1', sku: 'b' }] },
    ],
  ])('%s', async (_, spoil, epoch, outcome) => {
    const writes = await fullBatch()
    await spoil(writes)
    const before = await everything()
    // A connection without other users: what a refused transaction might still send, it would send now.
    const one = connect(database.url, { max: 1, applicationName: 'test' })
    expect(await commitDecisions(one, epoch, writes)).toEqual(outcome)
    for (let i = 0; i < 20; i++) await sql`select 1`
    expect(await everything()).toEqual(before)
    await one.end()
  })

  test('of a batch that Postgres fails in the middle', async () => {
    const writes = await fullBatch()
    const broken = { ...writes[3]!, records: [{ seq: 'no number', outcome: '', trace: {} }] }
    const before = await everything()
    const one = connect(database.url, { max: 1, applicationName: 'test' })
    await expect(commitDecisions(one, 0, [...writes.slice(0, 3), broken])).rejects.toThrow()
    for (let i = 0; i < 20; i++) await sql`select 1`
    expect(await everything()).toEqual(before)
    await one.end()
  })

  test('but all of it when nothing is wrong', async () => {
    const writes = await fullBatch()
    const done = await commitDecisions(sql, 0, writes)
    if (done.outcome !== 'committed') throw new Error(done.outcome)
    expect(done.conflicts).toEqual([])
    expect(done.deltas.map((d) => [d.node, d.lines])).toEqual([
      ['n1', [{ sku: 'a', delta: 2 }]],
      // Three come back, ten are not there.
      [
        'n2',
        [
          { sku: 'a', delta: -7 },
          { sku: 'b', delta: -7 },
        ],
      ],
    ])
    expect(await figures(sql, 'n2', 'a')).toEqual({ onHand: 0, reserved: 0, safety: 0 })
    expect((await list(sql, { limit: 10 })).exceptions.map((e) => e.kind)).toEqual(['test_problem'])
    expect(await sql`select sku, quantity from backorder order by sku`).toEqual([
      { sku: 'a', quantity: 3 },
      { sku: 'b', quantity: 3 },
      { sku: 'c', quantity: 1 },
    ])
    expect(await countPending(sql)).toBe(0)
    expect(await audit(sql)).toEqual([])
  })
})

test('free text of any kind breaks no batch and reaches every table', async () => {
  const hostile = [
    ...[
      'NUL \0 here',
      '\ud800 half',
      '\udfff',
      '😀👨‍👩‍👧‍👦',
      'literal \\u0000 and \\ud800',
      '\\',
      '\\\0',
      '"',
      "'; --",
    ],
    ...['\u2028\u2029', '\r\n\t', '\u202e', 'é'.repeat(20_000), '{}', '[]', 'null', '$1', '%s', '\ufeff', '\u0001'],
  ]
  await post(sql, 'n1', 'add', lines('a', 1000))
  const writes: DecisionWrite[] = []
  for (const [i, text] of hostile.entries()) {
    const id = `h${i}`
    const told = snapshotOf(id, lines('a', 1))
    const receiver = { ...told.receiver, name: text, street: text, town: text, phone: text }
    const lined = told.lines.map((l) => ({ ...l, title: text, platformSku: text }))
    const snapshot = { ...told, buyerMessage: text, sellerMemo: text, buyerId: text, receiver, lines: lined }
    const write = await decided(sql, id, {
      told: { ...snapshot, platformStateRaw: text, transactionId: text.slice(0, 100) },
      node: 'n1',
    })
    const problems = [{ kind: 'test_problem', ref: `${i} ${text.slice(0, 100)}`, detail: { [text]: text } }]
    const records = write.records.map((r) => ({ ...r, trace: { [text]: text } }))
    writes.push({ ...write, problems, records })
  }
  expect(await commitDecisions(sql, 0, writes)).toEqual({ outcome: 'committed', conflicts: [], deltas: [] })
  const stored = (text: string) => Buffer.from(text).toString().replaceAll('\0', '\ufffd')
  const pulled = await pullTasks(sql, 'n1', 100, 60)
  expect(new Set(pulled.map((t) => t.buyerMessage))).toEqual(new Set(hostile.map(stored)))
  expect(new Set(pulled.map((t) => t.receiver!.name))).toEqual(new Set(hostile.map(stored)))
  // What was stored can be loaded, decided and stored again.
  for (const [i] of hostile.entries()) {
    await commitStep(sql, `h${i}`, { told: snapshotOf(`h${i}`, lines('a', 1), { modifiedAt: atMs + 5000 }) })
  }
  expect(await audit(sql)).toEqual([])
})

describe('backorders', () => {
  const waiting = async () =>
    (await sql<{ sku: string; quantity: number }[]>`select sku, quantity from backorder order by sku`).map((r) => ({
      ...r,
    }))

  test('follow the order: others, fewer, none', async () => {
    await commitStep(sql, 'o', { told: paid('o', 'a', 1, 'b', 2, 'a', 3) })
    expect(await waiting()).toEqual(lines('a', 4, 'b', 2))
    const later = (seconds: number, ...flat: (string | number)[]) =>
      snapshotOf('o', lines(...flat), { modifiedAt: atMs + seconds * 1000 })
    await commitStep(sql, 'o', { told: later(1, 'b', 1, 'c', 1) })
    expect(await waiting()).toEqual(lines('b', 1, 'c', 1))
    // An event that changes nothing leaves them.
    await commitStep(sql, 'o', { told: later(2, 'b', 1, 'c', 1) })
    expect(await waiting()).toEqual(lines('b', 1, 'c', 1))
    await post(sql, 'n1', 'add', lines('b', 5, 'c', 5))
    await commitStep(sql, 'o', { told: later(3, 'b', 1, 'c', 1), node: 'n1' })
    expect(await waiting()).toEqual([])
    expect(await audit(sql)).toEqual([])
  })

  test('of one order are no other order’s', async () => {
    await commitStep(sql, 'o', { told: paid('o', 'a', 1) })
    await commitStep(sql, 'p', { told: paid('p', 'a', 2, 'b', 1) })
    await commitStep(sql, 'p', { told: closedLater('p', 'a', 2, 'b', 1) })
    expect(await waiting()).toEqual(lines('a', 1))
  })
})

test('a problem is raised once while it is open, and belongs to its order', async () => {
  const problem = { kind: 'test_problem', ref: 'r', detail: { why: 'x' } }
  const [first, second] = [
    await decided(sql, 'o', { told: paid('o', 'a', 1) }),
    await decided(sql, 'p', { told: paid('p', 'a', 1) }),
  ]
  await commitDecisions(sql, 0, [
    { ...first!, problems: [problem, problem] },
    { ...second!, problems: [problem] },
  ])
  const { exceptions } = await list(sql, { limit: 10 })
  expect(exceptions).toHaveLength(1)
  expect(exceptions[0]!.orderId).toBe(first!.before.id)
})

test('an order that came to have something to close is due, and one that did not is not', async () => {
  await post(sql, 'n1', 'add', lines('a', 10))
  await route(sql, 'o', 'n1', lines('a', 2))
  await route(sql, 'p', 'n1', lines('a', 2))
  expect(await dueOrders(sql, '0', 10)).toEqual([])
  await commitStep(sql, 'o', { told: closedLater('o', 'a', 2) })
  const [row] = await sql<{ id: string; state: string }[]>`select id, state from orders where order_id = 'o'`
  expect(row!.state).toBe('cancelled')
  expect(await dueOrders(sql, '0', 10)).toEqual([row!.id])
})

test('so is one that had, and has no more', async () => {
  await post(sql, 'n1', 'add', lines('a', 10))
  await route(sql, 'o', 'n1', lines('a', 2))
  await commitStep(sql, 'o', { told: closedLater('o', 'a', 2) })
  await sql`update reconciliation set updated_at = now()`
  await commitStep(sql, 'o', { told: snapshotOf('o', lines('a', 2), { modifiedAt: atMs + 2000 }), node: 'n1' })
  const [row] = await sql<{ id: string; state: string }[]>`select id, state from orders where order_id = 'o'`
  expect(row!.state).toBe('routed')
  expect(await dueOrders(sql, '0', 10)).toEqual([row!.id])
})

test('a decision, a ship and a bill about the same orders and shelf wait for each other in one direction', async () => {
  await post(sql, 'n1', 'add', lines('a', 10))
  await route(sql, 'shipped', 'n1', lines('a', 2))
  const { taskId, fence } = await pullOne(sql, 'n1')
  await route(sql, 'o', 'n1', lines('a', 2))
  const write = await decided(sql, 'o', { told: closedLater('o', 'a', 2) })
  const names = ['gate', 'shipper', 'committer', 'biller'] as const
  const all = names.map((applicationName) => connect(database.url, { max: 1, applicationName, settings: keyedPlans }))
  const [gate, shipper, committer, biller] = all as [Sql, Sql, Sql, Sql]
  await gate.unsafe('begin; select from stock for update')
  const parcel = { carrier: 'SF', waybill: 'SF000001', lines: lines('a', 2), shippedAt: atMs }
  const shipping = shipTask(shipper, 'n1', taskId, fence, [parcel])
  await waits(sql, 'shipper')
  const committing = commitDecisions(committer, 0, [write])
  await waits(sql, 'committer')
  const rows = ['o', 'shipped'].map((orderId) => ({
    ...({ ref: orderId, kind: 'payment', transactionId: null, amountFen: 1, feeFen: 0, occurredAt: atMs } as const),
    ...keyFor(orderId),
  }))
  const billing = importBill(biller, 'generic', 'a', rows)
  // Either it is through, or it waits for one of the two.
  await Promise.race([billing, waits(sql, 'biller')])
  await gate.unsafe('commit')
  expect(await Promise.all([shipping, committing, billing])).toMatchObject([
    { outcome: 'shipped' },
    { outcome: 'committed', conflicts: [] },
    { inserted: 2 },
  ])
  await Promise.all(all.map((one) => one.end()))
})

test('an event that says nothing about an unknown order settles it and leaves no order', async () => {
  const [stored] = await storeEvents(sql, [eventOf('o')])
  const { seq } = stored as { seq: string }
  const write = await decidedOn(sql, 'o', seq, { told: paid('o', 'a', 1) })
  const nothing = { ...write, order: write.before, newTasks: [], tasks: [], releases: [], records: [] }
  expect(await commitDecisions(sql, 0, [nothing])).toEqual({ outcome: 'committed', conflicts: [], deltas: [] })
  expect((await sql`select from orders`).count).toBe(0)
  expect(await countPending(sql)).toBe(0)
  expect(keyFor('o').orderId).toBe('o')
})
