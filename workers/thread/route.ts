/**
 * The thread: everything between an event in the inbox and a task that can be pulled, on connections of its own. Loaded by
 * piscina; exports the one function that it calls.
 */
import { workerData } from 'piscina'
import { loadDivisions } from '../../adapters/divisions/load.ts'
import { errorFields } from '../../adapters/shared/error-fields.ts'
import { connect, keyedPlans } from '../../adapters/store/connect.ts'
import { PostgresStore } from '../../adapters/store/postgres-store.ts'
import { codeOf } from '../error-code.ts'
import { Hints } from '../hints.ts'
import { createLog } from '../log.ts'
import { sampled } from '../sampled-log.ts'
import { StockKeeper } from '../stock-keeper.ts'
import { packResult, type ThreadSettings, type ThreadTask, unpackEvents } from './batch.ts'
import { type Catalogue, readCatalogue } from './catalogue.ts'
import { decideBatch } from './decide-batch.ts'
import { standBack } from './stand-back.ts'

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
    catalogue: null as Catalogue | null,
    hints: null as Hints | null,
  }
  function learn(node: string, rows: Iterable<{ readonly sku: string; readonly atp: number }>): void {
    const { catalogue, hints } = own
    const index = catalogue?.nodeIndex.get(node)
    if (catalogue === null || hints === null || index === undefined) return
    for (const { sku, atp } of rows) hints.set(catalogue.nodeNo(index), catalogue.skuNo(sku), atp)
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
  if (own.catalogue === null || own.catalogue.version < task.catalogVersion)
    own.catalogue = await readCatalogue(own.sql)
  // Kept while it is the same memory: what was read of its chains is kept with it.
  if (own.hints?.shape.layout !== task.hints.layout) own.hints = new Hints(task.hints)
  const result = await decideBatch(
    {
      store: own.store,
      keeper: own.keeper,
      divisions: own.divisions,
      catalogue: own.catalogue,
      hints: own.hints,
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
