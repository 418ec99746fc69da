/** Settings are read, a page at a time and never with a secret, and changed in part: what is not named stays. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Client, errorCodeOf, type Told } from './testing/client.ts'
import { nodes } from './testing/network.ts'
import { shopOf, testOrder } from './testing/orders.ts'
import { acknowledged, startTestService, type TestService } from './testing/service.ts'
import { carrierAccount, credentials, signedOrder } from './testing/webhooks.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
})
afterAll(() => service.close())
afterEach(async () => expect(await service.audit()).toEqual([]))

type Json = Record<string, unknown>
const get = async (path: string) => {
  const told = await service.admin('GET', path)
  expect(told.status).toBe(200)
  return told.json as Json
}
const put = async (path: string, body: unknown) =>
  expect(await service.admin('PUT', path, body)).toMatchObject({ status: 200 })
const patch = (path: string, body: unknown) => service.admin('PATCH', path, body)
const patched = async (path: string, body: unknown) => expect(await patch(path, body)).toMatchObject({ status: 200 })
const messageOf = (told: Told) => (told.json as { error: { message: string } }).error.message

const jdShop = `/v1/shops/jd/${shopOf.jd}`

test('a shop’s new secret keeps its skuMap and API; the one before is taken until its end', async () => {
  await put(jdShop, { credentials: credentials.jd, apiBaseUrl: 'https://api.example', skuMap: { p1: 'a', p2: 'b' } })
  const until = Date.now() + 3_600_000
  await patched(jdShop, { credentials: { appSecret: 'a-new-secret-of-jd' }, previousUntil: until })
  expect(await get(jdShop)).toEqual({
    ...{ channel: 'jd', shop: shopOf.jd, apiBaseUrl: 'https://api.example' },
    ...{ skuMap: { p1: 'a', p2: 'b' }, skuMapEntries: 2, credentialKeys: ['appKey', 'appSecret'] },
    previousUntil: until,
  })
  // Signed with the secret before, which is still right.
  const sent = async () =>
    (await service.send(signedOrder(testOrder('jd', [{ sku: 'x', quantity: 1, paidFen: 1 }])))).text
  expect(await sent()).toBe(acknowledged.jd)
  // What is not about credentials leaves them alone; an end that is over ends them.
  await patched(jdShop, { skuMap: { p1: null, p3: 'c' } })
  expect(await get(jdShop)).toMatchObject({ skuMap: { p2: 'b', p3: 'c' }, previousUntil: until })
  expect(await sent()).toBe(acknowledged.jd)
  await patched(jdShop, { previousUntil: 1 })
  expect(await get(jdShop)).toMatchObject({ previousUntil: null, apiBaseUrl: 'https://api.example' })
  expect(await sent()).not.toBe(acknowledged.jd)
  await patched(jdShop, { credentials: credentials.jd, apiBaseUrl: null })
  expect(await get(jdShop)).toMatchObject({ apiBaseUrl: null, previousUntil: null, skuMapEntries: 2 })
  expect(await sent()).toBe(acknowledged.jd)
  await service.settled()
})

test('what is refused leaves a shop as it was', async () => {
  const before = await get(jdShop)
  const lacking = await patch(jdShop, { credentials: { appSecret: null }, skuMap: { more: 'c' } })
  expect([lacking.status, messageOf(lacking)]).toEqual([400, 'credentials lacks appSecret for jd.'])
  const tooFar = await patch(jdShop, { previousUntil: Date.now() + 365 * 86_400_000, skuMap: { more: 'c' } })
  expect(tooFar.status).toBe(400)
  const entries = (from: number) => Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`p${from + i}`, 'a']))
  await put(jdShop, { credentials: credentials.jd, skuMap: entries(0) })
  const tooMany = await patch(jdShop, { skuMap: entries(1) })
  expect([tooMany.status, messageOf(tooMany)]).toEqual([400, 'skuMap: a shop holds at most 20000 entries.'])
  await put(jdShop, { credentials: credentials.jd, skuMap: before.skuMap })
})

test('there is nothing to change where nothing is', async () => {
  const paths = ['/v1/shops/jd/nobody', '/v1/nodes/nobody', '/v1/skus/nobody', '/v1/carriers/kuaidi100/nobody']
  for (const path of [...paths, '/v1/carriers/nobody/nobody']) {
    for (const told of [await patch(path, {}), await service.admin('GET', path)])
      expect([path, told.status, errorCodeOf(told)]).toEqual([path, 404, 'not_found'])
  }
})

test('a node is changed without its key, which it keeps', async () => {
  const node = { ...nodes.south, channels: ['jd'], regions: ['44'], priority: 3, handlingFen: 7, safetyStock: 2 }
  await put('/v1/nodes/south', node)
  await service.goods('kept-back', { south: 10 })
  const before = await get('/v1/nodes/south')
  expect(before).toMatchObject({ node: 'south', channels: ['jd'], regions: ['44'], handlingFen: 7, safetyStock: 2 })
  await patched('/v1/nodes/south', { open: false, safetyStock: 4 })
  expect(await get('/v1/nodes/south')).toEqual({ ...before, open: false, safetyStock: 4 })
  expect(await service.stock('kept-back')).toMatchObject({ south: { available: 6 } })
  const asks = async (token: string) =>
    (await service.client.ask('POST', '/v1/nodes/south/tasks/pull', { token, body: {} })).status
  expect(await asks(nodes.south.apiKey)).toBe(200)
  // A point that was the adcode’s follows it; one that was given stays.
  await patched('/v1/nodes/south', { adcode: nodes.east.adcode })
  expect((await get('/v1/nodes/south')).point).toEqual((await get('/v1/nodes/east')).point)
  await patched('/v1/nodes/south', { point: { lat: 23, lng: 113 } })
  await patched('/v1/nodes/south', { adcode: nodes.south.adcode, channels: null, regions: null, priority: 1 })
  expect(await get('/v1/nodes/south')).toMatchObject({
    ...{ adcode: nodes.south.adcode, point: { lat: 23, lng: 113 }, channels: null, regions: null },
    preferenceFen: (before.preferenceFen as number) / 3,
  })
  // A new key, with the one before until its end.
  const until = Date.now() + 60_000
  await patched('/v1/nodes/south', { apiKey: 'another-key-of-the-south', previousApiKeyUntil: until })
  expect((await get('/v1/nodes/south')).previousApiKeyUntil).toBe(until)
  const { apiKey: _, ...keyless } = nodes.south
  await put('/v1/nodes/south', keyless)
  expect([await asks('another-key-of-the-south'), await asks(nodes.south.apiKey)]).toEqual([200, 200])
  await patched('/v1/nodes/south', { previousApiKeyUntil: 1 })
  expect([await asks('another-key-of-the-south'), await asks(nodes.south.apiKey)]).toEqual([200, 401])
  // A key whose time is over is gone: no later end brings it back.
  await patched('/v1/nodes/south', { apiKey: nodes.south.apiKey, previousApiKeyUntil: until })
  await service.sql`update node set previous_key_until = now() where node = 'south'`
  await patched('/v1/nodes/south', { previousApiKeyUntil: until })
  expect([await asks(nodes.south.apiKey), await asks('another-key-of-the-south')]).toEqual([200, 401])
  expect((await get('/v1/nodes/south')).previousApiKeyUntil).toBeNull()
  const taken = await patch('/v1/nodes/south', { apiKey: nodes.east.apiKey })
  expect([taken.status, errorCodeOf(taken)]).toEqual([409, 'node_key_taken'])
  const made = await service.admin('PUT', '/v1/nodes/new', keyless)
  expect([made.status, messageOf(made)]).toEqual([400, 'apiKey: a new node needs one.'])
  await put('/v1/nodes/south', nodes.south)
})

test('a SKU is changed in part, also to a bundle and back', async () => {
  await service.goods('plain', {}, { storageClass: 'cold', warehouseOnly: true })
  await service.goods('part', {})
  await patched('/v1/skus/plain', { weightGrams: 70 })
  const goods = { storageClass: 'cold', warehouseOnly: true, requiresShipping: true }
  const plain = { sku: 'plain', name: 'plain', weightGrams: 70, ...goods }
  expect(await get('/v1/skus/plain')).toEqual({ ...plain, bundle: null })
  const bundle = [{ sku: 'part', quantity: 2 }]
  await patched('/v1/skus/plain', { bundle })
  expect(await get('/v1/skus/plain')).toEqual({ ...plain, bundle })
  const nested = await patch('/v1/skus/part', { bundle: [{ sku: 'plain', quantity: 1 }] })
  expect(messageOf(nested)).toBe('bundle: plain is a bundle itself. Name its components.')
  await patched('/v1/skus/plain', { bundle: null })
  expect(await get('/v1/skus/plain')).toEqual({ ...plain, bundle: null })
})

test('of changes at once each stays, beside whole ones too', async () => {
  await put(jdShop, { credentials: credentials.jd })
  const keys = Array.from({ length: 24 }, (_, i) => `at-once-${i}`)
  await Promise.all(keys.map((key) => patched(jdShop, { skuMap: { [key]: key } })))
  expect(Object.keys((await get(jdShop)).skuMap as Json).sort()).toEqual([...keys].sort())
  await put(jdShop, { credentials: credentials.jd })
  const whole = { credentials: credentials.jd, skuMap: { whole: 'w' } }
  await Promise.all(keys.flatMap((key) => [patched(jdShop, { skuMap: { [key]: key } }), put(jdShop, whole)]))
  // Those behind the last whole one.
  expect((await get(jdShop)).skuMap).toMatchObject({ whole: 'w' })
  await Promise.all([
    ...keys.map((_, i) => patched('/v1/nodes/north', { handlingFen: i })),
    ...keys.map((_, i) => patched('/v1/nodes/north', { safetyStock: i })),
    patched('/v1/nodes/north', { name: '改名' }),
  ])
  expect(await get('/v1/nodes/north')).toMatchObject({ name: '改名', adcode: nodes.north.adcode })
  await put('/v1/nodes/north', nodes.north)
})

test('an account of a carrier service is changed like a shop', async () => {
  const path = `/v1/carriers/kuaidi100/${carrierAccount.account}`
  const until = Date.now() + 60_000
  await patched(path, { credentials: { salt: 'another-salt' }, previousUntil: until })
  const shown = { carrier: 'kuaidi100', account: carrierAccount.account, credentialKeys: ['salt'] }
  expect(await get(path)).toEqual({ ...shown, previousUntil: until })
  await patched(path, { credentials: { salt: carrierAccount.salt } })
  expect(await get(path)).toEqual({ ...shown, previousUntil: null })
})

test('lists come a page at a time, each setting once', async () => {
  for (const sku of ['帽-1', '帽-2', '帽-3', 'Z_9', 'Z%9', 'Zx9']) await service.goods(sku, {})
  await put('/v1/shops/tmall/%E5%BA%97'.concat('%E9%93%BA'.repeat(60)), { credentials: credentials.tmall })
  const lists = { shops: ['channel', 'shop'], nodes: ['node'], skus: ['sku'], carriers: ['carrier', 'account'] }
  for (const [name, keys] of Object.entries(lists)) {
    const keyOf = (row: Json) => keys.map((key) => row[key]).join(' ')
    const whole = ((await get(`/v1/${name}?limit=500`))[name] as Json[]).map(keyOf)
    const paged: string[] = []
    let cursor: unknown = null
    do {
      const page = await get(`/v1/${name}?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`)
      expect(Object.keys(page).sort()).toEqual([name, 'nextCursor'].sort())
      paged.push(...(page[name] as Json[]).map(keyOf))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(paged).toEqual(whole)
    expect(new Set(paged).size).toBe(whole.length)
    const wrong = await service.admin('GET', `/v1/${name}?cursor=nonsense`)
    expect([wrong.status, errorCodeOf(wrong)]).toEqual([400, 'invalid_request'])
  }
  const skusOf = async (query: string) => ((await get(`/v1/skus?${query}`)).skus as Json[]).map(({ sku }) => sku)
  expect(await skusOf(`prefix=${encodeURIComponent('帽')}`)).toEqual(['帽-1', '帽-2', '帽-3'])
  expect(await skusOf('prefix=Z_')).toEqual(['Z_9'])
  expect(await skusOf('prefix=Z%25')).toEqual(['Z%9'])
  expect(await skusOf('prefix=nothing')).toEqual([])
})

test('what could never work is refused when it is set, with what to do', async () => {
  const both = (path: string, whole: object, part: object) =>
    Promise.all([service.admin('PUT', path, { ...whole, ...part }), patch(path, part)])
  const refusals: [string, object, object, string][] = [
    [
      '/v1/nodes/east',
      nodes.east,
      { regions: ['33', '99', '3399'] },
      'regions: no division begins with 99, 3399. Give the first 2 (province), 4 (city) or all 6 (district) digits of adcodes.',
    ],
    [
      '/v1/nodes/east',
      nodes.east,
      { adcode: '990101', point: { lat: 30, lng: 120 } },
      'adcode: no division begins with 9901. Correct it.',
    ],
    [
      `/v1/shops/wechat/${encodeURIComponent(shopOf.wechat)}`,
      {},
      { credentials: { ...credentials.wechat, encodingAesKey: 'too-short' } },
      'credentials.encodingAesKey: must be 43 letters and digits, this one has 9. Copy EncodingAESKey again from the message push settings.',
    ],
  ]
  for (const [path, whole, part, message] of refusals) {
    const before = await get(path)
    for (const told of await both(path, whole, part)) expect([told.status, messageOf(told)]).toEqual([400, message])
    expect(await get(path)).toEqual(before)
  }
  // A district that is too new for the table, with a point.
  await patched('/v1/nodes/east', { adcode: '330199', point: { lat: 30, lng: 120 } })
  await put('/v1/nodes/east', nodes.east)
})

test('no answer holds a secret, a key or its digest', async () => {
  const paths = ['shops', 'nodes', 'skus', 'carriers'].map((name) => `/v1/${name}?limit=500`)
  const secrets = [...Object.values(credentials), ...Object.values(nodes).map(({ apiKey }) => ({ apiKey }))]
  const words = [...secrets.flatMap((each) => Object.values(each)), carrierAccount.salt]
  for (const path of [...paths, jdShop, '/v1/nodes/east']) {
    const { text } = await service.admin('GET', path)
    for (const word of words) expect(text).not.toContain(word)
    expect(text).not.toMatch(/hash|sealed|"credentials"/i)
  }
  const client = new Client(service.client.base)
  for (const path of paths) expect((await client.ask('GET', path, { token: nodes.east.apiKey })).status).toBe(401)
  await client.close()
})
