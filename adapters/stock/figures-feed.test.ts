/** Processes hear of each other's figures, a process that is alone is quiet, and a lost message does no harm. */
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { FiguresFeed } from './figures-feed.ts'
import { Stock } from './stock.ts'
import { type PrivateRedis, rows, startPrivateRedis } from './testing.ts'

let server: PrivateRedis
let raw: Redis
let closing: (() => void)[] = []
beforeAll(async () => {
  server = await startPrivateRedis()
  raw = new Redis(server.socket)
  raw.on('error', () => {})
})
beforeEach(() => () => {
  for (const close of closing) close()
  closing = []
})
afterAll(async () => {
  raw.disconnect()
  await server.stop()
})

/** A process: what it heard, and how it tells. */
async function processOf(owner: string) {
  const heard: string[] = []
  const feed = new FiguresFeed({ redis: server.socket }, owner, (node, some) => {
    heard.push(`${node} ${some.map(({ sku, atp }) => `${sku}=${atp}`).join()}`)
  })
  const stock = new Stock({ redis: server.socket })
  closing.push(
    () => feed.close(),
    () => stock.close(),
  )
  await Promise.all([feed.open(), stock.connect()])
  return {
    heard,
    tell: (node: string, atp: Record<string, number>) => stock.tellOthers(owner, [{ node, rows: rows(atp) }]),
  }
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((done) => setTimeout(done, 5))
}

async function published(): Promise<number> {
  return Number(/cmdstat_publish:calls=(\d+)/.exec(await raw.info('commandstats'))?.[1] ?? 0)
}

test('one process tells, the others hear, and it does not hear itself', async () => {
  const [a, b, c] = [await processOf('a'), await processOf('b'), await processOf('c')]
  a.tell('n1', { x: 3, y: -1 })
  await until(() => b.heard.length > 0 && c.heard.length > 0)
  expect([a.heard, b.heard, c.heard]).toEqual([[], ['n1 x=3,y=-1'], ['n1 x=3,y=-1']])
})

test('a process that is alone asks once a second, and tells as soon as it knows of another', async () => {
  await raw.config('RESETSTAT')
  const a = await processOf('a')
  for (let n = 0; n < 500; n++) a.tell('n1', { x: n })
  await raw.ping()
  expect(await published()).toBeLessThanOrEqual(1)
  const b = await processOf('b')
  await until(() => {
    a.tell('n1', { x: 7 })
    return b.heard.length > 0
  })
  const before = b.heard.length
  for (let n = 0; n < 20; n++) a.tell('n2', { x: n })
  await until(() => b.heard.length >= before + 20)
})

test('what is no message of ours is passed over', async () => {
  const b = await processOf('b')
  for (const text of ['', 'null', '{}', '["a", 1, ["n"], ["n", "x", "1"], [1, "x", 1]]', '["a", ["n", "x", 2]]']) {
    await raw.publish('pd:figures', text)
  }
  await until(() => b.heard.includes('n x=2'))
  expect(b.heard.filter((one) => one.trim() !== 'n')).toEqual(['n x=2'])
})

test('after Redis was away it is heard again, and telling meanwhile harms nobody', async () => {
  const [a, b] = [await processOf('a'), await processOf('b')]
  const restarted = server.restart()
  a.tell('n1', { x: 1 })
  await restarted
  await until(() => {
    a.tell('n1', { x: 2 })
    return b.heard.includes('n1 x=2')
  })
})
