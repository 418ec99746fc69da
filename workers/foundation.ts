/** What the stages of one process stand on: connections, settings with availability, Redis' counters. */
import { randomUUID } from 'node:crypto'
import { FiguresFeed } from '../adapters/stock/figures-feed.ts'
import { preparePartitions } from '../adapters/store/inbox/partitions.ts'
import { connect, indexedPlans } from '../adapters/store/postgres/connect.ts'
import { PostgresStore } from '../adapters/store/postgres-store.ts'
import type { Vault } from '../adapters/store/secrets/vault.ts'
import { CatalogWatch } from './catalog/catalog-watch.ts'
import { StockKeeper } from './counters/stock-keeper.ts'
import { machineClock as clock } from './process/clock.ts'
import type { Config } from './process/config.ts'
import { DurabilityWatch } from './process/durability.ts'
import type { Log } from './process/log.ts'
import { createMetrics } from './process/metrics.ts'

export interface ServiceOptions {
  readonly config: Config
  readonly databaseUrl: string
  readonly redisUrl: string
  /** One token, or two separated by a comma: both are taken. */
  readonly adminToken: string
  readonly vault: Vault
  readonly log: Log
  /** Names of counters in Redis begin so; several networks may share one server. */
  readonly keyPrefix?: string
}

export type Foundation = Awaited<ReturnType<typeof openFoundation>>

// Requests wait for a connection rather than for each other's queries; Postgres has 100 in all.
const requestConnectionsMax = 12
// One commit runs while the next one gathers; a conflict needs a second connection.
const intakeConnectionsMax = 3

/** Throws when Postgres or Redis is away, or Postgres does not promise to keep what it commits. */
export async function openFoundation({ config, log, databaseUrl, redisUrl, vault, keyPrefix = 'pd:' }: ServiceOptions) {
  const durability = await DurabilityWatch.open(databaseUrl, config.durability, log)
  const settings = indexedPlans
  const sql = connect(databaseUrl, { max: requestConnectionsMax, applicationName: 'paidan', settings })
  const intakeSql = connect(databaseUrl, { max: intakeConnectionsMax, applicationName: 'paidan intake', settings })
  await preparePartitions(sql, clock.now())
  const catalog = await CatalogWatch.open(sql, vault)
  const keeper = new StockKeeper(sql, { redis: redisUrl, keyPrefix }, (node, rows) =>
    catalog.setAvailability(node, rows),
  )
  await keeper.open()
  // Figures that other processes publish. This process' threads share its owner and its availability.
  const feed = new FiguresFeed({ redis: redisUrl, keyPrefix }, keeper.owner, (node, rows) =>
    catalog.setAvailability(node, rows),
  )
  await feed.open()
  await catalog.fillAvailability()
  return {
    ...{ config, log, clock, databaseUrl, redisUrl, keyPrefix, vault, durability, sql, catalog, keeper },
    store: new PostgresStore(sql),
    intakeStore: new PostgresStore(intakeSql),
    metrics: createMetrics(),
    newId: randomUUID as () => string,
    close: async (): Promise<void> => {
      feed.close()
      keeper.close()
      await Promise.all([sql.end({ timeout: 5 }), intakeSql.end({ timeout: 5 })])
    },
  }
}
