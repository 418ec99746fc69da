/**
 * For tests: a whole service in this process, on a database and a Redis of its own, with the small network put through
 * its API. All talk goes through real sockets; only waiting and the audit look inside.
 */
import { pino } from 'pino'
import type { z } from 'zod'
import { contract } from '../../../adapters/http/v1/contract.ts'
import { historyEntry } from '../../../adapters/http/v1/history.ts'
import { testRedis } from '../../../adapters/shared/testing.ts'
import type { Violation } from '../../../adapters/store/audit/audit.ts'
import type { Sql } from '../../../adapters/store/postgres/connect.ts'
import { testDatabase, testVault } from '../../../adapters/store/testing.ts'
import type { ChannelName, SkuQuantity } from '../../../router/types.ts'
import { auditAll } from '../../operate/audit/both-stores.ts'
import { parseConfig } from '../../process/config.ts'
import { type RunningService, startService, sweepOf } from '../../service.ts'
import { Client, type Told } from './client.ts'
import { type NodeName, nodeNames, nodes } from './network.ts'
import { shopOf, type TestOrder } from './orders.ts'
import { wechatOrderAnswer } from './platforms.ts'
import { Warehouse } from './warehouse.ts'
import {
  type Bill,
  carrierAccount,
  credentials,
  type Signed,
  signedOrder,
  signedTrack,
  type TestTrack,
} from './webhooks.ts'
import { startWechatShop, type WechatShop } from './wechat-shop.ts'

export const adminToken = 'token-of-the-operator'

const settleMsMax = 120_000

export type OrderView = z.infer<(typeof contract.getOrder.answers)[200]>
export type Exception = z.infer<(typeof contract.listExceptions.answers)[200]>['exceptions'][number]
export interface Figures {
  readonly onHand: number
  readonly reserved: number
  readonly available: number
}

export interface TestService {
  readonly client: Client
  readonly sql: Sql
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly wechat: WechatShop
  /** What the process itself has logged, JSON lines. Threads write to stderr. */
  readonly logs: readonly string[]
  readonly running: RunningService
  admin(method: string, path: string, body?: unknown): Promise<Told>
  at(node: NodeName): Warehouse
  send(signed: Signed): Promise<Told>
  /** A webhook about the order as it is, acknowledged and decided. */
  tell(order: TestOrder): Promise<void>
  track(track: TestTrack): Promise<void>
  bill(bill: Bill): Promise<Told>
  /** A plain SKU with so many on hand. */
  goods(sku: string, onHand: Partial<Record<NodeName, number>>, detail?: object): Promise<void>
  count(node: NodeName, kind: 'set' | 'add', lines: readonly SkuQuantity[]): Promise<void>
  order(order: TestOrder): Promise<OrderView>
  /** By node: only where the SKU ever was. */
  stock(sku: string): Promise<Partial<Record<NodeName, Figures>>>
  exceptions(kind: string): Promise<readonly Exception[]>
  /** Until nothing that was acknowledged waits for its decision. */
  settled(): Promise<void>
  sweep(): Promise<void>
  audit(): Promise<readonly Violation[]>
  /** Stops the process's service; `meanwhile` happens while nothing runs; starts it on the same data. */
  restart(meanwhile?: () => Promise<void>): Promise<void>
  close(): Promise<void>
}

export async function startTestService(env: Readonly<Record<string, string>> = {}): Promise<TestService> {
  const [database, redis] = await Promise.all([testDatabase(), testRedis()])
  const wechat = await startWechatShop(credentials.wechat)
  const logs: string[] = []
  const log = pino({ level: 'trace', base: null }, { write: (line: string) => void logs.push(line) })
  // Sweeps only when it is told to, so that nothing a test sees was mended meanwhile.
  const defaults = {
    PORT: '0',
    THREADS: '1',
    LOG_LEVEL: 'error',
    DEMO: 'off',
    SWEEP_SECONDS: '3600',
    DURABILITY: 'off',
  }
  const config = parseConfig({ ...defaults, ...env })
  const start = () =>
    startService({
      config,
      databaseUrl: database.url,
      redisUrl: redis.url,
      vault: testVault,
      adminToken,
      log,
      keyPrefix: 'e2e:',
    })
  let running = await start()
  let client = new Client(`http://127.0.0.1:${running.port}`)
  let refs = 0

  const self: TestService = {
    get client() {
      return client
    },
    get running() {
      return running
    },
    sql: database.sql,
    databaseUrl: database.url,
    redisUrl: redis.url,
    wechat,
    logs,
    admin: (method, path, body) =>
      client.ask(method, path, { token: adminToken, ...(body === undefined ? {} : { body }) }),
    at: (node) => new Warehouse(client, node),
    send: ({ method, path, contentType, body }) => client.ask(method, path, { raw: body, contentType }),
    async tell(order) {
      if (order.channel === 'wechat') wechat.answers.set(order.orderId, wechatOrderAnswer(order))
      const told = await self.send(signedOrder(order))
      if (told.text !== acknowledged[order.channel]) throw new Error(`not acknowledged: ${told.status} ${told.text}`)
      await self.settled()
    },
    async track(track) {
      const told = await self.send(signedTrack(track))
      if (told.status !== 200) throw new Error(`track: ${told.status} ${told.text}`)
      await self.settled()
    },
    bill: ({ source, csv }) =>
      client.ask('POST', `/v1/bills/${source}/main`, { token: adminToken, raw: csv, contentType: 'text/csv' }),
    async goods(sku, onHand, detail = {}) {
      await put(`/v1/skus/${encodeURIComponent(sku)}`, { name: sku, weightGrams: 500, ...detail })
      for (const [node, quantity] of Object.entries(onHand)) {
        await self.count(node as NodeName, 'set', [{ sku, quantity }])
      }
    },
    async count(node, kind, lines) {
      refs += 1
      const told = await self.admin('POST', `/v1/nodes/${node}/stock`, { ref: `posting ${refs}`, kind, lines })
      if (told.status !== 200) throw new Error(`stock: ${told.status} ${told.text}`)
      await self.settled()
    },
    async order(order) {
      const told = await self.admin('GET', orderPath(order))
      if (told.status !== 200) throw new Error(`order: ${told.status} ${told.text}`)
      const view = contract.getOrder.answers[200].parse(told.json)
      // Whatever a history shows is documented.
      for (const entry of (told.json as { history: unknown[] }).history) historyEntry.strict().parse(entry)
      return view
    },
    async stock(sku) {
      const told = await self.admin('GET', `/v1/stock?sku=${encodeURIComponent(sku)}`)
      const { stock } = contract.getStock.answers[200].parse(told.json)
      return Object.fromEntries(
        stock.map(({ node, onHand, reserved, available }) => [node, { onHand, reserved, available }]),
      )
    },
    async exceptions(kind) {
      const told = await self.admin('GET', `/v1/exceptions?kind=${kind}&limit=500`)
      return contract.listExceptions.answers[200].parse(told.json).exceptions
    },
    async settled() {
      const deadline = Date.now() + settleMsMax
      for (;;) {
        const { intake, dispatch, fetcher, reconciler } = running
        const pending = await database.sql`select seq, kind, last_error from pending limit 5`
        if (pending.length + dispatch.size + fetcher.size + intake.waiting === 0) return await reconciler.idle()
        if (Date.now() > deadline)
          throw new Error(`not settled: ${JSON.stringify(pending)}\n${logs.slice(-5).join('')}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    async sweep() {
      await sweepOf(running).round()
      await self.settled()
    },
    async audit() {
      await self.settled()
      return await auditAll(database.sql, running.keeper)
    },
    async restart(meanwhile) {
      await client.close()
      await running.stop()
      await meanwhile?.()
      running = await start()
      client = new Client(`http://127.0.0.1:${running.port}`)
    },
    async close() {
      await client.close()
      await running.stop()
      await wechat.close()
      await database.close()
    },
  }

  async function put(path: string, body: unknown): Promise<void> {
    const told = await self.admin('PUT', path, body)
    if (told.status !== 200) throw new Error(`${path}: ${told.status} ${told.text}`)
  }
  for (const channel of Object.keys(shopOf) as ChannelName[]) {
    const apiBaseUrl = channel === 'wechat' ? { apiBaseUrl: wechat.url } : {}
    const body = { credentials: credentials[channel], ...apiBaseUrl }
    await put(`/v1/shops/${channel}/${encodeURIComponent(shopOf[channel])}`, body)
  }
  for (const node of nodeNames) await put(`/v1/nodes/${node}`, nodes[node])
  await put(`/v1/carriers/kuaidi100/${carrierAccount.account}`, { credentials: { salt: carrierAccount.salt } })
  return self
}

export function orderPath({ channel, shop, orderId }: TestOrder): string {
  return `/v1/orders/${channel}/${encodeURIComponent(shop)}/${encodeURIComponent(orderId)}`
}

export const acknowledged: Readonly<Record<ChannelName, string>> = {
  tmall: '{"success":true}',
  jd: '{"code":"0","msg":"success","data":""}',
  wechat: 'success',
}
