import { fetch, Pool } from 'undici'
import { describe, expect, test } from 'vitest'
import { fc, runs } from '../../router/testing/seed.ts'
import type { RawRequest } from './route.ts'
import { isWhole, later, post, raw, rawSocket, size, talk, text, withServer } from './testing.ts'

describe('what a raw handler gets', () => {
  test('method, decoded parameters, the query as sent, content type and the exact bytes', async () => {
    let seen: RawRequest | null = null
    const route = raw('POST', '/hooks/{channel}/{shop}', (request) => {
      seen = request
      return text('ok')
    })
    await withServer({ routes: [route] }, async (_, origin) => {
      const body = Uint8Array.from([0, 255, 254, 10, 13, 0])
      const path = '/hooks/tmall/%E6%97%97%E8%88%B0%2F1?sign=A%2BB&x=%E4%BD%A0&y='
      const answer = await fetch(origin + path, { method: 'POST', body, headers: { 'content-type': 'text/xml; x=1' } })
      expect(await answer.text()).toBe('ok')
      expect(seen).toMatchObject({
        method: 'POST',
        params: { channel: 'tmall', shop: '旗舰/1' },
        query: 'sign=A%2BB&x=%E4%BD%A0&y=',
        contentType: 'text/xml; x=1',
      })
      expect(Buffer.from(seen!.body)).toEqual(Buffer.from(body))
    })
  })

  test('bodies in any chunks arrive whole, and their memory is the handler’s own', async () => {
    const kept: Uint8Array[] = []
    const keep = raw('POST', '/keep', ({ body }) => {
      kept.push(body)
      return text('')
    })
    await withServer({ routes: [keep, later] }, async ({ port }, origin) => {
      const pool = new Pool(origin, { connections: 1 })
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { maxLength: 20 }),
          async (parts) => {
            const whole = Buffer.concat(parts)
            const { body } = await pool.request({
              method: 'POST',
              path: '/later',
              body: parts[Symbol.iterator]() as never,
            })
            expect(await body.text()).toBe(whole.toString('hex'))
          },
        ),
        { numRuns: runs(50) },
      )
      await pool.close()
      for (const letter of ['a', 'b']) await talk(port, post('/keep', letter.repeat(100)))
      expect(kept.map((body) => Buffer.from(body).toString())).toEqual(['a'.repeat(100), 'b'.repeat(100)])
      for (const body of kept) expect(body.buffer.byteLength).toBe(100)
    })
  })
})

describe('paths and methods', () => {
  const routes = [raw('GET', '/a/{x}', () => text('get')), raw('POST', '/a/{x}', () => text('post')), size]
  test.each([
    ['GET /nothing', 404, 'not_found', null],
    ['GET /', 404, 'not_found', null],
    ['GET /a', 404, 'not_found', null],
    ['GET /a/', 404, 'not_found', null],
    ['GET /a/b/', 404, 'not_found', null],
    ['GET //a/b', 404, 'not_found', null],
    ['PUT /a/b', 405, 'method_not_allowed', 'GET, POST'],
    ['OPTIONS /a/b', 405, 'method_not_allowed', 'GET, POST'],
    ['BREW /a/b', 405, 'method_not_allowed', 'GET, POST'],
    ['get /a/b', 405, 'method_not_allowed', 'GET, POST'],
    ['DELETE /size', 405, 'method_not_allowed', 'POST'],
    ['GET /a/%', 400, 'malformed_path', null],
    ['GET /a/%zz', 400, 'malformed_path', null],
    ['GET /a/%ff', 400, 'malformed_path', null],
    ['GET /a/x%00y', 400, 'malformed_path', null],
    ['GET /a/%ED%A0%80', 400, 'malformed_path', null],
    [`GET /a/${'x'.repeat(1025)}`, 400, 'malformed_path', null],
  ])('%s → %i', async (line, status, code, allow) => {
    await withServer({ routes }, async ({ port }) => {
      const answer = await talk(port, `${line} HTTP/1.1\r\nhost: t\r\n\r\n`)
      expect(answer).toContain(`HTTP/1.1 ${status} `)
      expect(answer).toContain(`{"error":{"code":"${code}","message":"`)
      expect(/^allow: (.*)\r$/im.exec(answer)?.[1] ?? null).toBe(allow)
    })
  })

  test('HEAD is answered without a body, and the connection stays in step', async () => {
    await withServer({ routes }, async ({ port }) => {
      const socket = rawSocket(port)
      socket.write('HEAD /a/b HTTP/1.1\r\nhost: t\r\n\r\n')
      const first = await socket.until((got) => got.includes('\r\n\r\n'))
      expect(first).toContain('HTTP/1.1 405 ')
      socket.write('GET /a/b HTTP/1.1\r\nhost: t\r\n\r\n')
      const both = await socket.until((got) => got.endsWith('get'))
      expect(both.slice(first.length)).toMatch(/^HTTP\/1.1 200 OK\r\n/)
      socket.socket.destroy()
    })
  })
})

describe('bodies that are too large', () => {
  const limited = { ...size, maxBodyBytes: 1000 }
  test.each([
    ['announced, one byte over', 1001],
    ['announced, a megabyte over', 1_000_000],
  ])('%s: 413, and the connection goes on', async (_, bytes) => {
    await withServer({ routes: [limited] }, async ({ port }) => {
      const socket = rawSocket(port)
      socket.write(post('/size', 'x'.repeat(bytes)))
      expect(await socket.until(isWhole)).toMatch(/^HTTP\/1.1 413 [\s\S]*"body_too_large"/)
      socket.write(post('/size', 'x'.repeat(1000)))
      expect(await socket.until((got) => got.endsWith('1000'))).toContain('HTTP/1.1 200 OK')
      socket.socket.destroy()
    })
  })

  test('chunked, never announced: 413 at its end, and the connection goes on', async () => {
    await withServer({ routes: [limited] }, async ({ port }) => {
      const socket = rawSocket(port)
      socket.write('POST /size HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n')
      for (let i = 0; i < 100; i++) socket.write(`400\r\n${'y'.repeat(1024)}\r\n`)
      socket.write('0\r\n\r\n')
      expect(await socket.until(isWhole)).toContain('HTTP/1.1 413 ')
      socket.write(post('/size', 'z'))
      expect(await socket.until((got) => got.endsWith('\r\n\r\n1'))).toContain('HTTP/1.1 200 OK')
      socket.socket.destroy()
    })
  })

  test('announced beyond what is worth reading: answered at once and hung up', async () => {
    await withServer({ routes: [limited] }, async ({ port }) => {
      const socket = rawSocket(port)
      socket.write('POST /size HTTP/1.1\r\nhost: t\r\ncontent-length: 9000000000\r\n\r\n')
      expect(await socket.closed()).toMatch(/^HTTP\/1.1 413 [\s\S]*"body_too_large"/)
    })
  })

  test('streamed without end: hung up after a few megabytes, none of which is kept', async () => {
    await withServer({ routes: [limited] }, async ({ port }) => {
      const socket = rawSocket(port)
      socket.write('POST /size HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n')
      const piece = `10000\r\n${'y'.repeat(65_536)}\r\n`
      const before = process.memoryUsage().arrayBuffers
      let sent = 0
      while (!socket.socket.destroyed && sent < 100_000_000) {
        if (!socket.socket.write(piece)) {
          await Promise.race([new Promise((resolve) => socket.socket.once('drain', resolve)), socket.closed()])
        }
        sent += piece.length
      }
      expect(sent).toBeLessThan(50_000_000)
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000)
    })
  })
})

describe('handlers that fail', () => {
  const throws = (): never => {
    throw new Error('secret detail')
  }
  const unsound = (answer: unknown) => raw('POST', '/x', () => answer as never)
  test('a failure that passes by itself: 503, try again', async () => {
    const away = raw('POST', '/x', async () => {
      throw Object.assign(new Error('secret detail'), { code: 'CONNECTION_CLOSED' })
    })
    const passes = (error: unknown) => (error as { code?: string }).code === 'CONNECTION_CLOSED'
    await withServer({ routes: [away], passes }, async ({ port }) => {
      const answer = await talk(port, post('/x', '{}'))
      expect(answer).toMatch(/^HTTP\/1.1 503 [\s\S]*"try_again"/)
      expect(answer).not.toContain('secret')
    })
  })

  test.each([
    ['throws', raw('POST', '/x', throws)],
    ['rejects', raw('POST', '/x', async () => throws())],
    ['gives nothing', unsound(undefined)],
    ['gives a wrong status', unsound({ status: 7, contentType: 'a', body: '' })],
    ['gives a body that is none', unsound({ status: 200, contentType: 'a', body: {} })],
    ['gives a header with a line break', unsound({ status: 200, contentType: 'a\r\nb: c', body: '' })],
  ])('%s: 500 without details, logged with its request id', async (_, route) => {
    const logged: Record<string, unknown>[] = []
    const log = { error: (fields: Record<string, unknown>) => void logged.push(fields) }
    await withServer({ routes: [route], log }, async (server) => {
      const answer = await talk(server.port, post('/x', '{}'))
      expect(answer).toMatch(/^HTTP\/1.1 500 [\s\S]*"internal"/)
      expect(answer).not.toContain('secret')
      expect(answer).toContain(String(logged[0]?.requestId))
      expect(logged).toHaveLength(1)
      expect(server.inFlight()).toBe(0)
    })
  })

  test('never settles: told to try again', async () => {
    const route = raw('POST', '/x', () => new Promise(() => undefined))
    await withServer({ routes: [route], answerMsMax: 50 }, async ({ port }) => {
      expect(await talk(port, post('/x', ''))).toMatch(/^HTTP\/1.1 503 [\s\S]*retry-after: 1\r\n[\s\S]*"try_again"/)
    })
  })

  test('errors before the handler are told in the caller’s own words', async () => {
    const refuse = (code: string, { shop }: Readonly<Record<string, string>>) => text(`no: ${shop} ${code}`, 503)
    const route = raw('POST', '/x/{shop}', throws, { refuse, maxBodyBytes: 10 })
    await withServer({ routes: [route] }, async ({ port }) => {
      expect(await talk(port, post('/x/s1', 'x'.repeat(11)))).toMatch(/no: s1 body_too_large$/)
      expect(await talk(port, post('/x/s1', 'x'))).toMatch(/no: s1 internal$/)
      expect(await talk(port, post('/x/%', 'x'))).toMatch(/no: undefined malformed_path$/)
    })
  })
})

test.each([
  ['1 byte', 1],
  ['16 KiB', 16_384],
  ['5 MB', 5_000_000],
])('an answer of %s reaches a reader that pauses', async (_, bytes) => {
  const body = Buffer.alloc(bytes, 'abcdefghij')
  const route = raw('GET', '/big', () => text(body))
  await withServer({ routes: [route] }, async (server) => {
    const socket = rawSocket(server.port)
    socket.socket.pause()
    socket.write('GET /big HTTP/1.1\r\nhost: t\r\n\r\n')
    while (bytes > 1_000_000 && server.inFlight() === 0) await new Promise((resolve) => setImmediate(resolve))
    socket.socket.resume()
    const answer = await socket.until(isWhole)
    expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toBe(body.toString('latin1'))
    expect(server.inFlight()).toBe(0)
    socket.socket.destroy()
  })
})
