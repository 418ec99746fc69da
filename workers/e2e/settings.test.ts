/** What an operator sets comes into force whole, however many set it at once, and mends itself where an earlier release left it. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { nodes } from './testing/network.ts'
import { testOrder } from './testing/orders.ts'
import { orderPath, startTestService, type TestService } from './testing/service.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
})
afterAll(() => service.close())
afterEach(async () => expect(await service.audit()).toEqual([]))

const setSafety = (safetyStock: number) => service.admin('PUT', '/v1/nodes/east', { ...nodes.east, safetyStock })
const skus = ['safe-a', 'safe-b', 'safe-c']

/** The setting, and each figure that was ever kept back. */
async function safety() {
  const [node] = await service.sql<{ wanted: number }[]>`
    select (detail ->> 'safetyStock')::int as wanted from node where node = 'east'`
  const rows = await service.sql<{ safety: number }[]>`select distinct safety from stock where node = 'east'`
  return { wanted: node!.wanted, kept: rows.map((row) => row.safety) }
}

test('a node’s safety stock and its rows are one, whatever many set at once', async () => {
  for (const sku of skus) await service.goods(sku, { east: 100 })
  for (let round = 0; round < 10; round++) {
    const wishes = Array.from({ length: 12 }, (_, i) => (round * 12 + i * 7) % 50)
    const answers = await Promise.all(wishes.map((wish) => setSafety(wish)))
    expect(answers.map((answer) => answer.status)).toEqual(wishes.map(() => 200))
    const { wanted, kept } = await safety()
    expect(wishes).toContain(wanted)
    expect(kept).toEqual([wanted])
    await service.sweep()
    for (const sku of skus) expect(await service.stock(sku)).toMatchObject({ east: { available: 100 - wanted } })
  }
})

test('rows that differ from the setting are told by the audit, and mended by the sweep', async () => {
  await setSafety(5)
  await service.sql`update node set detail = jsonb_set(detail, '{safetyStock}', '9') where node = 'east'`
  expect((await service.audit()).map((violation) => violation.invariant)).toEqual(['safety_is_what_its_node_says'])
  await service.sweep()
  expect(await safety()).toEqual({ wanted: 9, kept: [9] })
  await service.sweep()
  for (const sku of skus) expect(await service.stock(sku)).toMatchObject({ east: { available: 91 } })
})

test('a bundle names SKUs that exist', async () => {
  const bundle = [
    { sku: 'safe-a', quantity: 2 },
    { sku: 'no-such-one', quantity: 1 },
  ]
  const put = (sku: string, body: object) => service.admin('PUT', `/v1/skus/${sku}`, { weightGrams: 1, ...body })
  const refused = await put('a-set', { name: '套装', bundle })
  expect(refused).toMatchObject({ status: 400, json: { error: { code: 'invalid_request' } } })
  expect(JSON.stringify(refused.json)).toContain('bundle: there is no SKU no-such-one. Put it first.')
  expect(await service.sql`select from sku where sku = 'a-set'`).toHaveLength(0)
  expect(await put('no-such-one', { name: '单品' })).toMatchObject({ status: 200 })
  expect(await put('a-set', { name: '套装', bundle })).toMatchObject({ status: 200 })
  // A SKU that a bundle names is plain for good: made a bundle, the outer one would hold a bundle.
  const nested = await put('safe-a', { name: '套装', bundle: [{ sku: 'safe-b', quantity: 1 }] })
  expect(nested.status).toBe(400)
  expect(JSON.stringify(nested.json)).toContain('bundle: safe-a is a component of a-set')
})

test('a SKU that is in use becomes no bundle, and the answer says what to do', async () => {
  await service.goods('sock', {})
  await service.goods('tee', { south: 2 })
  const turned = async () => {
    const told = await service.admin('PUT', '/v1/skus/tee', {
      ...{ name: 'tee', weightGrams: 1, bundle: [{ sku: 'sock', quantity: 1 }] },
    })
    return [told.status, (told.json as { error?: { message: string } }).error?.message]
  }
  const order = testOrder('jd', [{ sku: 'tee', quantity: 2, paidFen: 100 }])
  const waiting = testOrder('jd', [{ sku: 'tee', quantity: 3, paidFen: 100 }])
  for (const each of [order, waiting]) await service.tell(each)
  expect(await turned()).toEqual([
    400,
    'bundle: tasks of south hold tee, and a bundle holds no stock. Ship or cancel them, post a count of 0 there, then put it again.',
  ])
  await service.admin('POST', `${orderPath(order)}/cancel`, {})
  await service.settled()
  expect((await service.order(waiting)).state).toBe('backordered')
  await service.admin('POST', `${orderPath(order)}/cancel`, {})
  expect(await turned()).toEqual([
    400,
    'bundle: there is tee on hand at south, and a bundle holds no stock. Post a count of 0 there, then put it again.',
  ])
  await service.count('south', 'set', [{ sku: 'tee', quantity: 0 }])
  expect(await turned()).toEqual([
    400,
    'bundle: orders wait for tee, which as a bundle would never come. Post stock for them or cancel them, then put it again.',
  ])
  await service.admin('POST', `${orderPath(waiting)}/cancel`, {})
  await service.settled()
  expect((await turned())[0]).toBe(200)
})

test('of bundles and components that are put at once, none holds a bundle or what does not exist', async () => {
  for (let round = 0; round < 10; round++) {
    const name = (letter: string) => `at-once-${round}-${letter}`
    const put = (sku: string, of: readonly string[]) =>
      service.admin('PUT', `/v1/skus/${name(sku)}`, {
        ...{ name: sku, weightGrams: 1 },
        ...(of.length > 0 ? { bundle: of.map((one) => ({ sku: name(one), quantity: 1 })) } : {}),
      })
    await put('a', [])
    await put('b', [])
    await Promise.all([put('a', ['b']), put('b', ['a'])])
    const bundles = await service.sql<{ component: string; nested: boolean | null }[]>`
      select c ->> 'sku' as component, jsonb_array_length(inner_sku.detail -> 'bundle') > 0 as nested
      from sku cross join lateral jsonb_array_elements(sku.detail -> 'bundle') as c
      left join sku inner_sku on inner_sku.sku = c ->> 'sku' where sku.sku like ${`at-once-${round}-%`}`
    expect(bundles.map(({ nested }) => nested)).toEqual([false])
  }
})

test('an order of a bundle whose units no database could add up is held, and no person can let it go', async () => {
  const parts = Array.from({ length: 11 }, (_, i) => `huge-${i}`)
  for (const sku of parts) await service.goods(sku, {})
  await service.goods('huge', {}, { bundle: parts.map((sku) => ({ sku, quantity: 1_000_000 })) })
  await service.goods('huge-one', {}, { bundle: [{ sku: 'huge-0', quantity: 1_000_000 }] })
  const orders = [testOrder('jd', [{ sku: 'huge', quantity: 200, paidFen: 20_000 }])]
  orders.push(testOrder('jd', [{ sku: 'huge-one', quantity: 3_000, paidFen: 300_000 }]))
  for (const order of orders) {
    await service.tell(order)
    expect((await service.admin('POST', `${orderPath(order)}/approve`, {})).status).toBe(200)
    await service.settled()
    const { state, holds } = await service.order(order)
    expect([state, holds.map((h) => h.rule)]).toEqual(['held', ['too_many_units']])
    expect(await service.audit()).toEqual([])
  }
  // With its bundle put right it comes to what a person may let go.
  await service.goods('huge-one', {}, { bundle: [{ sku: 'huge-0', quantity: 1 }] })
  expect((await service.admin('POST', `${orderPath(orders[1]!)}/approve`, {})).status).toBe(200)
  await service.settled()
  expect((await service.order(orders[1]!)).state).toBe('backordered')
})
