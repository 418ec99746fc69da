/** Connections over time: callers that dawdle or leave, many at once, and the server's own end. */
import { Agent, fetch, Pool } from 'undici'
import { describe, expect, test } from 'vitest'
import { ListenError, serve } from './server.ts'
import { gate, isWhole, later, post, raw, rawSocket, size, talk, text, withServer } from './testing.ts'

describe('callers that dawdle or leave', () => {
  test('a body that does not come: 408 and hung up', async () => {
    await withServer({ routes: [size], bodyMsMax: 50 }, async (server) => {
      const socket = rawSocket(server.port)
      socket.write('POST /size HTTP/1.1\r\nhost: t\r\ncontent-length: 100\r\n\r\nabc')
      expect(await socket.closed()).toMatch(/^HTTP\/1.1 408 [\s\S]*connection: close[\s\S]*"body_too_slow"/i)
      expect(server.inFlight()).toBe(0)
    })
  })

  test('hanging up in the middle of a body: the handler is never asked', async () => {
    let asked = 0
    const route = raw('POST', '/x', () => {
      asked++
      return text('')
    })
    await withServer({ routes: [route] }, async (server) => {
      const socket = rawSocket(server.port)
      socket.write('POST /x HTTP/1.1\r\nhost: t\r\ncontent-length: 100\r\n\r\nabc')
      while (server.inFlight() === 0) await new Promise((resolve) => setImmediate(resolve))
      socket.socket.destroy()
      while (server.inFlight() > 0) await new Promise((resolve) => setImmediate(resolve))
      expect(asked).toBe(0)
    })
  })

  test('hanging up while the handler works: its answer goes nowhere, and it counts until it is back', async () => {
    const { arrive, arrived, open, opened } = gate()
    const route = raw('POST', '/x', async () => {
      arrive()
      await opened
      return text('')
    })
    await withServer({ routes: [route] }, async (server) => {
      const socket = rawSocket(server.port)
      socket.write(post('/x', ''))
      await arrived
      socket.socket.destroy()
      expect(await talk(server.port, post('/size', ''))).toContain(' 404 ')
      expect(server.inFlight()).toBe(1)
      open()
      while (server.inFlight() > 0) await new Promise((resolve) => setImmediate(resolve))
    })
  })
})

describe('connections', () => {
  test('requests in one packet are answered in their order', async () => {
    await withServer({ routes: [size] }, async ({ port }) => {
      const socket = rawSocket(port)
      const sizes = Array.from({ length: 50 }, (_, i) => i + 1)
      socket.write(sizes.map((n) => post('/size', 'x'.repeat(n))).join(''))
      const all = await socket.until((got) => got.endsWith('\r\n\r\n50'))
      expect(
        all
          .split('HTTP/1.1 200 OK')
          .slice(1)
          .map((answer) => Number(answer.split('\r\n\r\n')[1])),
      ).toEqual(sizes)
      socket.socket.destroy()
    })
  })

  test('1,000 keep-alive connections, three rounds each', async () => {
    await withServer({ routes: [later] }, async (server, origin) => {
      const pool = new Pool(origin, { connections: 1000 })
      for (let round = 0; round < 3; round++) {
        const bodies = await Promise.all(
          Array.from({ length: 1000 }, async (_, i) => {
            const { body } = await pool.request({ method: 'POST', path: '/later', body: `${round} ${i}` })
            return Buffer.from(await body.text(), 'hex').toString()
          }),
        )
        expect(bodies).toEqual(Array.from({ length: 1000 }, (_, i) => `${round} ${i}`))
      }
      expect(server.inFlight()).toBe(0)
      await pool.destroy()
    })
  })
})

describe('listening and closing', () => {
  test('a port in use is an error, unless both share it', async () => {
    const options = { host: '127.0.0.1', routes: [size] }
    const first = await serve({ ...options, port: 0 })
    await expect(serve({ ...options, port: first.port })).rejects.toThrow(ListenError)
    await expect(serve({ ...options, port: first.port, sharePort: true })).rejects.toThrow(ListenError)
    await first.close()
    const shared = await serve({ ...options, port: first.port, sharePort: true })
    const other = await serve({ ...options, port: first.port, sharePort: true })
    await Promise.all([shared.close(), other.close()])
  })

  test('a host that is not ours is an error', async () => {
    await expect(serve({ host: '203.0.113.1', port: 0, routes: [] })).rejects.toMatchObject({ code: 'cannot_listen' })
  })

  test('what runs is finished, what comes meanwhile is refused, then nothing answers', async () => {
    const { arrive, arrived, open, opened } = gate()
    const slow = raw('POST', '/slow', async () => {
      arrive()
      await opened
      return text('finished')
    })
    const server = await serve({ host: '127.0.0.1', port: 0, routes: [slow, size] })
    const origin = `http://127.0.0.1:${server.port}`
    const idle = rawSocket(server.port)
    idle.write(post('/size', 'a'))
    await idle.until(isWhole)
    const running = fetch(`${origin}/slow`, { method: 'POST', dispatcher: new Agent() })
    await arrived
    const closed = server.close()
    idle.write(post('/size', 'b'))
    expect(await idle.closed()).toMatch(/HTTP\/1.1 503 [\s\S]*"shutting_down"/)
    await expect(fetch(`${origin}/size`, { method: 'POST', dispatcher: new Agent() })).rejects.toThrow()
    open()
    const answer = await running
    expect([answer.headers.get('connection'), await answer.text()]).toEqual(['close', 'finished'])
    await closed
    expect(server.inFlight()).toBe(0)
  })

  test('a handler that does not come back does not hold the deadline up', async () => {
    const { arrive, arrived } = gate()
    const stuck = raw('POST', '/stuck', () => {
      arrive()
      return new Promise(() => undefined)
    })
    const server = await serve({ host: '127.0.0.1', port: 0, routes: [stuck] })
    const socket = rawSocket(server.port)
    socket.write(post('/stuck', ''))
    await arrived
    await server.close(20)
    expect(await socket.closed()).toBe('')
  })
})
