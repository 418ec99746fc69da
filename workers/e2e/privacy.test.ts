/**
 * A canary for personal data: receivers whose names, numbers and streets stand nowhere else go through a service of its
 * own process with every log line on, in good orders and in all kinds of bad ones. They may be in the database's order and
 * inbox and in the pull of the node that ships; and nowhere else. What shops, accounts, warehouses and the operator prove
 * themselves with may be nowhere at all, in the database neither.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { projectRoot } from '../../adapters/shared/root.ts'
import { testRedis } from '../../adapters/shared/testing.ts'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import { channelNames } from '../../router/types.ts'
import { monitorRedis, type RedisMonitor } from '../testing/redis-monitor.ts'
import { Client } from './testing/client.ts'
import { nodes } from './testing/network.ts'
import { later, shopOf, type TestOrder, testOrder } from './testing/orders.ts'
import { jdOrderInfo, tmallTrade, wechatOrderAnswer } from './testing/platforms.ts'
import { adminToken, orderPath } from './testing/service.ts'
import { Warehouse } from './testing/warehouse.ts'
import {
  carrierAccount,
  credentials,
  type Signed,
  signedJd,
  signedOrder,
  signedTmall,
  signedTrack,
} from './testing/webhooks.ts'
import { startWechatShop, type WechatShop } from './testing/wechat-shop.ts'

const canary = { name: '欧阳金丝雀', phone: '13900009527', street: '桃花源路九千五百二十七号' }
const oaid = 'OAID-of-the-canary-9527'
const canaries = [...Object.values(canary), oaid, '请转告金丝雀本人']
const credentialsKey = randomBytes(32).toString('base64')
/** What is replaced while the test runs is no less secret. */
const earlier = { appKey: '12345678', appSecret: 'earlier-secret-of-the-tmall-app' }
const secrets = [
  credentialsKey,
  adminToken,
  nodes.east.apiKey,
  carrierAccount.salt,
  earlier.appSecret,
  ...[credentials.tmall.appSecret, credentials.jd.appSecret],
  ...[credentials.wechat.token, credentials.wechat.encodingAesKey, credentials.wechat.appSecret],
]

let database: TestDatabase
let redisUrl: string
let wechat: WechatShop
let child: ChildProcess
let client: Client
let output = ''
/** Every command that Redis was given: reservation records are there only for milliseconds. */
let monitor: RedisMonitor
/** Every answer that anybody but the node got. */
const answers: string[] = []

beforeAll(async () => {
  database = await testDatabase()
  redisUrl = (await testRedis()).url
  monitor = await monitorRedis(redisUrl)
  wechat = await startWechatShop(credentials.wechat)
  const main = join(projectRoot(), 'dist/workers/main.js')
  // What comes in on its standard input is thrown, as a bug would that quotes an order.
  const throwing = "process.stdin.on('data', (text) => { throw new Error(text + '\\n    at ' + text) })"
  child = spawn(process.execPath, ['-e', `${throwing}; import(${JSON.stringify(main)}).then((m) => m.main())`], {
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      THREADS: '1',
      DATABASE_URL: database.url,
      REDIS_URL: redisUrl,
      ADMIN_TOKEN: adminToken,
      CREDENTIALS_KEY: credentialsKey,
      DURABILITY: 'off',
      DEMO: 'off',
      LOG_LEVEL: 'trace',
      SWEEP_SECONDS: '1',
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  await vi.waitFor(() => expect(output).toMatch(/http:\/\/127\.0\.0\.1:\d+/), { timeout: 120_000 })
  client = new Client(/http:\/\/127\.0\.0\.1:\d+/.exec(output)![0])
  await admin('PUT', `/v1/shops/tmall/${encodeURIComponent(shopOf.tmall)}`, { credentials: earlier })
  const previousUntil = Date.now() + 3_600_000
  for (const channel of channelNames) {
    const body = {
      credentials: credentials[channel],
      previousUntil,
      ...(channel === 'wechat' ? { apiBaseUrl: wechat.url } : {}),
    }
    await admin('PUT', `/v1/shops/${channel}/${encodeURIComponent(shopOf[channel])}`, body)
  }
  await admin('PUT', '/v1/nodes/east', nodes.east)
  await admin('PUT', `/v1/carriers/kuaidi100/${carrierAccount.account}`, { salt: carrierAccount.salt })
  await admin('PUT', '/v1/skus/known', { name: 'known', weightGrams: 100 })
  await admin('POST', '/v1/nodes/east/stock', { ref: '1', kind: 'set', lines: [{ sku: 'known', quantity: 100 }] })
})
afterAll(async () => {
  monitor.close()
  await client.close()
  if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit')
  await wechat.close()
  await database.close()
})

async function admin(method: string, path: string, body?: unknown): Promise<void> {
  const told = await client.ask(method, path, { token: adminToken, ...(body === undefined ? {} : { body }) })
  answers.push(told.text)
}

async function send({ method, path, contentType, body }: Signed): Promise<void> {
  answers.push((await client.ask(method, path, { raw: body, contentType })).text)
}

async function tell(order: TestOrder): Promise<void> {
  if (order.channel === 'wechat') wechat.answers.set(order.orderId, wechatOrderAnswer(order))
  await send(signedOrder(order))
}

function orderWith(channel: TestOrder['channel'], sku: string, given: Partial<TestOrder> = {}): TestOrder {
  const { receiver, ...order } = testOrder(channel, [{ sku, quantity: 1, paidFen: 100 }])
  return { ...order, receiver: { ...receiver, ...canary, oaid }, buyerMessage: '请转告金丝雀本人', ...given }
}

async function pendingIs(count: number): Promise<void> {
  const pending = async () => (await database.sql`select 1 from pending`).length
  await expect.poll(pending, { timeout: 120_000 }).toBe(count)
}

test('is nowhere but where it must be', async () => {
  const orders = channelNames.flatMap((channel) => [
    orderWith(channel, 'known'),
    orderWith(channel, 'nobody-knows'),
    orderWith(channel, 'known', { sellerMemo: '先别发 金丝雀' }),
  ])
  for (const order of orders) await tell(order)
  await pendingIs(0)

  // What is bad in every way that is understood late: signed but absurd, unsigned, cut off, too large, changed under one id.
  const bad = orderWith('tmall', 'known')
  await send(signedTmall(tmallTrade(bad).replace('"num":1', '"num":-1')))
  await send(signedTmall(tmallTrade(bad).slice(0, -9)))
  await send(signedTmall(tmallTrade({ ...orders[0]!, buyerMessage: `${canary.name}改了` })))
  await send({ ...signedTmall(tmallTrade(bad)), path: `/webhooks/tmall/${encodeURIComponent(shopOf.tmall)}?sign=00` })
  await send(signedJd(jdOrderInfo(orderWith('jd', 'known')).replace('"itemTotal":"1"', '"itemTotal":"0.5"')))
  await send(signedJd(jdOrderInfo(orderWith('jd', 'x'.repeat(9000)))))
  const other = orderWith('wechat', 'known')
  wechat.answers.set(other.orderId, wechatOrderAnswer({ ...other, orderId: `9${other.orderId.slice(1)}` }))
  await send(signedOrder(other))
  await send({ ...signedOrder(bad), body: canary.street.repeat(20_000) })
  await admin('POST', '/v1/bills/generic/main', { name: canary.name, phone: canary.phone })
  await admin('POST', `${orderPath(orders[0]!)}/cancel`, { [canary.name]: canary.phone, note: 7 })
  await admin('PUT', `/v1/nodes/east`, { ...nodes.east, adcode: canary.phone, kind: canary.street })
  await admin('GET', `/v1/exceptions?cursor=${encodeURIComponent(canary.name)}`)
  await admin('GET', `/v1/orders/tmall/${encodeURIComponent(canary.street)}/${canary.phone}`)

  // Held and released, cancelled by the operator and by the buyer, refused by the warehouse's own mistakes.
  await admin('POST', `${orderPath(orders[2]!)}/approve`, { note: '已确认' })
  await admin('POST', `${orderPath(orders[3]!)}/cancel`, { note: '已确认' })
  await tell(later(orders[8]!, { step: 'closed' }))
  await admin('PUT', '/v1/shops/tmall/other', { credentials: { appSecret: secrets[4] }, skuMap: 7 })
  await admin('PUT', '/v1/shops/jd/other', `{"credentials":{"appSecret":"${secrets[6]}"`)
  await admin('PUT', '/v1/carriers/kuaidi100/other', { salt: carrierAccount.salt, more: carrierAccount.salt })
  await admin('PUT', '/v1/nodes/west', { ...nodes.east, name: '西' })
  answers.push((await client.ask('GET', '/v1/orders', { token: credentials.tmall.appSecret })).text)
  await send(signedTrack({ carrier: canary.name, waybill: canary.phone, state: '1', at: Date.now() }))
  const track = signedTrack({ carrier: 'shunfeng', waybill: 'SF-canary-01', state: '1', at: Date.now() })
  await send({ ...track, body: track.body.replace(/%22context%22%3A%22[^%]*/, `%22context%22%3A%22${canary.name}`) })
  await send({ ...track, body: track.body.replace('sign=', `sign=${encodeURIComponent(canary.street)}`) })

  // Postgres refuses, in words that quote the whole row; and what it had refused goes through afterwards.
  const quoting = orderWith('jd', 'known')
  await database.sql.unsafe(`
    create function quote_row() returns trigger language plpgsql as $$ begin
      if new.order_id = '${quoting.orderId}' then
        raise exception using errcode = '23514', message = row_to_json(new)::text, detail = row_to_json(new)::text,
          hint = new.body::text, constraint = new.body::text;
      end if;
      return new;
    end $$;
    create trigger quote_row before insert on orders for each row execute function quote_row()`)
  await tell(quoting)
  await expect.poll(() => output.includes('events put aside'), { timeout: 120_000 }).toBe(true)
  // One table at a time: the service locks them in another sequence.
  await database.sql.unsafe(`drop trigger quote_row on orders`)
  await database.sql.unsafe(`create trigger quote_row before insert on inbox for each row execute function quote_row()`)
  await send(signedOrder(later(quoting, { buyerMessage: canary.street })))
  await admin('GET', '/v1/exceptions?limit=500')
  await database.sql.unsafe(`drop trigger quote_row on inbox`)
  await database.sql`update pending set not_before = now() - interval '1 minute'`
  await expect
    .poll(() => database.sql`select from pending where kind <> 'notification'`.then((rows) => rows.length), {
      timeout: 120_000,
    })
    .toBe(0)

  // Pulled, changed after it was pulled, shipped, delivered.
  const east = new Warehouse(client, 'east')
  const task = await east.pullFor(orders[0]!)
  expect(task.receiver).toMatchObject({ ...canary, oaid })
  expect(task.buyerMessage).toBe('请转告金丝雀本人')
  await tell(later(orders[0]!, { receiver: { ...orders[0]!.receiver, street: `${canary.street}后门` } }))
  await pendingIs(1)
  await east.ship(task, 'SF-canary-01')

  for (const order of [...orders, bad]) await admin('GET', orderPath(order))
  await admin('GET', '/v1/orders')
  await admin('GET', '/v1/exceptions?limit=500')
  await admin('GET', '/v1/stock?node=east&sku=known')
  await admin('GET', '/metrics')
  await expect.poll(() => output.includes('order not fetched')).toBe(true)

  child.stdin!.write(JSON.stringify({ ...canary, credentialsKey }))
  const [exitCode] = (await once(child, 'exit')) as [number]
  expect(exitCode).toBe(1)
  expect(output).toContain('a bug ends the process')

  const elsewhere = {
    answers: answers.join('\n'),
    logs: output,
    redis: monitor.heard(),
    traces: await textOf(`select * from decision`),
    exceptions: await textOf(`select * from exception`),
    reconciliations: await textOf(`select * from reconciliation`),
    tasks: await textOf(`select * from task`),
    pending: await textOf(`select * from pending`),
    keysInRedis: await keysOfRedis(),
  }
  // The canary sings at all: it is in the database's own place, and each of the others holds something.
  expect(await textOf(`select body from orders`)).toContain(canary.name)
  for (const [where, text] of Object.entries(elsewhere)) expect(text.length, where).toBeGreaterThan(100)
  const found = Object.entries(elsewhere).flatMap(([where, text]) =>
    canaries.filter((word) => text.includes(word)).map((word) => `${word} in ${where}: ${around(text, word)}`),
  )
  expect(found).toEqual([])

  // The secrets: nowhere, and in the settings only sealed or hashed.
  const settings = ['shop', 'carrier_account', 'node', 'setting', 'migration', 'event_conflict', 'inbox']
  const anywhere = {
    ...elsewhere,
    settings: (await Promise.all(settings.map((t) => textOf(`select * from ${t}`)))).join(),
  }
  const told = Object.entries(anywhere).flatMap(([where, text]) =>
    secrets.filter((secret) => text.includes(secret)).map((secret) => `${secret} in ${where}`),
  )
  expect(told).toEqual([])
})

/** Everything that Redis holds at the end, whatever its type. */
async function keysOfRedis(): Promise<string> {
  const redis = new Redis(redisUrl)
  try {
    const keys = await redis.keys('*')
    return JSON.stringify(await Promise.all(keys.map(async (key) => [key, await redis.dump(key)])))
  } finally {
    redis.disconnect()
  }
}

/** Bytes as the letters that stand in them. */
async function textOf(query: string): Promise<string> {
  const rows = await database.sql.unsafe(query)
  const readable = rows.map((row) =>
    Object.values(row as Record<string, unknown>).map((value) =>
      Buffer.isBuffer(value) ? value.toString('utf8') : value,
    ),
  )
  return JSON.stringify(readable)
}

function around(text: string, word: string): string {
  const at = text.indexOf(word)
  return text.slice(Math.max(0, at - 120), at + 40)
}
