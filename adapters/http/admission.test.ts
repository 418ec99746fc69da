import { describe, expect, test } from 'vitest'
import type { Authenticate } from './admission.ts'
import { attempts } from './attempts.ts'
import { ApiError } from './errors.ts'
import { ask, authenticate, north, routes } from './json-testing.ts'
import { sha256 } from './secrets.ts'
import { talk, withServer } from './testing.ts'

describe('who may', () => {
  const q = '{"quantity":1}'
  test.each([
    ['no token', north, undefined, 401, 'unauthorized'],
    ['a wrong token', north, 'wrong', 401, 'unauthorized'],
    ['the operator’s token at a node’s path', north, 'admin-secret', 401, 'unauthorized'],
    ['a node’s token at an operator’s path', '/csv/a', 'key-of-north-0123', 401, 'unauthorized'],
    ['another node’s key', north, 'key-of-south-0123', 404, 'not_found'],
    ['another node’s key, at a node that is not', '/v1/nodes/none/things', 'key-of-south-0123', 404, 'not_found'],
  ])('%s → %i', async (_, path, token, status, code) => {
    await withServer({ routes, authenticate }, async (_server, origin) => {
      const told = await ask(origin, path, q, token)
      expect([told.status, told.body.error?.code]).toEqual([status, code])
      expect(told.headers['www-authenticate']).toBe(status === 401 ? 'Bearer' : undefined)
    })
  })

  test.each(['Basic abc', 'Bearer', 'Bearer ', 'Bearer a b', `Bearer ${'x'.repeat(513)}`])(
    'header %.20s → 401',
    async (header) => {
      await withServer({ routes, authenticate }, async ({ port }) => {
        const head = `POST /csv/a HTTP/1.1\r\nhost: t\r\nauthorization: ${header}\r\n`
        expect(await talk(port, `${head}content-length: 2\r\n\r\n{}`)).toContain('HTTP/1.1 401 ')
      })
    },
  )

  test('after too many wrong tokens: 429 with Retry-After; who was right lately is still let in', async () => {
    const limiter = attempts((token) => sha256(token).toString('hex'), {
      burst: 3,
      perSecond: 0.1,
      addressesMax: 10,
      provenMax: 10,
    })
    let nowMs = 1_000_000
    await withServer({ routes, authenticate, attempts: limiter, now: () => nowMs }, async (_, origin) => {
      expect((await ask(origin, north, q, 'key-of-north-0123')).status).toBe(200)
      for (let i = 0; i < 3; i++) expect((await ask(origin, north, q, `wrong-${i}`)).status).toBe(401)
      const locked = await ask(origin, north, q, 'wrong-3')
      expect([locked.status, locked.body.error?.code, locked.headers['retry-after']]).toEqual([
        429,
        'too_many_attempts',
        '10',
      ])
      expect((await ask(origin, '/csv/a', 'x', 'admin-secret')).status).toBe(429)
      expect((await ask(origin, north, q, 'key-of-north-0123')).status).toBe(200)
      nowMs += 10_000
      expect((await ask(origin, '/csv/a', 'x', 'admin-secret')).status).toBe(200)
    })
  })

  test('wrong tokens sent at once are looked up no oftener than one after the other', async () => {
    let lookUps = 0
    const slow: Authenticate = async () => {
      lookUps += 1
      await new Promise((resolve) => setTimeout(resolve, 50))
      return null
    }
    const limiter = attempts((token) => token, { burst: 3, perSecond: 0.001, addressesMax: 10, provenMax: 10 })
    await withServer({ routes, authenticate: slow, attempts: limiter }, async (_, origin) => {
      const told = await Promise.all(Array.from({ length: 50 }, (_, i) => ask(origin, north, q, `wrong-${i}`)))
      expect(told.filter(({ status }) => status === 429).length).toBe(47)
      expect(lookUps).toBe(3)
    })
  })

  test('right tokens sent at once to a service that knows nobody yet wait for each other and are all let in', async () => {
    const slow: Authenticate = async (kind, token, params) => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return await authenticate(kind, token, params)
    }
    const limiter = attempts((token) => token, { burst: 3, perSecond: 0.001, addressesMax: 10, provenMax: 10 })
    await withServer({ routes, authenticate: slow, attempts: limiter }, async (_, origin) => {
      const told = await Promise.all(Array.from({ length: 50 }, () => ask(origin, north, q, 'key-of-north-0123')))
      expect(new Set(told.map(({ status }) => status))).toEqual(new Set([200]))
    })
  })

  test('the one who asks is asked before the body is kept', async () => {
    const sync: Authenticate = () => null
    await withServer({ routes, authenticate: sync, bodyBytesMax: 10 }, async (_, origin) => {
      expect((await ask(origin, '/csv/a', 'x'.repeat(1000), 'wrong')).status).toBe(401)
    })
  })

  test('the key store being away is not a wrong key', async () => {
    const away: Authenticate = async () => {
      throw new ApiError('try_again')
    }
    await withServer({ routes, authenticate: away }, async (_, origin) => {
      expect((await ask(origin, '/csv/a', 'x', 'admin-secret')).status).toBe(503)
    })
  })
})
