/**
 * How long the audit takes over many orders: `node dist/bench/audit-size.js --orders 1000000`.
 *
 * A thousand orders take the whole real way (signed webhooks of three platforms, decided, pulled, shipped, some cancelled,
 * some without goods) through a service of its own, on a Postgres and a Redis of its own, with bodies and traces as they are
 * in earnest. They are then copied, under new numbers, as often as it takes. Every invariant has to hold at the end.
 */
import { parseArgs } from 'node:util'
import { check } from '../adapters/store/audit/audit.ts'
import { connect, type Sql } from '../adapters/store/postgres/connect.ts'
import { shipTask } from '../adapters/store/tasks/ship.ts'
import { pullTasks } from '../adapters/store/tasks/tasks.ts'
import { multiply } from '../adapters/store/testing/multiply.ts'
import { channelNames, type SkuQuantity } from '../router/types.ts'
import { newLedger, orderOf, sendAll } from '../workers/faults/testing/ledger.ts'
import { allDecided, loadTestNetwork, startServiceHere } from '../workers/faults/testing/network.ts'
import { startPrivatePostgres, startPrivateRedis } from '../workers/testing/servers.ts'

export interface AuditSizeOptions {
  /** About how many to make; at least one of each kind. */
  readonly orders: number
  readonly connections: number
  /** Orders that take the whole way; 1,000 when absent. */
  readonly seedOrders?: number
  readonly say: (line: string) => void
}

export interface AuditSize {
  readonly orders: number
  readonly databaseBytes: number
  readonly seconds: number
  readonly byInvariant: readonly { readonly invariant: string; readonly ms: number; readonly broken: number }[]
}

const seedOrdersDefault = 1_000
const nodes = ['n1', 'n2', 'n3', 'n4']
const skus = Array.from({ length: 40 }, (_, i) => `sku-${i}`)

export async function measureAudit({
  orders,
  connections,
  say,
  seedOrders = seedOrdersDefault,
}: AuditSizeOptions): Promise<AuditSize> {
  const seeds = Math.min(seedOrders, orders)
  const settings = { shared_buffers: '256MB', max_wal_size: '4GB', wal_compression: 'pglz' }
  const [postgres, redis] = await Promise.all([
    startPrivatePostgres({ settings, durable: false }),
    startPrivateRedis({ durable: false }),
  ])
  const sql = connect(postgres.url, { max: connections, applicationName: 'audit size', statementTimeoutMs: 0 })
  try {
    await takeTheWay(sql, { databaseUrl: postgres.url, redisUrl: redis.url }, seeds)
    say(`▸ ${seeds} orders took the whole way; copying them`)
    const times = Math.max(1, Math.round(orders / seeds))
    await multiply(sql, times, (done) => say(`  ${(done * seeds).toLocaleString('en')} orders`))
    const [size] = await sql<{ bytes: string; orders: number }[]>`
      select pg_database_size(current_database()) as bytes, (select count(*)::int from orders) as orders`
    say(`▸ checking every invariant on ${connections} connections`)
    const started = performance.now()
    const checked = await check(sql, {
      connections,
      onChecked: ({ invariant, violation, ms }) =>
        say(
          `  ${invariant.padEnd(40)} ${(ms / 1000).toFixed(1)} s${violation === null ? '' : `  BROKEN ${violation.count}`}`,
        ),
    })
    return {
      orders: size!.orders,
      databaseBytes: Number(size!.bytes),
      seconds: (performance.now() - started) / 1000,
      byInvariant: checked.map(({ invariant, violation, ms }) => ({ invariant, ms, broken: violation?.count ?? 0 })),
    }
  } finally {
    await sql.end({ timeout: 5 })
    await Promise.all([postgres.stop(), redis.stop()])
  }
}

/** Goods for two orders in three; the last third waits for them. */
async function takeTheWay(
  sql: Sql,
  servers: { readonly databaseUrl: string; readonly redisUrl: string },
  count: number,
): Promise<void> {
  const shelf = (node: number): SkuQuantity[] =>
    skus.map((sku, i) => ({ sku, quantity: (i + node) % 3 === 0 ? 0 : Math.ceil(count / 20) }))
  await loadTestNetwork(sql, Object.fromEntries(nodes.map((node, i) => [node, shelf(i)])))
  const service = await startServiceHere(servers, { DURABILITY: 'off' })
  try {
    const orders = Array.from({ length: count }, (_, i) => {
      const lines = Array.from({ length: 1 + (i % 5) }, (_, l) => ({
        sku: skus[(i * 7 + l * 11) % skus.length]!,
        quantity: 1 + ((i + l) % 2),
      }))
      return orderOf(lines, channelNames.filter((c) => c !== 'wechat')[i % 2]!)
    })
    await sendAll(orders, { target: () => `http://127.0.0.1:${service.port}`, ledger: newLedger(), connections: 32 })
    await allDecided(sql)
  } finally {
    await service.stop()
  }
  for (const node of nodes) {
    for (const [i, task] of (await pullTasks(sql, node, Math.ceil(count / 8), 3_600)).entries()) {
      const packed = { carrier: 'SF', waybill: `SF${node}${i}`, lines: task.lines, shippedAt: Date.now() }
      if (i % 3 !== 0) await shipTask(sql, node, task.taskId, task.fence, [packed])
    }
  }
}

const usage = `node dist/bench/audit-size.js [options]
  --orders 1000000   about how many to make and check
  --connections 4    that check them
  --help
Exit 1 when an invariant is broken.`

export async function main(): Promise<void> {
  const options = parse(process.argv.slice(2))
  if (options === null) return
  const size = await measureAudit({ ...options, say: (line) => void process.stdout.write(`${line}\n`) })
  const gigabytes = (size.databaseBytes / 1e9).toFixed(1)
  process.stdout.write(
    `${size.orders.toLocaleString('en')} orders, ${gigabytes} GB: every invariant in ${size.seconds.toFixed(1)} s\n`,
  )
  if (size.byInvariant.some((i) => i.broken > 0)) process.exitCode = 1
}

/** null: nothing to do; what was wrong has been said. */
function parse(args: readonly string[]): Pick<AuditSizeOptions, 'orders' | 'connections'> | null {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        orders: { type: 'string', default: '1000000' },
        connections: { type: 'string', default: '4' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(`${usage}\n`)
      return null
    }
    return {
      orders: whole('orders', values.orders, 100_000_000),
      connections: whole('connections', values.connections, 64),
    }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`)
    process.exitCode = 2
    return null
  }
}

function whole(name: string, text: string, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value
  throw new Error(`--${name} has to be a whole number from 1 to ${max}`)
}

if (process.argv[1] === new URL(import.meta.url).pathname) await main()
