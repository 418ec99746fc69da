/**
 * Who may ask what: every endpoint that the service itself lists, with every kind of caller. An endpoint that is in no
 * row here fails the first test.
 */
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../../adapters/http/secrets.ts'
import { startService } from '../service.ts'
import { Client, errorCodeOf, type Told } from './testing/client.ts'
import { exampleOf, operations } from './testing/examples.ts'
import { nodes } from './testing/network.ts'
import { testOrder } from './testing/orders.ts'
import { adminToken, startTestService, type TestService } from './testing/service.ts'

let service: TestService
let callers = 0
const openPaths = ['/healthz', '/readyz', '/metrics', '/openapi.json']
/** Signed, each in its platform's way: signatures.test.ts. */
const webhookPaths = [
  'GET /webhooks/{channel}/{shop}',
  'POST /webhooks/{channel}/{shop}',
  'POST /webhooks/carriers/kuaidi100/{account}',
]

const keys = {
  eastBefore: 'key-before-of-east-warehouse',
  storeBefore: 'key-before-of-the-hangzhou-store',
  closed: 'key-of-a-closed-warehouse',
}
const closed = { name: '关', kind: 'warehouse', adcode: '330106', open: false, apiKey: keys.closed }

beforeAll(async () => {
  service = await startTestService()
  await service.admin('PUT', '/v1/nodes/closed', closed)
  await service.admin('PUT', '/v1/nodes/store', { ...nodes.store, apiKey: keys.storeBefore })
  await service.admin('PUT', '/v1/nodes/store', { ...nodes.store, previousApiKeyUntil: Date.now() + 60_000 })
  await service.sql`update node set previous_key_until = now() where node = 'store'`
})
afterAll(() => service.close())

/** Both keys of east are right from now on. */
async function changeKeyOfEast(): Promise<void> {
  await service.admin('PUT', '/v1/nodes/east', { ...nodes.east, apiKey: keys.eastBefore })
  const told = await service.admin('PUT', '/v1/nodes/east', {
    ...nodes.east,
    previousApiKeyUntil: Date.now() + 3_600_000,
  })
  expect(told.status).toBe(200)
}

type Ends = 'unauthorized' | 'not_found' | 'admitted'

/** By what an endpoint asks for: the header that a caller sends, and how that ends. `east` owns the task. */
const table: readonly (readonly [caller: string, header: string | null, atAdmin: Ends, atNode: Ends])[] = [
  ['nobody', null, 'unauthorized', 'unauthorized'],
  ['an empty header', '', 'unauthorized', 'unauthorized'],
  ['an empty token', 'Bearer ', 'unauthorized', 'unauthorized'],
  ['another scheme', `Basic ${adminToken}`, 'unauthorized', 'unauthorized'],
  ['a token without a scheme', adminToken, 'unauthorized', 'unauthorized'],
  ['two tokens', `Bearer ${adminToken} ${adminToken}`, 'unauthorized', 'unauthorized'],
  ['a token that nobody has', 'Bearer xxxxxxxxxxxxxxxxxxxxxxxx', 'unauthorized', 'unauthorized'],
  ['a token too long by one', `Bearer ${adminToken}x`, 'unauthorized', 'unauthorized'],
  ['a token in another case', `Bearer ${adminToken.toUpperCase()}`, 'unauthorized', 'unauthorized'],
  [
    'a digest instead of its key',
    `Bearer ${sha256(nodes.east.apiKey).toString('hex')}`,
    'unauthorized',
    'unauthorized',
  ],
  ['the operator', `Bearer ${adminToken}`, 'admitted', 'unauthorized'],
  ['the node', `Bearer ${nodes.east.apiKey}`, 'unauthorized', 'admitted'],
  ['the node with its key before', `Bearer ${keys.eastBefore}`, 'unauthorized', 'admitted'],
  ['another node', `Bearer ${nodes.south.apiKey}`, 'unauthorized', 'not_found'],
  ['a closed node', `Bearer ${keys.closed}`, 'unauthorized', 'not_found'],
  ['a key whose time is over', `Bearer ${keys.storeBefore}`, 'unauthorized', 'unauthorized'],
]

/** From an address of its own: wrong tokens are counted by address. */
async function askFromElsewhere(header: string | null, operation: string, taskId?: string): Promise<Told> {
  callers += 1
  const client = new Client(service.client.base, `127.0.${Math.floor(callers / 200) + 1}.${(callers % 200) + 1}`)
  const { method, path, body } = exampleOf(operation, taskId)
  const told = await client.ask(method, path, {
    ...(header === null ? {} : { authorization: header }),
    ...(body === undefined ? {} : { raw: body }),
  })
  await client.close()
  return told
}

const ofOneThing = [
  ...['createReturn', 'getReturn', 'agreeReturn', 'refuseReturn', 'withdrawReturn', 'receiveReturn', 'settleReturn'],
  'receiveAtNode',

  ...['getOrder', 'approveOrder', 'releaseOrder', 'cancelOrder', 'setLineUnits', 'resolveException', 'assignException'],
  ...['correctParcel', 'voidParcel', 'shippedOutside'],
]

function endOf(told: Told): Ends {
  if (told.status < 400) return 'admitted'
  const code = errorCodeOf(told)
  return code === 'unauthorized' || code === 'not_found' ? code : 'admitted'
}

test('every endpoint of the service stands in a table', async () => {
  const { paths } = (await service.client.ask('GET', '/openapi.json')).json as { paths: Record<string, object> }
  const listed = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((key) => ['get', 'post', 'put', 'delete', 'patch'].includes(key))
      .map((method) => `${method.toUpperCase()} ${path}`),
  )
  const known = [
    ...operations.map(({ method, path }) => `${method} ${path}`),
    ...openPaths.map((path) => `GET ${path}`),
    ...webhookPaths,
  ]
  expect(listed.sort()).toEqual(known.sort())
  expect(operations.every(({ auth }) => auth === 'admin' || auth === 'node')).toBe(true)
})

describe.each(operations)('$name', ({ name, auth }) => {
  test('with every kind of caller', async () => {
    await changeKeyOfEast()
    let taskId: string | undefined
    const order = testOrder('jd', [{ sku: `of-east-${name}`, quantity: 1, paidFen: 100 }])
    if (auth === 'node') {
      await service.goods(`of-east-${name}`, { east: 1 })
      await service.tell(order)
      taskId = (await service.at('east').pullFor(order)).taskId
    }
    // Whoever is let in comes last: they may end the task.
    const rows = table.map(([caller, header, atAdmin, atNode]) => ({
      caller,
      header,
      end: auth === 'admin' ? atAdmin : atNode,
    }))
    const wrong = rows.filter(({ end }) => end !== 'admitted')
    for (const { caller, header, end } of wrong) {
      const told = await askFromElsewhere(header, name, taskId)
      expect([caller, endOf(told)]).toEqual([caller, end])
      expect(told.status).toBe(end === 'unauthorized' ? 401 : 404)
      expect(told.headers['www-authenticate']).toBe(end === 'unauthorized' ? 'Bearer' : undefined)
      // Not a word of what was asked for or of what would have been right.
      expect(told.text).not.toMatch(/of-east|key-|token-/)
    }
    if (auth === 'node') expect((await service.order(order)).tasks).toMatchObject([{ taskId, state: 'pulled' }])
    for (const { caller, header, end } of rows.filter((row) => row.end === 'admitted')) {
      await changeKeyOfEast()
      const told = await askFromElsewhere(header, name, taskId)
      // An order or an exception that is not there is not found by whoever may look for it.
      if (ofOneThing.includes(name)) expect(told.status).toBe(404)
      else expect([caller, endOf(told)]).toEqual([caller, end])
    }
  })
})

test('a closed node goes on with what it has', async () => {
  const told = await service.client.ask('POST', '/v1/nodes/closed/tasks/pull', { token: keys.closed, body: {} })
  expect(told.status).toBe(200)
})

test("a warehouse that asks at another's path thirty times is not locked out of its own", async () => {
  for (let i = 0; i < 30; i++) {
    const told = await service.client.ask('POST', '/v1/nodes/east/tasks/pull', { token: nodes.south.apiKey, body: {} })
    expect([told.status, errorCodeOf(told)]).toEqual([404, 'not_found'])
  }
  const own = await service.client.ask('POST', '/v1/nodes/south/tasks/pull', { token: nodes.south.apiKey, body: {} })
  expect(own.status).toBe(200)
})

test('after many wrong tokens an address waits, and who was right before from there does not', async () => {
  expect((await service.admin('GET', '/v1/exceptions')).status).toBe(200)
  const statuses = new Set<number>()
  for (let i = 0; i < 30; i++)
    statuses.add((await service.client.ask('GET', '/v1/exceptions', { token: `guess-${i}` })).status)
  expect(statuses).toEqual(new Set([401, 429]))
  expect((await service.admin('GET', '/v1/exceptions')).status).toBe(200)
})

test('the open paths need no token, and care for none', async () => {
  for (const path of openPaths)
    for (const [caller, header] of table) {
      const { statusCode, body } = await request(service.client.base + path, {
        headers: header === null ? {} : { authorization: header },
      })
      await body.dump()
      expect([path, caller, statusCode]).toEqual([path, caller, 200])
    }
})

test('two tokens of the operator, separated by a comma, are both taken', async () => {
  const { config, log, vault } = service.running
  const both = 'first-token-of-two-00,second-token-of-two-0'
  const databaseUrl = service.databaseUrl
  const other = await startService({ config, log, vault, adminToken: both, databaseUrl, redisUrl: service.redisUrl })
  const client = new Client(`http://127.0.0.1:${other.port}`)
  try {
    const ask = async (token: string) => (await client.ask('GET', '/v1/exceptions', { token })).status
    expect(await Promise.all([...both.split(','), both].map(ask))).toEqual([200, 200, 401])
  } finally {
    await client.close()
    await other.stop()
  }
})
