/** Who may ask what: every endpoint of the contract with no token, a wrong one, and each that is right elsewhere. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Client, errorCodeOf } from './testing/client.ts'
import { exampleOf, operations } from './testing/examples.ts'
import { nodes } from './testing/network.ts'
import { testOrder } from './testing/orders.ts'
import { adminToken, startTestService, type TestService } from './testing/service.ts'

let service: TestService
let callers = 0
beforeAll(async () => {
  service = await startTestService()
})
afterAll(() => service.close())

/** From an address of its own: wrong tokens are counted by address. */
async function askFromElsewhere(token: string | undefined, operation: string, taskId?: string) {
  callers += 1
  const client = new Client(service.client.base, `127.0.${Math.floor(callers / 200) + 1}.${(callers % 200) + 1}`)
  const { method, path, body } = exampleOf(operation, taskId)
  const ask = { ...(token === undefined ? {} : { token }), ...(body === undefined ? {} : { raw: body }) }
  const told = await client.ask(method, path, ask)
  await client.close()
  return told
}

describe.each(operations)('$name', ({ name, auth }) => {
  test('no token, an empty one, a wrong one: 401', async () => {
    for (const token of [undefined, '', 'x'.repeat(24), `${adminToken}x`]) {
      const told = await askFromElsewhere(token, name)
      expect([token, told.status, errorCodeOf(told)]).toEqual([token, 401, 'unauthorized'])
      expect(told.headers['www-authenticate']).toBe('Bearer')
    }
  })

  test(auth === 'admin' ? "a warehouse's key: 401" : "the operator's token: 401", async () => {
    const told = await askFromElsewhere(auth === 'admin' ? nodes.east.apiKey : adminToken, name)
    expect([told.status, errorCodeOf(told)]).toEqual([401, 'unauthorized'])
  })

  test(
    auth === 'admin' ? "the operator's token is let in" : "another warehouse's key: 404, and nothing happens",
    async () => {
      if (auth === 'admin') {
        const told = await askFromElsewhere(adminToken, name)
        expect([401, 404, 429].includes(told.status) && errorCodeOf(told) === 'unauthorized').toBe(false)
        return
      }
      const order = testOrder('jd', [{ sku: `of-east-${name}`, quantity: 1, paidFen: 100 }])
      await service.goods(`of-east-${name}`, { east: 1 })
      await service.tell(order)
      const { taskId } = await service.at('east').pullFor(order)
      const told = await askFromElsewhere(nodes.south.apiKey, name, taskId)
      expect([told.status, errorCodeOf(told)]).toEqual([404, 'not_found'])
      expect((await service.order(order)).tasks).toMatchObject([{ taskId, state: 'pulled' }])
    },
  )
})

test("a warehouse that asks at another's path thirty times is not locked out of its own", async () => {
  for (let i = 0; i < 30; i++) {
    const told = await service.client.ask('POST', '/v1/nodes/east/tasks/pull', { token: nodes.south.apiKey, body: {} })
    expect([told.status, errorCodeOf(told)]).toEqual([404, 'not_found'])
  }
  const own = await service.client.ask('POST', '/v1/nodes/south/tasks/pull', { token: nodes.south.apiKey, body: {} })
  expect(own.status).toBe(200)
})

test('after many wrong tokens an address waits, and who was right before does not', async () => {
  expect((await service.admin('GET', '/v1/exceptions')).status).toBe(200)
  const statuses = new Set<number>()
  for (let i = 0; i < 30; i++)
    statuses.add((await service.client.ask('GET', '/v1/exceptions', { token: `guess-${i}` })).status)
  expect(statuses).toEqual(new Set([401, 429]))
  expect((await service.admin('GET', '/v1/exceptions')).status).toBe(200)
})

test('the open paths need no token', async () => {
  for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json']) {
    expect((await service.client.ask('GET', path)).status, path).toBe(200)
  }
})
