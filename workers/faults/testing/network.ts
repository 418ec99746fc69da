/** For tests: a small network straight into an empty database, and what has to hold over it when a load is over. */
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { sha256 } from '../../../adapters/http/secrets.ts'
import { putNodes, putSkus } from '../../../adapters/store/catalog/catalog.ts'
import { putShop } from '../../../adapters/store/catalog/put-sealed.ts'
import { connect, type Sql } from '../../../adapters/store/postgres/connect.ts'
import { postStock } from '../../../adapters/store/stock/stock.ts'
import { testVault } from '../../../adapters/store/testing.ts'
import type { Node } from '../../../router/node.ts'
import { channelNames, type Sku, type SkuQuantity } from '../../../router/types.ts'
import { StockKeeper } from '../../counters/stock-keeper.ts'
import { shopOf } from '../../e2e/testing/orders.ts'
import { credentials } from '../../e2e/testing/webhooks.ts'
import { auditAll } from '../../operate/audit/both-stores.ts'
import { parseConfig } from '../../process/config.ts'
import { createLog } from '../../process/log.ts'
import type { Environment } from '../../process/settings.mjs'
import { type RunningService, startService } from '../../service.ts'
import { adminToken } from './process.ts'

/** Opening stock by node; the nodes are made, and every SKU that they hold. */
export type Opening = Readonly<Record<string, readonly SkuQuantity[]>>

export interface TestServers {
  readonly databaseUrl: string
  readonly redisUrl: string
}

export async function loadTestNetwork(sql: Sql, opening: Opening, wechatApi: string | null = null): Promise<void> {
  for (const channel of channelNames) {
    const settings = { channel, shop: shopOf[channel], credentials: credentials[channel] }
    await putShop(sql, testVault, { ...settings, apiBaseUrl: wechatApi, skuMap: {} })
  }
  const skus = new Set(Object.values(opening).flatMap((lines) => lines.map((l) => l.sku)))
  await putSkus(sql, [...skus].map(skuOf))
  const names = Object.keys(opening)
  await putNodes(
    sql,
    names.map((node, i) => ({ node: nodeOf(node, i), apiKeyHash: sha256(apiKeyOf(node)) })),
  )
  for (const [node, lines] of Object.entries(opening)) {
    const bodyHash = createHash('sha256').update(JSON.stringify(lines)).digest()
    await postStock(sql, { node, ref: 'opening', kind: 'set', lines, bodyHash })
  }
}

function skuOf(sku: string): Sku {
  return { sku, name: sku, weightGrams: 500, storageClass: 'normal', warehouseOnly: false, bundle: [] }
}

function nodeOf(node: string, index: number): Node {
  return {
    node,
    name: node,
    kind: 'warehouse',
    adcode: '330106',
    point: { lat: 30 + index / 10, lng: 120 },
    open: true,
    channels: null,
    regions: null,
    preferenceFen: 0,
    handlingFen: 200,
    freight: { bands: [{ kmMax: 20_100, firstFen: 500, stepFen: 100 }], firstGrams: 1000, stepGrams: 1000 },
    safetyStock: 0,
  }
}

export function apiKeyOf(node: string): string {
  return `api-key-of-${node}`
}

/** A service in this process. Only its test drives its sweep, unless SWEEP_SECONDS says otherwise. */
export async function startServiceHere(servers: TestServers, environment: Environment = {}): Promise<RunningService> {
  const defaults = { PORT: '0', LOG_LEVEL: 'fatal', SWEEP_SECONDS: '3600', THREADS: '1', DURABILITY: 'off' }
  const config = parseConfig({ ...defaults, ...environment })
  return await startService({ config, ...servers, vault: testVault, adminToken, log: createLog(config.logLevel) })
}

// Far beyond what any of these loads takes; a run that is stuck shall say where.
const settleMsMax = 120_000
const lookAgainMs = 25

/** Waits for a condition; fails with what it last saw. */
export async function until<T>(look: () => Promise<T> | T, isThere: (seen: T) => boolean, what: string): Promise<T> {
  const deadline = performance.now() + settleMsMax
  for (;;) {
    const seen = await look()
    if (isThere(seen)) return seen
    if (performance.now() > deadline) throw new Error(`never came: ${what}; last seen: ${JSON.stringify(seen)}`)
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
  }
}

/** Waits until every event that was stored is decided. */
export async function allDecided(sql: Sql): Promise<void> {
  await until(
    () => sql`select seq, kind, attempts, last_error from pending order by seq limit 5`,
    (rows) => rows.length === 0,
    'every pending event decided',
  )
}

const invariantsOfRedis = new Set(['redis_counts_what_postgres_counts', 'nothing_is_reserved_for_nobody'])

/** Every invariant of both sides. Postgres must hold at once; Redis is told of a commit after it, so it gets a moment. */
export async function expectAudited(sql: Sql, redisUrl: string): Promise<void> {
  const keeper = new StockKeeper(sql, { redis: redisUrl })
  await keeper.open()
  try {
    const violations = await until(
      () => auditAll(sql, keeper),
      (found) => found.every((v) => !invariantsOfRedis.has(v.invariant)),
      'the counters of Redis equal to those of Postgres',
    )
    assert.deepEqual(violations, [])
  } finally {
    keeper.close()
  }
}

/** Units of a SKU by where they are. */
export async function unitsOf(sql: Sql, sku: string): Promise<{ inTasks: number; backordered: number }> {
  const [row] = await sql<{ tasks: number; backordered: number }[]>`
    select
      (select coalesce(sum((l ->> 'quantity')::int), 0)::int from task, jsonb_array_elements(lines) l
       where state <> 'cancelled' and l ->> 'sku' = ${sku}) as tasks,
      (select coalesce(sum(quantity), 0)::int from backorder where sku = ${sku}) as backordered`
  return { inTasks: row!.tasks, backordered: row!.backordered }
}

export async function addStock(url: string, node: string, lines: readonly SkuQuantity[]): Promise<void> {
  const answer = await fetch(`${url}/v1/nodes/${node}/stock`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ref: randomUUID(), kind: 'add', lines }),
  })
  assert.equal(((await answer.json()) as { posted: unknown }).posted, true)
}

export function connectForTest(databaseUrl: string): Sql {
  return connect(databaseUrl, { max: 4, applicationName: 'test' })
}
