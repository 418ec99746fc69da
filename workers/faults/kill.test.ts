/** kill -9 of the whole service at random points of a load: whatever was acknowledged is there, once, and decided. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { randomFrom } from '../../adapters/shared/seeded-random.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { testSeed } from '../../router/testing/seed.ts'
import type { TestOrder } from '../e2e/testing/orders.ts'
import { wechatOrderAnswer } from '../e2e/testing/platforms.ts'
import { credentials } from '../e2e/testing/webhooks.ts'
import { startWechatShop, type WechatShop } from '../e2e/testing/wechat-shop.ts'
import { sweepOf } from '../service.ts'
import { type PrivateServer, startPrivatePostgres, startPrivateRedis } from '../testing/servers.ts'
import { lostOrders, newLedger, orderOf, sendAll } from './testing/ledger.ts'
import {
  allDecided,
  connectForTest,
  expectAudited,
  loadTestNetwork,
  startServiceHere,
  until,
} from './testing/network.ts'
import { type ServiceProcess, spawnService } from './testing/process.ts'
import { shipEverything } from './testing/shipping.ts'

const kills = 10
/** A life ends when so much more of something has happened, and a moment later: the machine's speed does not matter. */
const progressMax = 60
const momentMsMax = 20

let postgres: PrivateServer
let redis: PrivateServer
let shop: WechatShop
let sql: Sql

beforeAll(async () => {
  ;[postgres, redis, shop] = await Promise.all([
    startPrivatePostgres(),
    startPrivateRedis(),
    startWechatShop(credentials.wechat),
  ])
  sql = connectForTest(postgres.url)
})
afterAll(async () => {
  await sql.end()
  await Promise.all([postgres.stop(), redis.stop(), shop.close()])
})

/** Endless, until told otherwise: some SKUs are plenty, one runs out under way. */
function* traffic(goOn: () => boolean): Generator<TestOrder> {
  const random = randomFrom(testSeed)
  while (goOn()) {
    const channel = random.pick(['tmall', 'tmall', 'jd', 'wechat'] as const)
    const skus = new Set([random.pick(['plenty', 'enough', 'scarce']), random.pick(['plenty', 'enough'])])
    const order = orderOf(
      [...skus].map((sku) => ({ sku, quantity: random.between(1, 2) })),
      channel,
    )
    if (channel === 'wechat') shop.answers.set(order.orderId, wechatOrderAnswer(order))
    yield order
  }
}

// Many starts, each as long as the machine needs for it.
const minutesMax = 4 * 60_000

test(
  `${kills} kills under load (seed ${testSeed})`,
  async () => {
    await loadTestNetwork(
      sql,
      {
        north: [
          { sku: 'plenty', quantity: 500_000 },
          { sku: 'enough', quantity: 3_000 },
          { sku: 'scarce', quantity: 200 },
        ],
        south: [
          { sku: 'enough', quantity: 500_000 },
          { sku: 'scarce', quantity: 200 },
        ],
      },
      shop.url,
    )
    const environment = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, THREADS: '2', SWEEP_SECONDS: '1' }
    const random = randomFrom(testSeed, 1)
    const ledger = newLedger()
    let service: ServiceProcess | null = null
    let killing = true
    const target = (): string | null => service?.url ?? null
    const sending = sendAll(
      traffic(() => killing),
      { target, ledger, connections: 24 },
    )
    const shipped = new Set<string>()
    const shipping = shipEverything(['north', 'south'], { target, goOn: () => killing, shipped })
    const progress = {
      acknowledged: async () => ledger.acknowledged.size,
      decided: async () => (await sql<{ count: number }[]>`select count(*)::int from decision`)[0]!.count,
      shipped: async () => shipped.size,
    }
    for (let done = 0; done < kills; done++) {
      const count = progress[random.pick(['acknowledged', 'decided', 'decided', 'shipped'] as const)]
      const enough = (await count()) + random.below(progressMax)
      service = await spawnService(environment)
      await until(count, (now) => now >= enough, `the point of kill ${done + 1}`)
      await new Promise((resolve) => setTimeout(resolve, random.below(momentMsMax)))
      const dying = service
      service = null
      await dying.kill()
    }
    service = await spawnService(environment)
    killing = false
    await sending
    await shipping
    await allDecided(sql)
    expect(await service.signal()).toEqual({ code: 0, signal: null })

    expect(ledger.odd).toEqual([])
    expect(ledger.unanswered).toBeGreaterThan(0)
    expect(shipped.size).toBeGreaterThan(0)
    expect(await lostOrders(sql, ledger)).toEqual([])
    expect(await sql`select order_id from orders where state in ('announced', 'held')`).toEqual([])
    // Nobody sends bills here, and one SKU runs out: what reconciliation misses is no fault.
    expect(
      await sql`select kind, detail from exception where kind not in ('payment_missing', 'parcel_not_moving', 'units_backordered')`,
    ).toEqual([])
    const [row] = await sql<
      { shipped: string[] }[]
    >`select array_agg(task_id) as shipped from task where state = 'shipped'`
    const known = new Set(row!.shipped)
    expect([...shipped].filter((taskId) => !known.has(taskId))).toEqual([])
    await sweepUp()
    await expectAudited(sql, redis.url)
  },
  minutesMax,
)

/** What a killed decision had reserved is given back by the sweep; here at once, since nobody decides any more. */
async function sweepUp(): Promise<void> {
  const service = await startServiceHere({ databaseUrl: postgres.url, redisUrl: redis.url })
  await sweepOf(service, { heldMsMax: 0 }).round()
  await service.stop()
}
