/** Bad input to every endpoint: a clear 4xx in our error shape, never a 5xx, nothing half done, the process up. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postStock } from '../../adapters/store/stock/stock.ts'
import { onHandMax } from '../../router/posting.ts'
import { errorCodeOf, type Told } from './testing/client.ts'
import { exampleOf, operations } from './testing/examples.ts'
import { nodes } from './testing/network.ts'
import { adminToken, startTestService, type TestService } from './testing/service.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
  await service.goods('example', { east: 5 })
})
afterAll(async () => {
  expect(await service.audit()).toEqual([])
  await service.close()
})

const withBody = operations.filter(({ name }) => exampleOf(name).body !== undefined && name !== 'postBill')

async function ask(name: string, body: string | Buffer | undefined, path = exampleOf(name).path): Promise<Told> {
  const operation = operations.find((o) => o.name === name)!
  const token = operation.auth === 'admin' ? adminToken : nodes.east.apiKey
  return await service.client.ask(operation.method, path, { token, ...(body === undefined ? {} : { raw: body }) })
}

/** Refused, for a reason that we name; `what` is only for the message. */
function expectClear(told: Told, what: string): void {
  expect([what, told.status >= 400 && told.status < 500]).toEqual([what, true])
  expect(errorCodeOf(told)).toMatch(/^[a-z_]+$/)
}

const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`

describe.each(withBody)('$name', ({ name }) => {
  test.each([
    ['nothing', ''],
    ['a cut-off object', '{"a":'],
    ['two values', '{} {}'],
    ['a comment', '/* */{}'],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['null', 'null'],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['a number', '1e999'],
    ['deep nesting', deep(1000)],
    ['very deep nesting', '['.repeat(100_000)],
    ['an unknown field', '{"unknown":1}'],
    ['__proto__', '{"__proto__":{"fence":1,"kind":"add"}}'],
  ] as const)('%s', async (what, body) => {
    expectClear(await ask(name, body), what)
  })

  test('each field in turn of a wrong kind', async () => {
    const { body } = exampleOf(name)
    for (const { where, text } of mutations(JSON.parse(body!))) {
      const told = await ask(name, text)
      const what = `${name} ${where}: ${told.status} ${told.text.slice(0, 200)}`
      expect(told.status, what).toBeLessThan(500)
      if (told.status >= 400) expect(errorCodeOf(told), what).toMatch(/^[a-z_]+$/)
    }
  }, 180_000)

  test('each field that counts: negative, fractional, beyond 2^53, as text', async () => {
    const { body } = exampleOf(name)
    for (const { where, at } of counts(JSON.parse(body!))) {
      for (const number of [
        '-1',
        '0.5',
        '1e400',
        '-0.1',
        '9007199254740993',
        '123456789012345678901234567890',
        '"1"',
        'true',
      ]) {
        // A preference or a correction may be negative.
        if (
          number === '-1' &&
          /priority|preferenceFen|lines\.0\.quantity/.test(where) &&
          name !== 'shipTask' &&
          name !== 'rejectTask'
        )
          continue
        if (/\.(lat|lng|kmMax)$/.test(where) && ['0.5', '-0.1', '-1'].includes(number)) continue
        const told = await ask(name, at(number))
        expect([where, number, told.status, told.status === 400 && errorCodeOf(told)]).toEqual([
          where,
          number,
          400,
          'invalid_request',
        ])
      }
    }
  })
})

describe('unknown ids', () => {
  test.each([
    ['GET', '/v1/orders/tmall/nobody/1', 404],
    ['POST', '/v1/orders/tmall/nobody/1/approve', 404],
    ['POST', '/v1/orders/tmall/nobody/1/release', 404],
    ['POST', '/v1/orders/tmall/nobody/1/cancel', 404],
    ['GET', '/v1/orders/pinduoduo/x/1', 400],
    ['GET', '/v1/orders?state=lost', 400],
    ['GET', '/v1/orders?cursor=x', 400],
    ['GET', '/v1/orders?cursor=999999999999999999999', 400],
    ['GET', '/v1/orders?limit=0', 400],
    ['GET', '/v1/orders?limit=501', 400],
    ['GET', '/v1/orders?limit=1e2', 400],
    ['GET', '/v1/orders?unknown=1', 400],
    ['GET', '/v1/stock', 400],
    ['GET', '/v1/stock?sku=', 400],
    ['GET', '/v1/exceptions?cursor=x', 400],
    ['GET', '/v1/exceptions?cursor=99999999999999999999999999', 400],
    ['GET', '/v1/exceptions?kind=Robert%27);%20drop', 400],
    ['GET', '/v1/exceptions?kind=%', 400],
    ['GET', '/v1/orders/tmall/%ff/1', 400],
    ['GET', `/v1/orders/tmall/x/${'9'.repeat(65)}`, 400],
    ['GET', '/v1/orders/tmall/x/%00', 400],
    ['GET', '/v1/orders/tmall/%7Bx%7D/1', 400],
    ['POST', '/v1/nodes/nowhere/stock', 404],
    ['PUT', '/v1/carriers/dhl/x', 404],
    ['POST', '/v1/bills/alipay/x', 400],
    ['DELETE', '/v1/orders/tmall/x/1', 405],
    ['GET', '/v1/nothing', 404],
    ['GET', '/v1/orders/tmall/x/1/2', 404],
  ] as const)('%s %s: %i', async (method, path, status) => {
    const bodies: Record<string, unknown> = {
      '/v1/nodes/nowhere/stock': { ref: 'r', kind: 'add', lines: [{ sku: 'example', quantity: 1 }] },
      '/v1/carriers/dhl/x': { salt: 'x' },
    }
    const told = await service.admin(method, path, method === 'GET' ? undefined : (bodies[path] ?? {}))
    expect([told.status, errorCodeOf(told).length > 0]).toEqual([status, true])
  })

  test('of tasks', async () => {
    for (const name of ['acceptTask', 'shipTask', 'rejectTask', 'extendTask', 'interceptTask']) {
      const told = await ask(name, exampleOf(name).body)
      expect([name, told.status, errorCodeOf(told)]).toEqual([name, 404, 'not_found'])
      const odd = await ask(name, exampleOf(name).body, exampleOf(name, "1'; drop table task; --").path)
      expect([name, odd.status, errorCodeOf(odd)]).toEqual([name, 400, 'invalid_request'])
    }
  })
})

describe('bills', () => {
  const header = 'ref,channel,shop,orderId,kind,amountFen,feeFen,occurredAt'
  test.each([
    ['empty', ''],
    ['no CSV', '{"a":1}'],
    ['no header', 'r1,tmall,s,1,payment,1,0,1700000000000'],
    ['a negative amount', `${header}\nr1,tmall,s,1,payment,-1,0,1700000000000\n`],
    ['a fraction', `${header}\nr1,tmall,s,1,payment,1.5,0,1700000000000\n`],
    ['beyond 2^53', `${header}\nr1,tmall,s,1,payment,9007199254740993,0,1700000000000\n`],
    ['an unknown kind', `${header}\nr1,tmall,s,1,gift,1,0,1700000000000\n`],
    ['an unknown channel', `${header}\nr1,pdd,s,1,payment,1,0,1700000000000\n`],
    ['an odd instant', `${header}\nr1,tmall,s,1,payment,1,0,yesterday\n`],
    ['a missing cell', `${header}\nr1,tmall\n`],
    ['an open quote', `${header}\n"r1,tmall,s,1,payment,1,0,1700000000000\n`],
    ['one bad row among good ones', `${header}\nr1,tmall,s,1,payment,1,0,1700000000000\nr2,tmall,s,1,payment,x,0,1\n`],
    ['not UTF-8', Buffer.from([0xff, 0xfe, 0x00, 0x41])],
  ] as const)('%s: refused whole', async (what, csv) => {
    for (const source of ['generic', 'wechatpay']) {
      const told = await ask('postBill', csv, `/v1/bills/${source}/main`)
      expectClear(told, what)
    }
    expect(await service.sql`select ref from bill_row`).toEqual([])
  })
})

test('stock beyond what a row holds is refused, with what there is left alone', async () => {
  const most = { node: 'east', ref: 'most', kind: 'set', bodyHash: Buffer.alloc(0) } as const
  await postStock(service.sql, { ...most, lines: [{ sku: 'example', quantity: onHandMax }] })
  const add = (quantity: number) =>
    service.admin('POST', '/v1/nodes/east/stock', {
      ref: `${quantity}`,
      kind: 'add',
      lines: [{ sku: 'example', quantity }],
    })
  const refused = await add(1)
  expect([refused.status, errorCodeOf(refused)]).toEqual([409, 'conflict'])
  expect(refused.text).toContain('lines: more than 1000000000 on hand of example')
  expect((await service.stock('example')).east?.onHand).toBe(onHandMax)
  expect((await add(-7)).status).toBe(200)
  await service.sweep()
})

test('after all that the process is up and takes orders', async () => {
  expect((await service.client.ask('GET', '/readyz')).status).toBe(200)
  expect(service.logs.filter((line) => JSON.parse(line).level >= 50)).toEqual([])
})

/** The body with one value after the other replaced by things that it is not. */
function* mutations(body: unknown): Generator<{ where: string; text: string }> {
  const junk = [
    'null',
    '-1',
    '0.5',
    '9007199254740993',
    '1e400',
    '""',
    `"${'x'.repeat(70_000)}"`,
    'true',
    '[]',
    '{}',
    '"\\u0000"',
    '"\\ud800"',
    '"{x}"',
  ]
  for (const { where, at } of places(body))
    for (const text of junk) yield { where: `${where}=${text.slice(0, 30)}`, text: at(text) }
}

function* counts(body: unknown): Generator<Place> {
  for (const place of places(body)) if (typeof place.value === 'number') yield place
}

interface Place {
  readonly where: string
  readonly value: unknown
  /** The whole body as text, with this value replaced by a text. */
  readonly at: (replacement: string) => string
}

function* places(body: unknown): Generator<Place> {
  const mark = 'ЖmarkЖ'
  function* walk(value: unknown, where: string, put: (replacement: unknown) => unknown): Generator<Place> {
    yield { where, value, at: (text) => JSON.stringify(put(mark)).replace(`"${mark}"`, () => text) }
    if (Array.isArray(value)) {
      for (const [i, entry] of value.entries()) {
        yield* walk(entry, `${where}.${i}`, (r) => put(value.map((old, j) => (i === j ? r : old))))
      }
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, entry] of Object.entries(value)) {
        yield* walk(entry, `${where}.${key}`, (r) => put({ ...value, [key]: r }))
      }
    }
  }
  yield* walk(body, 'body', (r) => r)
}
