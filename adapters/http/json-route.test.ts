import { Pool } from 'undici'
import { describe, expect, test } from 'vitest'
import { fc, runs } from '../../router/testing/seed.ts'
import { ApiError, errorCodes, errorTable } from './errors.ts'
import { ask, authenticate, deep, fails, free, north, routes, type Told } from './json-testing.ts'
import { implement, ok } from './route.ts'
import { talk, withServer } from './testing.ts'

describe('what reaches the handler', () => {
  test('typed parameters, query with defaults, body, and who calls', async () => {
    await withServer({ routes, authenticate }, async (_, origin) => {
      expect(await ask(origin, north, '{"quantity":3}', 'key-of-north-0123')).toMatchObject({
        status: 200,
        body: { node: '华北/1', limit: 50, quantity: 3 },
        headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
      })
      const { body } = await ask(origin, `${north}?limit=7`, '\uFEFF{"quantity":1.0e0}', 'key-of-north-0123')
      expect(body).toMatchObject({ limit: 7, quantity: 1 })
      expect((await ask(origin, '/csv/a', Buffer.from([0xff, 0xfe]), 'admin-secret')).body).toEqual({ bytes: 2 })
    })
  })
})

describe('what does not', () => {
  const q = '{"quantity":1}'
  test.each([
    // path, body, code, message
    [north, '', 'malformed_json', 'empty'],
    [north, '  ', 'malformed_json', 'empty'],
    [north, '{', 'malformed_json', 'not JSON'],
    [north, "{'quantity':1}", 'malformed_json', 'not JSON'],
    [north, 'quantity=1', 'malformed_json', 'not JSON'],
    [north, '{"quantity":1}x', 'malformed_json', 'not JSON'],
    [north, '{"quantity":NaN}', 'malformed_json', 'not JSON'],
    [north, Buffer.from('{"name":"\xff"}', 'latin1'), 'malformed_json', 'UTF-8'],
    [north, 'null', 'invalid_request', 'body: expected an object'],
    [north, '[]', 'invalid_request', 'body: expected an object'],
    [north, '{}', 'invalid_request', 'body.quantity: expected a number of at most 15 digits'],
    [north, '{"quantity":"3"}', 'invalid_request', 'body.quantity: expected a number of at most 15 digits'],
    [
      north,
      '{"quantity":9007199254740993}',
      'invalid_request',
      'body.quantity: expected a number of at most 15 digits',
    ],
    [north, '{"quantity":99999999999999999999}', 'invalid_request', 'body.quantity: expected a number of at most 15'],
    [north, '{"quantity":1e400}', 'invalid_request', 'body.quantity: expected a number of at most 15 digits'],
    [north, '{"quantity":1.5}', 'invalid_request', 'body.quantity: expected an integer of at most 15 digits'],
    [north, '{"quantity":-1}', 'invalid_request', 'body.quantity: expected a number of at least 1'],
    [north, '{"quantity":-0}', 'invalid_request', 'body.quantity: expected a number of at least 1'],
    [north, '{"quantity":1000001}', 'invalid_request', 'body.quantity: expected a number of at most 1000000'],
    [north, '{"quantity":1,"secret":"sesame"}', 'invalid_request', 'body: unknown key secret'],
    [north, '{"quantity":1,"__proto__":{}}', 'invalid_request', 'body: unknown key __proto__'],
    [north, '{"quantity":1,"name":"sesame sesame"}', 'invalid_request', 'body.name: expected a length of at most 10'],
    [north, '{"quantity":1,"kind":"sesame"}', 'invalid_request', 'body.kind: expected one of "set", "add"'],
    [`${north}?limit=0`, q, 'invalid_request', 'query.limit: expected a number of at least 1'],
    [`${north}?limit=501`, q, 'invalid_request', 'query.limit: expected a number of at most 500'],
    [`${north}?limit=`, q, 'invalid_request', 'query.limit: must be a whole number'],
    [`${north}?limit=1e1`, q, 'invalid_request', 'query.limit: must be a whole number'],
    [`${north}?limit=1&limit=2`, q, 'malformed_query', 'twice'],
    [`${north}?q=%`, q, 'malformed_query', 'percent-encoded'],
    [`${north}?q=%ff`, q, 'malformed_query', 'percent-encoded'],
    [`${north}?sesame=1`, q, 'invalid_request', 'query: unknown key sesame'],
    [`${north}?__proto__=1`, q, 'invalid_request', 'query: unknown key __proto__'],
    ['/free', '{"list":[{"n":1},{"n":"x"}]}', 'invalid_request', 'body.list[1].n: expected a number'],
    ['/free', deep(33), 'malformed_json', 'deeper than 32'],
    ['/free', '['.repeat(200_000), 'malformed_json', 'deeper than 32'],
    ['/free', '{"a":'.repeat(40_000), 'malformed_json', 'deeper than 32'],
    ['/free', `{"list":[${Array(9).fill('{}').join()}]}`, 'invalid_request', 'and 4 more'],
  ] as const)('%s %.40s → %s', async (path, body, code, message) => {
    await withServer({ routes, authenticate }, async (_, origin) => {
      const told = await ask(origin, path, body as string, 'key-of-north-0123')
      expect(told.body.error).toMatchObject({ code, message: expect.stringContaining(message) })
      expect(told.status).toBe(errorTable[code][0])
      // Keys are named, values never.
      expect(told.body.error!.message.replaceAll('key sesame', '')).not.toContain('sesame')
    })
  })

  test('brackets in strings do not nest, and 32 levels pass', async () => {
    await withServer({ routes, authenticate }, async (_, origin) => {
      for (const body of [deep(32), `{"any":"${'['.repeat(1000)}\\"[["}`]) {
        expect((await ask(origin, '/free', body)).status).toBe(200)
      }
    })
  })
})

describe('what handlers throw and answer', () => {
  test.each(errorCodes)('%s', async (code) => {
    const throwing = implement(fails, () => {
      throw new ApiError(code)
    })
    await withServer({ routes: [throwing] }, async ({ port }) => {
      const answer = await talk(port, 'GET /fails HTTP/1.1\r\nhost: t\r\n\r\n')
      const [status, advice] = errorTable[code]
      expect(answer).toContain(`HTTP/1.1 ${status} `)
      expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toEqual({ error: { code, message: advice } })
    })
  })

  test('an answer against its own schema is found by tests', async () => {
    const wrong = implement(free, () => ok({ ok: 'yes' as unknown as boolean }))
    await withServer({ routes: [wrong] }, async (_, origin) => {
      expect((await ask(origin, '/free', '{}')).status).toBe(500)
    })
  })

  test('whoever waits learns that its caller left, or that the server closes', async () => {
    let arrive: (signal: AbortSignal) => void = () => undefined
    const waits = implement(free, async ({ signal }) => {
      arrive(signal)
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      return ok({ ok: true })
    })
    await withServer({ routes: [waits] }, async (server, origin) => {
      const arrived = new Promise<AbortSignal>((resolve) => {
        arrive = resolve
      })
      const pool = new Pool(origin)
      const hangUp = new AbortController()
      const asked = pool.request({ method: 'POST', path: '/free', body: '{}', signal: hangUp.signal }).catch(() => null)
      const signal = await arrived
      expect(signal.aborted).toBe(false)
      hangUp.abort()
      await asked
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))

      const second = new Promise<AbortSignal>((resolve) => {
        arrive = resolve
      })
      const answered = ask(origin, '/free', '{}')
      await second
      await server.close()
      expect((await answered).status).toBe(200)
      await pool.destroy()
    })
  })
})

test('whatever the body, never a 5xx and always our shape', async () => {
  const bodies = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json({ maxDepth: 6 }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc
      .record({ quantity: fc.oneof(fc.jsonValue(), fc.double(), fc.bigInt()), name: fc.jsonValue(), x: fc.jsonValue() })
      .map((value) =>
        JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? Number(v) : v)).replace('"x"', '"kind"'),
      ),
  )
  await withServer({ routes, authenticate }, async (server, origin) => {
    const pool = new Pool(origin, { connections: 4 })
    const headers = { authorization: 'Bearer key-of-north-0123' }
    await fc.assert(
      fc.asyncProperty(bodies, fc.constantFrom('/free', north), async (body, path) => {
        const answer = await pool.request({ method: 'POST', path, body, headers })
        const told = (await answer.body.json()) as Told['body']
        expect([200, 400]).toContain(answer.statusCode)
        if (answer.statusCode === 400) expect(told.error).toMatchObject({ code: expect.any(String) })
      }),
      { numRuns: runs(500) },
    )
    expect(server.inFlight()).toBe(0)
    await pool.close()
  })
})
