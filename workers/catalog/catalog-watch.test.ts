/** Settings come into force while others plan with the ones before: availability are never empty meanwhile. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { putNodes, putSkus } from '../../adapters/store/catalog/catalog.ts'
import { nodeOf, post, sha256, skuOf } from '../../adapters/store/testing/world.ts'
import { type TestDatabase, testDatabase, testVault } from '../../adapters/store/testing.ts'
import { Availability } from './availability.ts'
import { CatalogWatch } from './catalog-watch.ts'

let database: TestDatabase
let watch: CatalogWatch

beforeEach(async () => {
  database = await testDatabase()
  const { sql } = database
  await putSkus(
    sql,
    ['hot', 'cold'].map((sku) => skuOf(sku)),
  )
  await putNodes(
    sql,
    ['n', 'm'].map((node) => ({ node: nodeOf(node, 0), apiKeyHash: sha256(node) })),
  )
  for (const node of ['n', 'm']) await post(sql, node, 'set', [{ sku: 'hot', quantity: 10 }])
  watch = await CatalogWatch.open(sql, testVault)
  await watch.fillAvailability()
})
afterEach(() => database.close())

/** So many that they have to be laid out anew; the last of them has goods already, as another process would see to. */
async function putMany(): Promise<void> {
  const { sql } = database
  const many = Array.from({ length: watch.availability.shape.columns }, (_, i) => `s${i}`)
  await putSkus(
    sql,
    [...many, 'last'].map((sku) => skuOf(sku)),
  )
  await post(sql, 'm', 'set', [{ sku: 'last', quantity: 7 }])
}

const anywhere = (sku: string) => watch.availability.anywhere(watch.current.skuNo(sku))
const figureOf = (node: string, sku: string) => {
  const { nodeNo, nodeIndex, skuNo } = watch.current
  return watch.availability.get(nodeNo(nodeIndex.get(node)!), skuNo(sku))
}

/** What anybody could have read while the work went on. */
async function seenDuring<T>(work: Promise<unknown>, look: () => T): Promise<Set<T>> {
  const seen = new Set([look()])
  let over = false
  const done = work.finally(() => {
    over = true
  })
  while (!over) {
    await new Promise((resolve) => setImmediate(resolve))
    seen.add(look())
  }
  await done
  return seen
}

test('laid out anew, availability are what they were, and a new SKU is known with its figures or not at all', async () => {
  await putMany()
  const { layout } = watch.availability.shape
  const look = () => `${anywhere('hot')} ${watch.current.sku('last') === undefined ? 'unknown' : anywhere('last')}`
  const seen = await seenDuring(watch.refresh(), look)
  expect(watch.availability.shape.layout).not.toBe(layout)
  expect([...seen]).toEqual(['20 unknown', '20 7'])
})

test('what threads and the keeper learned stays, also what they learn while the new ones are filled', async () => {
  await putMany()
  const { nodeNo, nodeIndex, skuNo } = watch.current
  const [n, m, hot] = [nodeNo(nodeIndex.get('n')!), nodeNo(nodeIndex.get('m')!), skuNo('hot')]
  // As a thread that has reserved some, and not yet committed.
  new Availability(watch.availability.shape).add(n, hot, -4)
  const { layout } = watch.availability.shape
  const refreshed = watch.refresh()
  while (watch.availability.shape.layout === layout) await new Promise((resolve) => setImmediate(resolve))
  // And one that is given the new ones meanwhile; and the keeper.
  new Availability(watch.availability.shape).add(m, hot, -1)
  watch.setAvailability('n', [{ sku: 'cold', atp: 3 }])
  await refreshed
  expect([figureOf('n', 'hot'), figureOf('m', 'hot'), figureOf('n', 'cold')]).toEqual([6, 9, 3])
  expect([figureOf('m', 'last'), anywhere('hot'), anywhere('last')]).toEqual([7, 15, 7])
})

test('figures that could not be read are read by the next refresh', async () => {
  await putMany()
  const { sql } = database
  await sql`alter table stock rename to stock_away`
  await expect(watch.refresh()).rejects.toMatchObject({ code: '42P01' })
  expect([watch.current.sku('last'), anywhere('hot')]).toEqual([undefined, 20])
  await sql`alter table stock_away rename to stock`
  await watch.refresh()
  expect([anywhere('hot'), anywhere('last')]).toEqual([20, 7])
})

test('a node that is not known yet is not taken for one that was heard', async () => {
  const { sql } = database
  await putNodes(sql, [{ node: nodeOf('new', 0), apiKeyHash: sha256('new') }])
  watch.setAvailability('new', [{ sku: 'hot', atp: 5 }])
  watch.hear('new', 1)
  expect(watch.heard('new')).toBe(0)
  await watch.refresh()
  watch.hear('new', 1)
  expect(watch.heard('new')).toBe(1)
})
