/** What Redis does when it is not well, and what the caller is told. Each test has a server of its own. */
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ReserveRequest } from './counters.ts'
import { type NodeStock, reloadAll } from './reload-all.ts'
import { Stock } from './stock.ts'
import { type PrivateRedis, startPrivateRedis } from './testing.ts'

const epoch = 1
const request: ReserveRequest = { reservationId: 'r', node: 'n', lines: [{ sku: 'a', quantity: 4 }] }
const unavailable = { code: 'redis_unavailable', retryable: true, needsRecovery: false }
const doubted = { code: 'stock_doubted', retryable: true, needsRecovery: true }
const corrupt = { code: 'stock_corrupt', retryable: true, needsRecovery: true }

let server: PrivateRedis
let raw: Redis
let stock: Stock
beforeEach(async () => {
  server = await startPrivateRedis()
  raw = new Redis(server.socket)
  raw.on('error', () => {})
  stock = new Stock({ redis: server.socket, commandTimeoutMs: 300 })
  await stock.connect()
  await reloadAll({ redis: server.socket }, epoch, [nodeStock('n')])
})
afterEach(async () => {
  stock.close()
  raw.disconnect()
  await server.stop()
})

function nodeStock(node: string): NodeStock {
  return { node, seq: 0, rows: [{ sku: 'a', atp: 10 }] }
}
const reserve = (at = epoch) => stock.reserve(at, 0, [request])
/** Every kind of question, for what has to be refused alike. */
const questions: readonly [string, () => Promise<unknown>][] = [
  ['reserve', () => reserve()],
  ['confirm', () => stock.confirm(epoch, [request])],
  ['release', () => stock.release(epoch, [request])],
  ['apply', () => stock.apply(epoch, 'n', 1, [{ lines: [{ sku: 'a', delta: 1 }] }])],
  ['inspect', () => stock.inspect(epoch, 'n')],
]
/** Asks until the answer is another one than "Redis is away". */
async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if ((error as { code?: string }).code !== 'redis_unavailable') throw error
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

test('a restart, counters kept: doubted until every node was reloaded at a newer epoch', async () => {
  expect(await reserve()).toMatchObject([{ outcome: 'reserved' }])
  await server.restart()
  await expect(untilAnswered(reserve)).rejects.toMatchObject(doubted)
  for (const [, ask] of questions) await expect(ask()).rejects.toMatchObject(doubted)
  expect(await stock.scriptsLoaded()).toBe(false)

  // A reload alone does not end the doubt: other nodes may still hold what the crash left.
  expect(await stock.reload(epoch + 1, 'n', 0, [{ sku: 'a', atp: 6 }])).toMatchObject({ outcome: 'reloaded' })
  await expect(reserve(epoch + 1)).rejects.toMatchObject(doubted)

  const done = await reloadAll({ redis: server.socket }, epoch + 2, [nodeStock('n'), nodeStock('m')])
  expect(done).toEqual({ outcome: 'reloaded', nodes: 2, rows: 2 })
  expect(await stock.scriptsLoaded()).toBe(true)
  expect(await reserve()).toEqual([{ outcome: 'stale_epoch', currentEpoch: epoch + 2 }])
  expect(await reserve(epoch + 2)).toMatchObject([{ outcome: 'reserved', atp: [{ sku: 'a', atp: 6 }] }])
})

test('a restart in the middle of a recovery: the scripts are not loaded into the new process', async () => {
  const nodes = async function* () {
    yield nodeStock('n')
    await server.restart()
    yield nodeStock('m')
  }
  await expect(reloadAll({ redis: server.socket }, epoch + 1, nodes())).rejects.toMatchObject(unavailable)
  expect(await untilAnswered(() => stock.scriptsLoaded())).toBe(false)
  await expect(reserve(epoch + 1)).rejects.toMatchObject(doubted)
})

test('many nodes at once: all of them, or the first one that is overtaken', async () => {
  await raw.script('FLUSH')
  const many = Array.from({ length: 100 }, (_, i) => nodeStock(`many-${i}`))
  const done = await reloadAll({ redis: server.socket }, epoch + 1, many)
  expect(done).toEqual({ outcome: 'reloaded', nodes: 100, rows: 100 })
  const seen = await Promise.all(many.map(({ node }) => stock.inspect(epoch + 1, node)))
  for (const { outcome } of seen) expect(outcome).toBe('inspected')

  await raw.script('FLUSH')
  await stock.reload(epoch + 2, 'many-41', 0, [])
  const overtaken = await reloadAll({ redis: server.socket }, epoch + 2, many)
  expect(overtaken).toEqual({ outcome: 'stale_epoch', currentEpoch: epoch + 2, node: 'many-41' })
  expect(await stock.scriptsLoaded()).toBe(false)
})

test('a recovery that is overtaken does not load the scripts', async () => {
  await raw.script('FLUSH')
  const done = await reloadAll({ redis: server.socket }, epoch, [nodeStock('n')])
  expect(done).toEqual({ outcome: 'stale_epoch', currentEpoch: epoch, node: 'n' })
  expect(await stock.scriptsLoaded()).toBe(false)
})

test('SCRIPT FLUSH: doubted', async () => {
  await raw.script('FLUSH')
  for (const [, ask] of questions) await expect(ask()).rejects.toMatchObject(doubted)
})

test('scripts of another installation on the same Redis do not vouch for ours', async () => {
  await raw.script('FLUSH')
  await reloadAll({ redis: server.socket, keyPrefix: 'other:' }, epoch, [nodeStock('n')])
  await expect(reserve()).rejects.toMatchObject(doubted)
})

test('FLUSHALL: every question is refused as stale', async () => {
  await raw.flushall()
  for (const [verb, ask] of questions) {
    const stale = { outcome: 'stale_epoch', currentEpoch: null }
    expect([await ask()].flat(), verb).toEqual([stale])
  }
  expect(await raw.dbsize()).toBe(0)
})

describe('time-out', () => {
  test('is unknown; asked again it gives the first answer, and nothing was taken twice', async () => {
    await raw.client('PAUSE', 1_000, 'ALL')
    await expect(reserve()).rejects.toMatchObject(unavailable)
    expect(await untilAnswered(reserve)).toEqual([{ outcome: 'already_reserved', atp: [{ sku: 'a', atp: 6 }] }])
  })

  test('of one that never reached Redis: the second asking is the first', async () => {
    await raw.client('PAUSE', 1_000, 'ALL')
    await expect(reserve()).rejects.toMatchObject(unavailable)
    await server.restart()
    await expect(untilAnswered(reserve)).rejects.toMatchObject(doubted)
    await reloadAll({ redis: server.socket }, epoch + 1, [nodeStock('n')])
    expect(await reserve(epoch + 1)).toMatchObject([{ outcome: 'reserved' }])
  })
})

describe('away', () => {
  test('calls fail at once, and are not sent later', async () => {
    await server.stop()
    await expect(untilRefused()).resolves.toMatchObject(unavailable)
    for (const [, ask] of questions) await expect(ask()).rejects.toMatchObject(unavailable)
    await expect(stock.reload(epoch + 1, 'n', 0, [])).rejects.toMatchObject(unavailable)
    await expect(stock.scriptsLoaded()).rejects.toMatchObject(unavailable)
    server = await startPrivateRedis()
  })

  async function untilRefused(): Promise<unknown> {
    for (;;) {
      try {
        await reserve()
      } catch (error) {
        return error
      }
    }
  }

  test('connect says so', async () => {
    const nobody = new Stock({ redis: join(tmpdir(), 'pd-nobody-here.sock') })
    await expect(nobody.connect()).rejects.toMatchObject(unavailable)
    nobody.close()
  })

  test('something that accepts and never speaks: connect does not wait for ever', async () => {
    const path = `${server.socket}.mute`
    const mute = createServer(() => {}).listen(path)
    const waiting = new Stock({ redis: path, commandTimeoutMs: 100 })
    await expect(waiting.connect()).rejects.toMatchObject(unavailable)
    waiting.close()
    mute.close()
  })

  test('after close', async () => {
    stock.close()
    await expect(reserve()).rejects.toMatchObject(unavailable)
  })
})

describe('corruption is told, and changes nothing', () => {
  const spoils: [string, () => Promise<unknown>][] = [
    ['counters of a wrong type', () => raw.set('pd:{n}:atp', 'x')],
    ['records of a wrong type', () => raw.set('pd:{n}:held', 'x')],
    ['meta of a wrong type', () => raw.set('pd:{n}:meta', 'x')],
    ['a counter that is no number', () => raw.hset('pd:{n}:atp', 'a', 'x')],
    ['a counter that is a fraction', () => raw.hset('pd:{n}:atp', 'a', '1.5')],
    ['a counter that is infinite', () => raw.hset('pd:{n}:atp', 'a', 'inf')],
    ['a record without a time', () => raw.hset('pd:{n}:held', 'r', 'x')],
  ]
  test.each(spoils)('%s', async (_, spoil) => {
    await spoil()
    const keys = ['pd:{n}:atp', 'pd:{n}:held', 'pd:{n}:meta']
    const before = await Promise.all(keys.map((key) => raw.dump(key)))
    await expect(reserve()).rejects.toMatchObject(corrupt)
    expect(await Promise.all(keys.map((key) => raw.dump(key)))).toEqual(before)
  })

  test('seq is missing', async () => {
    await raw.hdel('pd:{n}:meta', 'seq')
    await expect(stock.apply(epoch, 'n', 1, [])).rejects.toMatchObject(corrupt)
    await expect(stock.inspect(epoch, 'n')).rejects.toMatchObject(corrupt)
  })
})

test('of several nodes one is corrupt: the call throws, and asked again the others answer as before', async () => {
  await stock.reload(epoch, 'm', 0, [{ sku: 'a', atp: 10 }])
  await raw.set('pd:{n}:atp', 'x')
  const other = { ...request, node: 'm' }
  await expect(stock.reserve(epoch, 0, [request, other])).rejects.toMatchObject(corrupt)
  expect(await stock.reserve(epoch, 0, [other])).toMatchObject([{ outcome: 'already_reserved' }])
})

test('a password that is wrong is not called retryable', async () => {
  await raw.config('SET', 'requirepass', 'secret')
  const stranger = new Stock({ redis: server.socket })
  await expect(stranger.connect()).rejects.toMatchObject({ code: 'redis_refused', retryable: false })
  stranger.close()
})

test('errors do not repeat what was sent', async () => {
  await raw.script('FLUSH')
  const error = (await reserve().catch((thrown: unknown) => thrown)) as Error
  expect(JSON.stringify({ ...error, message: error.message, stack: error.stack })).not.toMatch(/"a"|evalsha/)
  expect(error.cause).toBeUndefined()
})
