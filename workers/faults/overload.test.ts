/**
 * Overload from outside, against a whole service in a process of its own: whatever some callers do to its sockets, the
 * platforms' webhooks are acknowledged, the warehouses' pulls answered, and its memory stays where it was.
 */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { Pool } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import { channelNames } from '../../router/types.ts'
import { type PrivateServer, startPrivateRedis } from '../testing/servers.ts'
import { bodyHead, type Flood, flood, trickle } from './testing/floods.ts'
import {
  isAcknowledged,
  isTryAgain,
  ledgerKey,
  lostOrders,
  newLedger,
  orderOf,
  push,
  sendAll,
} from './testing/ledger.ts'
import { allDecided, apiKeyOf, expectAudited, loadTestNetwork, until } from './testing/network.ts'
import { paused } from './testing/pause.ts'
import { type ServiceProcess, spawnService } from './testing/process.ts'

const backlogMax = 300
/** What the service may need in every scenario. */
const rssMiBMax = 512
const idleWanted = 10_000
// The test has a socket for each of the service's, and files of its own.
const idleSockets = Math.min(idleWanted, openFilesMax() - 1_000)

let database: TestDatabase
let redis: PrivateServer
let service: ServiceProcess
let port: number

beforeAll(async () => {
  ;[database, redis] = await Promise.all([testDatabase(), startPrivateRedis()])
  const lines = [{ sku: 'plenty', quantity: 1_000_000 }]
  await loadTestNetwork(database.sql, { east: lines, west: [{ sku: 'other', quantity: 1 }] })
  service = await spawnService({
    ...{ DATABASE_URL: database.url, REDIS_URL: redis.url, THREADS: '1' },
    ...{ BACKLOG_MAX: String(backlogMax), SWEEP_SECONDS: '1' },
  })
  port = Number(new URL(service.url).port)
})
afterAll(async () => {
  await service?.signal()
  await Promise.all([database?.close(), redis?.stop()])
})

function openFilesMax(): number {
  const soft = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return soft === undefined ? idleWanted : Number(soft)
}

/** MiB that the process has in memory now. */
function rssMiB(): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${service.pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) / 1024
}

/** Platforms and a warehouse go about their business, on connections of their own: nobody is refused or kept waiting for ever. */
async function othersAreServed(): Promise<void> {
  const ledger = newLedger()
  const orders = Array.from({ length: 60 }, (_, i) =>
    orderOf([{ sku: 'plenty', quantity: 1 }], i % 3 === 0 ? 'jd' : 'tmall'),
  )
  await sendAll(orders, { target: () => service.url, ledger, connections: 8 })
  expect({ ...ledger, acknowledged: ledger.acknowledged.size }).toEqual({
    ...{ acknowledged: 60, refused: 0, unanswered: 0, odd: [] },
  })
  const tasks = await until(
    () => pull('east', 0),
    (pulled) => pulled.length > 0,
    'a task that a warehouse can pull',
  )
  expect(tasks.length).toBeGreaterThan(0)
  await allDecided(database.sql)
  expect(await lostOrders(database.sql, ledger)).toEqual([])
}

async function pull(node: string, waitSeconds: number): Promise<readonly unknown[]> {
  const answer = await fetch(`${service.url}/v1/nodes/${node}/tasks/pull`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKeyOf(node)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ limit: 500, leaseSeconds: 600, waitSeconds }),
  })
  expect(answer.status).toBe(200)
  return ((await answer.json()) as { tasks: unknown[] }).tasks
}

const hook = '/webhooks/tmall/nobody'
const read = (socket: Socket) => socket.resume()

test('before any of it', () => othersAreServed())

describe('others are served, and memory stays bounded, during', () => {
  test.each<[what: string, count: number, act: (socket: Socket, index: number) => void]>([
    ['bodies of a byte now and then', 400, (s) => trickle(s, bodyHead(hook, 100_000), 200)],
    ['headers of a byte now and then', 400, (s) => trickle(s, `GET ${hook} HTTP/1.1\r\nhost: t\r\na: `, 200)],
    [`${idleSockets} idle connections`, idleSockets, read],
    [
      'bodies at their limit that never end',
      2_000,
      (s) => {
        s.write(bodyHead(hook, 262_144))
        s.write(Buffer.alloc(262_000, 120))
        s.resume()
      },
    ],
    [
      'endless headers',
      100,
      (s) => {
        s.write(`GET ${hook} HTTP/1.1\r\nhost: t\r\na: ${'b'.repeat(1_000_000)}`)
        s.resume()
      },
    ],
    [
      'requests of thousands of headers',
      200,
      (s) => {
        s.write(`GET ${hook} HTTP/1.1\r\nhost: t\r\n${'a: b\r\n'.repeat(20_000)}\r\n`)
        s.resume()
      },
    ],
    [
      'hundreds of requests in one packet',
      100,
      (s) => {
        s.write('GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n'.repeat(300))
        s.resume()
      },
    ],
    [
      'half-closed connections in the middle of a body',
      400,
      (s) => {
        s.end(`${bodyHead(hook, 100_000)}${'x'.repeat(5_000)}`)
        s.resume()
      },
    ],
    [
      'large answers that nobody reads',
      300,
      (s) => {
        s.pause()
        s.write('GET /openapi.json HTTP/1.1\r\nhost: t\r\n\r\n')
      },
    ],
    [
      'requests with two lengths, and with none that holds',
      200,
      (s, i) => {
        s.write(smuggled[i % smuggled.length]!)
        s.resume()
      },
    ],
  ])('%s', async (_, count, act) => {
    let open: Flood | null = null
    try {
      open = await flood(port, count, act)
      await othersAreServed()
      expect(rssMiB()).toBeLessThan(rssMiBMax)
    } finally {
      open?.end()
    }
  })

  test('a thousand pulls that wait for work', async () => {
    const waits = Array.from({ length: 1_000 }, () => pull('west', 2))
    await othersAreServed()
    expect(rssMiB()).toBeLessThan(rssMiBMax)
    for (const tasks of await Promise.all(waits)) expect(tasks).toEqual([])
  })
})

/** Two readers of these could disagree where the next request begins: the hidden one must never be answered. */
const hidden = 'GET /openapi.json HTTP/1.1\r\nhost: t\r\n\r\n'
const smuggled = [
  `POST /healthz HTTP/1.1\r\nhost: t\r\ncontent-length: ${hidden.length + 5}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  `POST /healthz HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n${hidden}`,
  `POST /healthz HTTP/1.1\r\nhost: t\r\ncontent-length: 0\r\ncontent-length: ${hidden.length}\r\n\r\n${hidden}`,
  `POST /healthz HTTP/1.1\r\nhost: t\r\ncontent-length: +0\r\n\r\n${hidden}`,
  `POST /healthz HTTP/1.1\r\nhost: t\r\ncontent-length : ${hidden.length}\r\n\r\n${hidden}`,
  `POST /healthz HTTP/1.1\r\nhost: t\r\ntransfer-encoding: xchunked\r\n\r\n${hidden}`,
  `POST /healthz HTTP/1.1\r\nhost: t\r\ntransfer-encoding: identity\r\n\r\n${hidden}`,
  `POST /healthz HTTP/1.1\r\nhost: t\r\nfoo: bar\r\n transfer-encoding: chunked\r\n\r\n${hidden}`,
]

test.each(smuggled.map((bytes) => [bytes.split('\r\n').slice(2, 4).join(', '), bytes]))(
  'no hidden request: %s',
  async (_, bytes) => {
    let said = ''
    const open = await flood(port, 1, (socket) => {
      socket.setEncoding('latin1').on('data', (piece: string) => {
        said += piece
      })
      socket.end(bytes)
    })
    await until(
      () => open.sockets[0]!.destroyed,
      (gone) => gone,
      'the end of the connection',
    )
    expect(said).not.toContain('"openapi"')
  },
)

test('at the limit of its backlog it refuses in the platforms’ own words, memory stays flat, and all that was taken is decided', async () => {
  await allDecided(database.sql)
  const ledger = newLedger()
  const before = rssMiB()
  const pools = channelNames.map((channel) => ({ channel, pool: new Pool(service.url, { connections: 8 }) }))
  // Redis is silent: what comes in is stored, and nothing is decided.
  await paused(redis.pid, async () => {
    const orders = Array.from({ length: backlogMax * 5 }, (_, i) =>
      orderOf([{ sku: 'plenty', quantity: 1 }], i % 2 === 0 ? 'jd' : 'tmall'),
    )
    await Promise.all(
      orders.map(async (order, i) => {
        const { pool } = pools[i % pools.length]!
        const answer = await push(pool, order)
        if (isAcknowledged(order.channel, answer)) ledger.acknowledged.add(ledgerKey(order))
        else if (isTryAgain(order.channel, answer)) ledger.refused += 1
        else ledger.odd.push(answer)
      }),
    )
    expect(rssMiB() - before).toBeLessThan(128)
  })
  await Promise.all(pools.map(({ pool }) => pool.destroy()))
  expect(ledger.odd).toEqual([])
  // What is under way when the limit is reached is taken still.
  expect(ledger.acknowledged.size).toBeGreaterThanOrEqual(backlogMax)
  expect(ledger.acknowledged.size).toBeLessThan(backlogMax * 2)
  expect(ledger.refused).toBe(backlogMax * 5 - ledger.acknowledged.size)
  await allDecided(database.sql)
  expect(await lostOrders(database.sql, ledger)).toEqual([])
  // What was put aside meanwhile counts until the next sweep counts anew: then this is acknowledged, and all that follows.
  const again = { target: () => service.url, ledger: newLedger(), connections: 1 }
  await sendAll([orderOf([{ sku: 'plenty', quantity: 1 }])], again)
  await othersAreServed()
  await expectAudited(database.sql, redis.url)
})
