import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SkuQuantity } from '../../router/types.ts'
import { Stock } from './stock.ts'
import { type PrivateRedis, startPrivateRedis } from './testing.ts'

const worker = fileURLToPath(new URL('race-worker.js', import.meta.url))
let server: PrivateRedis
let stock: Stock
beforeAll(async () => {
  server = await startPrivateRedis()
  stock = new Stock({ redis: server.socket })
  await stock.connect()
  await stock.loadScripts()
})
afterAll(async () => {
  stock.close()
  await server.stop()
})

interface Racer {
  readonly name: string
  readonly count: number
  readonly lines: readonly SkuQuantity[]
}

interface Counted {
  readonly reserved: number
  readonly already: number
  readonly refused: number
}

/** Every racer is a process of its own; how often each outcome came, by racer. */
async function race(epoch: number, racers: readonly Racer[]): Promise<Counted[]> {
  return Promise.all(
    racers.map(async ({ name, count: asked, lines }) => {
      const argv = [worker, server.socket, String(epoch), name, String(asked), JSON.stringify(lines)]
      const { stdout } = await promisify(execFile)(process.execPath, argv)
      const outcomes = JSON.parse(stdout) as string[]
      const count = (wanted: string) => outcomes.filter((outcome) => outcome === wanted).length
      return {
        reserved: count('reserved'),
        already: count('already_reserved'),
        refused: count('insufficient_stock'),
      }
    }),
  )
}

test('two processes, eight connections, 1,000 want one unit of 100: exactly 100 get one', async () => {
  await stock.reload(1, 'n', 0, [{ sku: 'hot', atp: 100 }])
  const lines = [{ sku: 'hot', quantity: 1 }]
  const [p, q] = await race(1, [
    { name: 'p', count: 500, lines },
    { name: 'q', count: 500, lines },
  ])
  expect(p!.reserved + q!.reserved).toBe(100)
  expect(p!.refused + q!.refused).toBe(900)
  const seen = await stock.inspect(1, 'n')
  expect(seen).toMatchObject({ atp: new Map([['hot', 0]]) })
  expect(seen.outcome === 'inspected' && seen.held.length).toBe(100)
})

test('both processes ask for the same reservations: each is made once', async () => {
  await stock.reload(2, 'n', 0, [{ sku: 'hot', atp: 100 }])
  const racer = { name: 'same', count: 60, lines: [{ sku: 'hot', quantity: 1 }] }
  const [p, q] = await race(2, [racer, racer])
  expect(p!.reserved + q!.reserved).toBe(60)
  expect(p!.already + q!.already).toBe(60)
  expect(await stock.inspect(2, 'n')).toMatchObject({ atp: new Map([['hot', 40]]) })
})

test('lines in opposite orders: the scarcer SKU is sold to zero, and of the other one nothing is lost', async () => {
  await stock.reload(3, 'n', 0, [
    { sku: 'x', atp: 90 },
    { sku: 'y', atp: 70 },
  ])
  const x = { sku: 'x', quantity: 1 }
  const y = { sku: 'y', quantity: 1 }
  const [p, q] = await race(3, [
    { name: 'p', count: 200, lines: [x, y] },
    { name: 'q', count: 200, lines: [y, x] },
  ])
  expect(p!.reserved + q!.reserved).toBe(70)
  expect(await stock.inspect(3, 'n')).toMatchObject({
    atp: new Map([
      ['x', 20],
      ['y', 0],
    ]),
  })
})
