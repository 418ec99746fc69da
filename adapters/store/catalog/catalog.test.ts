/** Numbers of SKUs and nodes are small and dense, however often settings are put, by whom and with what success. */
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { projectRoot } from '../../shared/root.ts'
import type { Sql } from '../postgres/connect.ts'
import { migrate, readMigrations } from '../postgres/migrate.ts'
import { empty, nodeOf, sha256, skuOf } from '../testing/world.ts'
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
    const waits = () =>
      sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    while ((await waits()).count === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    await tx`select from node where node = 'b' for update`
  })
  expect(await put).toEqual({ created: [], deltas: [] })
})

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
