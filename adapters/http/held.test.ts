/** What all requests hold together is bounded, and the slow ones give way to the quick. */
import { describe, expect, test } from 'vitest'
import { fc } from '../../router/testing/seed.ts'
import { connectionsMax } from './connections-max.ts'
import { Held, type Holder, patience } from './held.ts'
import { isWhole, post, raw, rawSocket, size, talk, text, withServer } from './testing.ts'

test('whatever comes and goes: the sum is right, the limit kept by all but handlers, nobody asked twice', () => {
  const step = fc.record({
    who: fc.nat(7),
    bytes: fc.nat(60),
    patience: fc.constantFrom(...patience),
    goes: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const held = new Held(100)
      const parts = new Map<number, { bytes: number; patience: string }>()
      const gone: number[] = []
      const holders = Array.from({ length: 8 }, (_, who): Holder => ({ giveWay: () => void gone.push(who) }))
      for (const { who, bytes, patience, goes } of steps) {
        gone.length = 0
        if (goes) held.delete(holders[who]!)
        else held.set(holders[who]!, bytes, patience)
        if (goes) parts.delete(who)
        else parts.set(who, { bytes, patience })
        expect(new Set(gone).size).toBe(gone.length)
        for (const each of gone) {
          expect(parts.get(each)?.patience).not.toBe('never')
          parts.delete(each)
        }
        const sum = (list: readonly { bytes: number }[]) => list.reduce((total, part) => total + part.bytes, 0)
        expect(held.bytes).toBe(sum([...parts.values()]))
        if (held.bytes > 100) expect([...parts.values()].every((part) => part.patience === 'never')).toBe(true)
      }
    }),
  )
})

test('strangers go before readers, those before callers; the oldest of each first', () => {
  const held = new Held(10)
  const gone: string[] = []
  const add = (name: string, how: (typeof patience)[number]) =>
    held.set({ giveWay: () => void gone.push(name) }, 2, how)
  add('caller', 'caller')
  add('reader', 'reader')
  add('first stranger', 'stranger')
  add('second stranger', 'stranger')
  add('handler', 'never')
  for (let more = 0; more < 4; more++) add(`handler ${more}`, 'never')
  expect(gone).toEqual(['first stranger', 'second stranger', 'reader', 'caller'])
})

describe('sockets', () => {
  const half = (bytes: number) =>
    `POST /size HTTP/1.1\r\nhost: t\r\ncontent-length: ${bytes * 2}\r\n\r\n${'x'.repeat(bytes)}`

  test('unfinished bodies give way, the oldest first, and quick ones are served all the while', async () => {
    await withServer({ routes: [size], heldBytesMax: 100_000 }, async (server) => {
      const slow = Array.from({ length: 8 }, () => rawSocket(server.port))
      for (const [at, socket] of slow.entries()) {
        socket.write(half(30_000))
        while (server.inFlight() < Math.min(3, at + 1)) await new Promise((resolve) => setImmediate(resolve))
        expect(await talk(server.port, post('/size', 'x'.repeat(20_000)))).toContain('HTTP/1.1 200 ')
      }
      expect(server.heldBytes()).toBeLessThanOrEqual(100_000)
      const answers = await Promise.all(slow.slice(0, 5).map((socket) => socket.closed()))
      for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 503 [\s\S]*"try_again"/)
      for (const socket of slow) socket.socket.destroy()
      while (server.inFlight() > 0) await new Promise((resolve) => setImmediate(resolve))
      expect(server.heldBytes()).toBe(0)
    })
  })

  test('a byte a chunk holds about as much as was sent', async () => {
    await withServer({ routes: [size] }, async (server) => {
      const sockets = Array.from({ length: 20 }, () => rawSocket(server.port))
      for (const { socket } of sockets) socket.setNoDelay(true)
      for (const socket of sockets) socket.write(half(1))
      while (server.inFlight() < 20) await new Promise((resolve) => setImmediate(resolve))
      for (const socket of sockets) socket.write('')
      expect(server.heldBytes()).toBeLessThan(20 * 4_096)
      for (const socket of sockets) socket.socket.destroy()
    })
  })

  const large = raw('GET', '/large', () => text('y'.repeat(16 * 1024 * 1024)))
  const get = 'GET /large HTTP/1.1\r\nhost: t\r\n\r\n'

  test('an answer that nobody reads is not held for ever', async () => {
    await withServer({ routes: [large, size], bodyMsMax: 50 }, async (server) => {
      const reader = rawSocket(server.port)
      reader.socket.pause()
      reader.write(get)
      while (server.heldBytes() === 0) await new Promise((resolve) => setImmediate(resolve))
      expect(server.heldBytes()).toBe(16 * 1024 * 1024)
      while (server.inFlight() > 0) await new Promise((resolve) => setTimeout(resolve, 5))
      expect(server.heldBytes()).toBe(0)
      reader.socket.destroy()
    })
  })

  test('answers that nobody reads give way to quick callers', async () => {
    await withServer({ routes: [large, size], heldBytesMax: 40 * 1024 * 1024 }, async (server) => {
      const readers = Array.from({ length: 6 }, () => rawSocket(server.port))
      for (const reader of readers) {
        reader.socket.pause()
        reader.write(get)
      }
      while (server.heldBytes() < 32 * 1024 * 1024) await new Promise((resolve) => setImmediate(resolve))
      expect(await talk(server.port, post('/size', 'abc'))).toContain('HTTP/1.1 200 ')
      expect(server.heldBytes()).toBeLessThanOrEqual(40 * 1024 * 1024)
      for (const reader of readers) reader.socket.destroy()
    })
  })

  test('more requests than the limit are told to try again, in their own words', async () => {
    const refuse = () => text('later, please', 503)
    const route = raw('POST', '/hook', ({ body }) => text(String(body.length)), { refuse })
    await withServer({ routes: [route], requestsMax: 2 }, async (server) => {
      const open = Array.from({ length: 2 }, () => rawSocket(server.port))
      for (const socket of open) socket.write('POST /hook HTTP/1.1\r\nhost: t\r\ncontent-length: 3\r\n\r\na')
      while (server.inFlight() < 2) await new Promise((resolve) => setImmediate(resolve))
      expect(await talk(server.port, post('/hook', 'abc'))).toMatch(/ 503 [\s\S]*later, please$/)
      open[0]!.write('bc')
      expect(await open[0]!.until(isWhole)).toContain(' 200 ')
      expect(await talk(server.port, post('/hook', 'abc'))).toContain(' 200 ')
      for (const socket of open) socket.socket.destroy()
    })
  })

  test('more connections than the limit are hung up on; when others go there is room again', async () => {
    await withServer({ routes: [size], connectionsMax: 3 }, async (server) => {
      const taken = Array.from({ length: 3 }, () => rawSocket(server.port))
      for (const socket of taken) {
        socket.write(post('/size', 'abc'))
        await socket.until(isWhole)
      }
      const more = rawSocket(server.port)
      more.write(post('/size', 'abc'))
      expect(await more.closed()).toBe('')
      taken[0]!.socket.destroy()
      while (server.connections() > 2) await new Promise((resolve) => setImmediate(resolve))
      expect(await talk(server.port, post('/size', 'abc'))).toContain(' 200 ')
      for (const socket of taken) socket.socket.destroy()
    })
  })
})

test.each([
  ['Max open files            1024                 4096                 files', 768],
  ['Max open files            1048576              1048576              files', 16_384],
  ['Max open files            unlimited            unlimited            files', 16_384],
  ['Max open files            100                  100                  files', 64],
  ['', 16_384],
])('%s → %i connections', (limits, expected) => {
  expect(connectionsMax(`Limit  Soft Limit  Hard Limit  Units\n${limits}\n`)).toBe(expected)
})
