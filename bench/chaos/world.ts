/**
 * One world: a Postgres (fsync on), a Redis (append-only), the service in processes of its own as `npm start` runs it,
 * a stand-in of WeChat's API, and the people outside who use it. Everything between the service and the others may go
 * over wires that can be made bad.
 */
import { Redis } from 'ioredis'
import { type Random, randomFrom } from '../../adapters/shared/seeded-random.ts'
import { connect, type Sql } from '../../adapters/store/postgres/connect.ts'
import { credentials } from '../../workers/e2e/testing/webhooks.ts'
import { startWechatShop, type WechatShop } from '../../workers/e2e/testing/wechat-shop.ts'
import { loadTestNetwork } from '../../workers/faults/testing/network.ts'
import { type PrivateServer, startPrivatePostgres, startPrivateRedis } from '../../workers/testing/servers.ts'
import { Book } from './book.ts'
import { Clients } from './clients.ts'
import { Fleet } from './fleet.ts'
import { chaosGoods, type Goods } from './goods.ts'
import { receiveGoods } from './operator.ts'
import { tellStories } from './platforms.ts'
import { type ProxyTarget, startProxy, type Wire } from './proxy.ts'
import type { SmallDisk } from './small-disk.ts'
import { workShelves } from './warehouses.ts'

/** What a world is made of; some faults need it so. */
export interface Traits {
  readonly pair: boolean
  readonly wires: boolean
  readonly disk: SmallDisk | null
}

export interface Wires {
  readonly clients: Wire
  readonly postgres: Wire
  readonly redis: Wire
}

export interface World {
  readonly traits: Traits
  readonly postgres: PrivateServer
  readonly redis: PrivateServer
  readonly wechat: WechatShop
  readonly wires: Wires | null
  readonly fleet: Fleet
  readonly goods: Goods
  readonly book: Book
  readonly clients: Clients
  /** For looking; not the service's own, and over no wire. */
  readonly sql: Sql
  readonly redisClient: Redis
  /** A copy of Redis' files from earlier; null: none was made yet. */
  oldRedisFiles: string | null
  load(random: Random): Load
  close(): Promise<void>
}

/** The people outside, at work. */
export interface Load {
  /** Resolves when everything that they began is answered. */
  stop(): Promise<void>
}

const sweepSeconds = 1

export async function startWorld(traits: Traits): Promise<World> {
  const closers: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (const one of closers.reverse()) await one().catch(() => undefined)
  }
  try {
    const { disk } = traits
    const [postgres, redis, wechat] = await Promise.all([
      startPrivatePostgres(disk === null ? {} : { parent: disk.path, settings: disk.settings }),
      startPrivateRedis(),
      startWechatShop(credentials.wechat),
    ])
    const sql = connect(postgres.url, { max: 3, applicationName: 'chaos' })
    const redisClient = new Redis(redis.url)
    redisClient.on('error', () => undefined)
    closers.push(
      () => Promise.all([postgres.stop(), redis.stop(), wechat.close()]),
      () => sql.end({ timeout: 1 }),
      async () => redisClient.disconnect(),
    )
    const goods = chaosGoods()
    const book = new Book()
    await loadTestNetwork(sql, goods.opening, wechat.url)
    for (const [node, lines] of Object.entries(goods.opening)) book.shelve(node, lines)

    let fleet: Fleet | null = null
    const port = (): number | null => fleet?.port ?? null
    const wires = traits.wires ? await startWires(postgres.url, redis.url, port) : null
    if (wires !== null) closers.push(() => Promise.all(Object.values(wires).map((wire: Wire) => wire.close())))
    fleet = await Fleet.start(traits.pair ? 2 : 1, {
      DATABASE_URL: wires === null ? postgres.url : `postgres://paidan@127.0.0.1:${wires.postgres.port}/paidan`,
      REDIS_URL: wires === null ? redis.url : `redis://127.0.0.1:${wires.redis.port}`,
      THREADS: '2',
      SWEEP_SECONDS: String(sweepSeconds),
      LOG_LEVEL: 'error',
      // As in production: this Postgres keeps its promise.
      DURABILITY: 'required',
    })
    const running = fleet
    closers.push(() => killAll(running))
    const where = (): string | null => {
      const listening = wires === null ? running.port : wires.clients.port
      return listening === null || running.port === null ? null : `http://127.0.0.1:${listening}`
    }
    const clients = new Clients(where)
    closers.push(async () => clients.end())
    const world = { traits, postgres, redis, wechat, wires, fleet: running, goods, book, clients, sql, redisClient }
    return { ...world, oldRedisFiles: null, load: (random) => startLoad(world, random), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function killAll(fleet: Fleet): Promise<void> {
  for (let index = 0; index < fleet.size; index++) await fleet.kill(index)
}

async function startWires(databaseUrl: string, redisUrl: string, port: () => number | null): Promise<Wires> {
  const directory = new URL(databaseUrl).searchParams.get('host')!
  const service = (): ProxyTarget | null => {
    const now = port()
    return now === null ? null : { port: now }
  }
  return {
    clients: await startProxy(service),
    postgres: await startProxy(() => ({ path: `${directory}/.s.PGSQL.5432` })),
    redis: await startProxy(() => ({ path: redisUrl })),
  }
}

function startLoad(world: Pick<World, 'clients' | 'book' | 'wechat' | 'goods'>, random: Random): Load {
  let goOn = true
  const going = (): boolean => goOn
  const own = (): Random => randomFrom(random.next())
  const all = Promise.all([
    tellStories(world, own(), going),
    workShelves(world, world.goods.nodes, own(), { goOn: going, careful: false }),
    receiveGoods(world, own(), going),
  ])
  return {
    stop: async () => {
      goOn = false
      await all
    },
  }
}
