/**
 * Numbers of SKUs and nodes are small and dense, however often settings are put, by whom and with what success; what is
 * in use stays what it is.
 */
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { projectRoot } from '../../shared/root.ts'
import { connect, type Sql } from '../postgres/connect.ts'
import { migrate, readMigrations } from '../postgres/migrate.ts'
import { postStock } from '../stock/stock.ts'
import {
  commitStep,
  empty,
  lines,
  makeNetwork,
  nodeOf,
  post,
  route,
  sha256,
  skuOf,
  snapshotOf,
} from '../testing/world.ts'
import { testDatabase } from '../testing.ts'
import { catalogVersion, loadCatalog, putNodes, putSkus } from './catalog.ts'

const database = await testDatabase()
const { sql } = database
beforeEach(() => empty(sql))
afterAll(() => database.close())

const nodeToPut = (node: string, key = node) => ({ node: nodeOf(node, 0), apiKeyHash: sha256(key) })
const namesOf = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

/** From the first number on, one by one. */
async function stepsOf(table: 'sku' | 'node'): Promise<readonly number[]> {
  const rows = await sql<{ no: number }[]>`select no from ${sql(table)} order by no`
  return rows.map(({ no }) => no - rows[0]!.no)
}

test('what is put again keeps its number, and the next new one gets the next', async () => {
  const skus = namesOf('s', 20)
  const nodes = namesOf('n', 5)
  for (let night = 0; night < 10; night++) {
    await putSkus(
      sql,
      skus.map((sku) => ({ ...skuOf(sku), weightGrams: night })),
    )
    const { created } = await putNodes(
      sql,
      nodes.map((node) => nodeToPut(node, `${node} ${night}`)),
    )
    expect(created.toSorted()).toEqual(night === 0 ? nodes : [])
  }
  await putSkus(
    sql,
    [...skus, 'new'].map((sku) => skuOf(sku)),
  )
  expect(
    await putNodes(
      sql,
      [...nodes, 'new'].map((node) => nodeToPut(node)),
    ),
  ).toEqual({ created: ['new'], deltas: [] })
  expect(await stepsOf('sku')).toEqual([...Array(21).keys()])
  expect(await stepsOf('node')).toEqual([...Array(6).keys()])
  const read = await loadCatalog(sql)
  expect(read.skus.get('s7')!.value.weightGrams).toBe(skuOf('s7').weightGrams)
  expect(await sql`select from node where api_key_hash = ${sha256('n3')}`).toHaveLength(1)
})

test('a node that is refused for its key takes no number', async () => {
  await putNodes(sql, [nodeToPut('a')])
  for (let tries = 0; tries < 10; tries++) {
    await expect(putNodes(sql, [nodeToPut('b', 'a')])).rejects.toMatchObject({ code: 'node_key_taken' })
  }
  await putNodes(sql, [nodeToPut('b')])
  expect(await stepsOf('node')).toEqual([0, 1])
})

test('callers at the same time, in whatever order they name things, all succeed', async () => {
  const skus = namesOf('s', 300)
  const nodes = namesOf('n', 60)
  const turned = <T>(all: readonly T[], caller: number) => (caller % 2 === 0 ? all : all.toReversed())
  await Promise.all(
    Array.from({ length: 12 }, async (_, caller) => {
      await putSkus(
        sql,
        turned(skus, caller).map((sku) => ({ ...skuOf(sku), weightGrams: caller })),
      )
      await putNodes(
        sql,
        turned(nodes, caller).map((node) => nodeToPut(node)),
      )
    }),
  )
  expect(await stepsOf('sku')).toEqual([...skus.keys()])
  expect(await stepsOf('node')).toEqual([...nodes.keys()])
})

test('nodes are locked in the order of their keys, as by whoever moves their stock', async () => {
  for (const node of ['b', 'a']) await putNodes(sql, [nodeToPut(node)])
  let put: Promise<unknown> = Promise.resolve()
  await sql.begin(async (tx) => {
    await tx`select from node where node = 'a' for update`
    put = putNodes(sql, [nodeToPut('b'), nodeToPut('a')])
    put.catch(() => undefined)
    await waiting(1)
    await tx`select from node where node = 'b' for update`
  })
  expect(await put).toEqual({ created: [], deltas: [] })
})

describe('a SKU becomes a bundle', () => {
  const bundle = [{ sku: 'b', quantity: 1 }]
  const turn = () => putSkus(sql, [skuOf('a', bundle)])
  const isBundle = async () => (await loadCatalog(sql)).skus.get('a')!.value.bundle.length > 0
  beforeEach(() => makeNetwork(sql, { nodes: ['n1', 'n2'], skus: ['a', 'b'] }))

  test('when nothing is left of it, and is then put again as it is', async () => {
    await post(sql, 'n1', 'add', lines('a', 1))
    await post(sql, 'n1', 'set', lines('a', 0))
    await turn()
    await turn()
    expect(await isBundle()).toBe(true)
  })

  test('not while it lies somewhere, a task holds it, or an order waits for it', async () => {
    await commitStep(sql, 'waiting', { told: snapshotOf('waiting', lines('a', 2)) })
    await expect(turn()).rejects.toMatchObject({ code: 'sku_in_use', use: { how: 'awaited', node: null } })
    await post(sql, 'n2', 'add', lines('a', 1))
    await expect(turn()).rejects.toMatchObject({ use: { sku: 'a', how: 'on_hand', node: 'n2' } })
    await post(sql, 'n1', 'add', lines('a', 1))
    await route(sql, 'routed', 'n1', lines('a', 1))
    await post(sql, 'n1', 'set', lines('a', 0))
    await expect(turn()).rejects.toMatchObject({ use: { how: 'reserved', node: 'n1' } })
    // All or none.
    const both = putSkus(sql, [{ ...skuOf('b'), weightGrams: 7 }, skuOf('a', bundle)])
    await expect(both).rejects.toMatchObject({ code: 'sku_in_use' })
    expect((await loadCatalog(sql)).skus.get('b')!.value.weightGrams).toBe(skuOf('b').weightGrams)
    expect(await isBundle()).toBe(false)
  })

  test('or stock of it is posted at the same moment, never both', async () => {
    const many = connect(database.url, { max: 8, applicationName: 'test' })
    const outcomes = new Set<string>()
    try {
      for (let round = 0; round < 40; round++) {
        await empty(sql)
        await makeNetwork(sql, { nodes: ['n1', 'n2'], skus: ['a', 'b'] })
        const posting = {
          node: 'n1',
          ref: 'r',
          kind: 'add',
          lines: lines('b', 1, 'a', 1),
          bodyHash: sha256(''),
        } as const
        const turned = () =>
          putSkus(many, [skuOf('a', bundle)]).then(
            () => 'turned',
            (error: unknown) => (error as { code: string }).code,
          )
        const posted = async () => (await postStock(many, posting)).outcome
        const done = await Promise.all(round % 2 === 0 ? [turned(), posted()] : [posted(), turned()])
        outcomes.add(done.toSorted().join(' '))
      }
    } finally {
      await many.end()
    }
    expect([...outcomes].filter((o) => o !== 'posted sku_in_use' && o !== 'turned unknown_skus')).toEqual([])
  })

  test('a posting that has seen it plain is waited for', async () => {
    let turned: Promise<unknown> = Promise.resolve()
    let isOver = false
    await sql.begin(async (tx) => {
      await tx`select from node where node = 'n1' for update`
      const posted = post(sql, 'n1', 'add', lines('a', 1))
      await waiting(1)
      turned = turn().finally(() => {
        isOver = true
      })
      turned.catch(() => undefined)
      await waiting(2)
      expect(isOver).toBe(false)
      return [posted]
    })
    await expect(turned).rejects.toMatchObject({ use: { how: 'on_hand' } })
  })
})

/** Until so many wait for a lock. */
async function waiting(count: number): Promise<void> {
  const waits = () => sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  while ((await waits()).count < count) await new Promise((resolve) => setTimeout(resolve, 10))
}

test('numbers that an earlier release left sparse are made dense, in their order', async () => {
  const other = await testDatabase()
  try {
    await other.sql.unsafe('drop schema public cascade; create schema public')
    const files = readMigrations(join(projectRoot(), 'sql'))
    await migrate(other.sql, files.slice(0, 5))
    await sparse(other.sql)
    const before = await catalogVersion(other.sql)
    expect((await migrate(other.sql, files))[0]).toBe('000006_dense_numbers.sql')
    expect(await catalogVersion(other.sql)).toBeGreaterThan(before)
    await putSkus(other.sql, [skuOf('s4')])
    await putNodes(other.sql, [nodeToPut('n4')])
    expect([...(await other.sql`select sku, no from sku order by no`)]).toEqual(
      ['s2', 's1', 's3', 's4'].map((sku, i) => ({ sku, no: i + 1 })),
    )
    expect([...(await other.sql`select node, no from node order by no`)]).toEqual(
      ['n2', 'n1', 'n3', 'n4'].map((node, i) => ({ node, no: i + 1 })),
    )
    await expect(other.sql`update sku set no = 9`).rejects.toMatchObject({ code: '428C9' })
    await expect(
      other.sql`insert into node (node, no, detail, api_key_hash) overriding system value values ('n5', 1, '{}', '')`,
    ).rejects.toMatchObject({ code: '23505', constraint_name: 'node_no_key' })
  } finally {
    await other.close()
  }
})

async function sparse(to: Sql): Promise<void> {
  // The first one has its number already, as most do whose names come early.
  for (const [name, no] of [
    ['2', 1],
    ['1', 14_400_000],
    ['3', 60_000_000],
  ] as const) {
    await to`insert into sku (sku, no, detail) overriding system value values (${`s${name}`}, ${no}, ${to.json({})})`
    await to`
      insert into node (node, no, detail, api_key_hash) overriding system value
      values (${`n${name}`}, ${no}, ${to.json({})}, ${sha256(`n${name}`)})`
  }
  await to`select setval(pg_get_serial_sequence('sku', 'no'), 60000000), setval(pg_get_serial_sequence('node', 'no'), 60000000)`
}
