/**
 * The thread: everything between an event in the inbox and a task that can be pulled, on connections of its own. Loaded by
 * piscina; exports the one function that it calls.
 */
import { workerData } from 'piscina'
import { loadDivisions } from '../../adapters/divisions/load.ts'
import { errorFields } from '../../adapters/shared/error-fields.ts'
import { connect, keyedPlans } from '../../adapters/store/postgres/connect.ts'
import { PostgresStore } from '../../adapters/store/postgres-store.ts'
import { defaultPolicy } from '../../router/policy.ts'
import { Availability } from '../catalog/availability.ts'
import { type Catalog, readCatalog } from '../catalog/catalog.ts'
import { StockKeeper } from '../counters/stock-keeper.ts'
import { codeOf } from '../process/error-code.ts'
import { createLog } from '../process/log.ts'
import { sampled } from '../process/sampled-log.ts'
import { sayLoaded } from '../process/thread-pool.ts'
import { packResult, type ThreadSettings, type ThreadTask, unpackEvents } from './batch.ts'
import { decideBatch } from './decide-batch.ts'
import { standBack } from './thread-priority.ts'

// Concurrent batches of this thread, a recovery beside them.
const connectionsMax = 4

let thread: ReturnType<typeof open> | undefined

async function open(settings: ThreadSettings) {
  standBack()
  const sql = connect(settings.databaseUrl, {
    max: connectionsMax,
    applicationName: 'paidan thread',
    settings: keyedPlans,
  })
  const own = {
    sql,
    store: new PostgresStore(sql),
    keeper: new StockKeeper(
      sql,
      { redis: settings.redisUrl, keyPrefix: settings.keyPrefix },
      (node, rows) => learn(node, rows),
      settings.owner,
    ),
    divisions: loadDivisions(),
    log: createLog(settings.logLevel, { part: 'thread' }),
    catalog: null as Catalog | null,
    availability: null as Availability | null,
  }
  function learn(node: string, rows: Iterable<{ readonly sku: string; readonly atp: number }>): void {
    const { catalog, availability } = own
    const index = catalog?.nodeIndex.get(node)
    if (catalog === null || availability === null || index === undefined) return
    for (const { sku, atp } of rows) availability.set(catalog.nodeNo(index), catalog.skuNo(sku), atp)
  }
  try {
    await own.keeper.open()
  } catch (error) {
    // The next batch tries again, with connections of its own.
    own.keeper.close()
    await own.sql.end({ timeout: 1 })
    throw error
  }
  return own
}

/** Throws when Postgres or Redis cannot be reached: nothing was decided then. */
export async function decide(task: ThreadTask): Promise<Uint8Array> {
  thread ??= open(workerData as ThreadSettings)
  const own = await thread.catch((error: unknown) => {
    thread = undefined
    throw error
  })
  if (own.catalog === null || own.catalog.version < task.catalogVersion) own.catalog = await readCatalog(own.sql)
  // Kept while it is the same memory: what was read of its chains is kept with it.
  if (own.availability?.shape.layout !== task.availability.layout)
    own.availability = new Availability(task.availability)
  const result = await decideBatch(
    {
      store: own.store,
      keeper: own.keeper,
      divisions: own.divisions,
      policy: defaultPolicy,
      catalog: own.catalog,
      availability: own.availability,
      now: Date.now,
      logBug: (event, error) => {
        const { seq, channel, orderId } = event
        sampled(own.log).error({ seq, channel, orderId, error: errorFields(error) }, 'undecidable event', codeOf(error))
      },
    },
    unpackEvents(task.events),
  )
  return packResult(result)
}

sayLoaded()
