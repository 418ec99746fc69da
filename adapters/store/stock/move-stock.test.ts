import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { StockCorrection } from '../../../router/reasons.ts'
import { fc, testSeed } from '../../../router/testing/seed.ts'
import { audit } from '../audit/audit.ts'
import { commitDecisions, type DecisionWrite } from '../orders/commit.ts'
import { connect, keyedPlans, type Sql } from '../postgres/connect.ts'
import { giveBack, pullTasks } from '../tasks/tasks.ts'
import { atMs, decided, empty, figures, lines, makeNetwork, post, route, snapshotOf, waits } from '../testing/world.ts'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { figuresOf } from './stock.ts'

const nodes = ['n1', 'n2', 'n3']
const skus = ['a', 'b', 'c', 'd']

let database: TestDatabase
let many: Sql
let sql: Sql
beforeAll(async () => {
  database = await testDatabase()
  sql = database.sql
  many = connect(database.url, { max: 12, applicationName: 'racer', settings: keyedPlans })
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

describe('what a warehouse says is not there', () => {
  const nothingLeft = (sku: string, missing: number): StockCorrection => ({ sku, missing, believeNothingLeft: true })
  const damaged = (sku: string, missing: number): StockCorrection => ({ sku, missing, believeNothingLeft: false })

  /** Orders o0… with 3 units each at n1 of 20; the last `kept` of them stay. Gives the writes that end the others. */
  async function ending(how: readonly (readonly StockCorrection[] | 'cancel')[], kept: number) {
    await post(sql, 'n1', 'add', lines('a', 20))
    for (let i = 0; i < how.length + kept; i++) await route(sql, `o${i}`, 'n1', lines('a', 3))
    const writes: DecisionWrite[] = []
    const pulled = await pullTasks(sql, 'n1', how.length, 60)
    for (const [i, one] of how.entries()) {
      const { taskId, fence, orderId } = pulled[i]!
      if (one === 'cancel') {
        await sql`update task set state = 'ready', fence = 0, lease_until = null where task_id = ${taskId}`
        writes.push(await decided(sql, orderId, { told: closedLater(orderId, 'a', 3) }))
        continue
      }
      const reason = 'out_of_stock'
      await giveBack(sql, 'n1', taskId, fence, { state: 'rejected', reason, lines: [] }, async () => undefined)
      writes.push(await decided(sql, orderId, { takenBack: [{ taskId, why: reason, corrections: one }] }))
    }
    return writes
  }

  test.each([
    ['all of one', [[nothingLeft('a', 3)]], 0, { onHand: 0, reserved: 0 }],
    ['all of one, and others are promised', [[nothingLeft('a', 3)]], 2, { onHand: 6, reserved: 6 }],
    ['one unit', [[nothingLeft('a', 1)]], 1, { onHand: 3, reserved: 3 }],
    ['damaged ones', [[damaged('a', 2)]], 1, { onHand: 18, reserved: 3 }],
    ['of two in one batch', [[nothingLeft('a', 3)], [nothingLeft('a', 3)]], 1, { onHand: 3, reserved: 3 }],
    ['of one, and another is cancelled', [[nothingLeft('a', 3)], 'cancel'], 1, { onHand: 3, reserved: 3 }],
    ['the other way around', ['cancel', [nothingLeft('a', 3)]], 0, { onHand: 0, reserved: 0 }],
    ['damaged and none', [[damaged('a', 3)], [nothingLeft('a', 3)]], 1, { onHand: 3, reserved: 3 }],
    ['none and damaged', [[nothingLeft('a', 3)], [damaged('a', 3)]], 1, { onHand: 3, reserved: 3 }],
    ['damaged twice', [[damaged('a', 3)], [damaged('a', 3)]], 0, { onHand: 14, reserved: 0 }],
  ] as const)('%s', async (_, how, kept, expected) => {
    const writes = await ending(how as Parameters<typeof ending>[0], kept)
    const told = new Map((await figuresOf(sql, ['n1']))[0]!.available.map((r) => [r.sku, r.available]))
    const done = await commitDecisions(sql, 0, writes)
    if (done.outcome !== 'committed') throw new Error(done.outcome)
    expect(await figures(sql, 'n1', 'a')).toMatchObject(expected)
    for (const delta of done.deltas) for (const l of delta.lines) told.set(l.sku, told.get(l.sku)! + l.delta)
    expect(told.get('a')).toBe(expected.onHand - expected.reserved)
    expect(await audit(sql)).toEqual([])
  })

  test('more than there is leaves none, and never less than none', async () => {
    const writes = await ending([[damaged('a', 3)]], 0)
    await post(sql, 'n1', 'set', lines('a', 1))
    await commitDecisions(sql, 0, writes)
    expect(await figures(sql, 'n1', 'a')).toEqual({ onHand: 0, reserved: 0, safety: 0 })
    expect(await audit(sql)).toEqual([])
  })
})

describe('many at once', () => {
  /** Orders with two SKUs at two nodes each; every batch goes through the places in another direction. */
  async function seed(orders: number) {
    for (const node of nodes) await post(sql, node, 'add', lines('a', 10_000, 'b', 10_000, 'c', 10_000, 'd', 10_000))
    const ids = Array.from({ length: orders }, (_, i) => `o${i}`)
    for (let at = 0; at < ids.length; at += 50) {
      const writes = await Promise.all(
        ids
          .slice(at, at + 50)
          .map((id, i) =>
            decided(sql, id, { told: paid(id, skus[i % 4]!, 1, skus[(i + 1) % 4]!, 2), node: nodes[i % 3]! }),
          ),
      )
      expect((await commitDecisions(sql, 0, writes)).outcome).toBe('committed')
    }
    return ids
  }

  test('batches that release, correct, reserve and post in opposite orders do not lock each other out', async () => {
    const ids = await seed(60)
    const shuffled = fc.sample(fc.shuffledSubarray(ids, { minLength: ids.length, maxLength: ids.length }), {
      numRuns: 1,
      seed: testSeed,
    })[0]!
    const batches: DecisionWrite[][] = []
    for (let at = 0; at < shuffled.length; at += 6) {
      const writes = await Promise.all(
        shuffled.slice(at, at + 6).map(async (id, i): Promise<DecisionWrite> => {
          const [row] = await sql<{ lines: { sku: string; quantity: number }[] }[]>`
            select lines from task where order_id = (select id from orders where order_id = ${id})`
          const given = row!.lines.flatMap((l) => [l.sku, l.quantity])
          const write = await decided(sql, id, { told: closedLater(id, ...given) })
          const corrections = row!.lines.map((l) => ({ sku: l.sku, missing: 1, believeNothingLeft: i % 2 === 0 }))
          return { ...write, releases: write.releases.map((r) => ({ ...r, corrections })) }
        }),
      )
      batches.push(at % 12 === 0 ? writes : writes.toReversed())
    }
    const reserving: DecisionWrite[][] = []
    for (let batch = 0; batch < 10; batch++) {
      const own = nodes.flatMap((node) => skus.map((sku) => [node, sku] as const))
      const turned = batch % 2 === 0 ? own : own.toReversed()
      reserving.push(
        await Promise.all(
          turned.map(([node, sku]) => {
            const id = `new-${batch}-${node}-${sku}`
            return decided(sql, id, { told: paid(id, sku, 1), node })
          }),
        ),
      )
    }
    const results = await Promise.all([
      ...batches.map((writes) => commitDecisions(many, 0, writes)),
      ...reserving.map((writes) => commitDecisions(many, 0, writes)),
      ...Array.from({ length: 10 }, (_, i) => post(many, nodes[i % 3]!, 'add', lines('d', 20, 'a', 20, 'b', 20))),
    ])
    const outcomes = new Set(results.map((r) => r.outcome))
    // A correction may leave nothing for a reservation: that is an outcome. A deadlock would have thrown.
    for (const outcome of outcomes) expect(['committed', 'posted', 'stock_refused']).toContain(outcome)
    expect(await audit(sql)).toEqual([])
    await numbersHaveNoGaps()
  })

  async function numbersHaveNoGaps() {
    for (const node of nodes) {
      const [{ seq } = { seq: '' }] = await sql<{ seq: string }[]>`select seq from node where node = ${node}`
      const rows = await sql<{ node_seq: string }[]>`
        select node_seq from stock_movement where node = ${node} and node_seq is not null order by node_seq`
      expect(rows.map((r) => Number(r.node_seq))).toEqual(Array.from({ length: Number(seq) }, (_, i) => i + 1))
    }
  }

  test('a decision waits for whoever holds its stock, and no cycle comes of it', async () => {
    await post(sql, 'n1', 'add', lines('a', 10, 'b', 10))
    for (const id of ['x', 'y']) await route(sql, id, 'n1', lines('a', 2))
    const corrections = [{ sku: 'b', missing: 1, believeNothingLeft: false }]
    const x = await decided(sql, 'x', { told: closedLater('x', 'a', 2) })
    // A correction of a row that comes after the one that is held.
    const correcting = { ...x, releases: x.releases.map((r) => ({ ...r, corrections })) }
    const racer = connect(database.url, { max: 1, applicationName: 'waiting' })
    let done: Promise<unknown> = Promise.resolve()
    await sql.begin(async (tx) => {
      await tx`select from stock where node = 'n1' and sku = 'a' for update`
      done = commitDecisions(racer, 0, [correcting])
      await waits(database.sql, 'waiting')
      // Would wait for ever if the other held it already.
      await tx`set local lock_timeout = '2s'`
      await tx`select from stock where node = 'n1' and sku = 'b' for update`
    })
    expect(await done).toMatchObject({ outcome: 'committed' })
    expect(await audit(sql)).toEqual([])
    await racer.end()
  })
})
