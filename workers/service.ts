/** Everything that one process runs, wired together once; and its end, in the reverse order. */
import { setTimeout as delay } from 'node:timers/promises'
import { Piscina } from 'piscina'
import { notifiedAt } from '../adapters/channels/wechat/channel.ts'
import { sha256 } from '../adapters/http/secrets.ts'
import { type Server, serve } from '../adapters/http/server.ts'
import { sameText } from '../adapters/shared/same.ts'
import { nodeOfApiKey } from '../adapters/store/catalog/catalog.ts'
import { raise } from '../adapters/store/exceptions.ts'
import { postpone, preparePartitions, readPending } from '../adapters/store/inbox/inbox.ts'
import { connect, indexedPlans } from '../adapters/store/postgres/connect.ts'
import { isRetryable } from '../adapters/store/postgres/retryable.ts'
import type { Vault } from '../adapters/store/secrets/vault.ts'
import { closableStates } from '../router/reconcile/types.ts'
import { CatalogWatch } from './catalog/catalog-watch.ts'
import type { Service } from './context.ts'
import { newOwner, StockKeeper } from './counters/stock-keeper.ts'
import {
  type BatchResult,
  type EventToDecide,
  packEvents,
  type ThreadSettings,
  type ThreadTask,
  unpackResult,
} from './decide/batch.ts'
import { Dispatch, type QueuedEvent } from './decide/dispatch.ts'
import { Intake, type StoredEvent } from './intake/intake.ts'
import { Sweep } from './operate/sweep.ts'
import { OrderFetcher } from './outbound/fetch-orders.ts'
import type { Config } from './process/config.ts'
import { DurabilityWatch } from './process/durability.ts'
import { codeOf } from './process/error-code.ts'
import type { Log } from './process/log.ts'
import { createMetrics } from './process/metrics.ts'
import { sampled } from './process/sampled-log.ts'
import { apiRoutes } from './routes.ts'
import { openBills } from './settle/bills.ts'
import { Reconciler } from './settle/reconciler.ts'

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

export interface RunningService extends Service {
  readonly port: number
  stop(): Promise<void>
}

// Requests wait for a connection rather than for each other's queries; Postgres has 100 in all.
const requestConnectionsMax = 12
// One commit runs while the next one gathers; a conflict needs a second connection.
const intakeConnectionsMax = 3
// Two seconds' work and more. Bodies are some 3 KB, and what stands around them as much again: 50 MB at the most.
const eventsInMemoryMax = 8_000
// A tenth of what the least patient platform waits.
const intakePauseMsMax = 400
// Bodies may be eighty times as large.
const eventBytesInMemoryMax = 128 * 1024 * 1024
// A full batch of everyday orders is three quarters of it. What is made of a wholesaler's, of 24 lines each, is six times
// as much an order, and would outlive every collection of the young.
const batchBytesMax = 1280 * 1024
const readBackMs = 500
const readBackLimit = 2_000
const readBackBytesMax = 32 * 1024 * 1024
// Younger rows are in the memory of the process that stored them.
const readBackAfterMs = 5_000
const undecidableDelayMs = 60_000
const passingDelayMs = 2_000

export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { config, log, databaseUrl, redisUrl, vault, keyPrefix = 'pd:' } = options
  const adminTokens = options.adminToken.split(',')
  const durability = await DurabilityWatch.open(databaseUrl, config.durability, log)
  const settings = indexedPlans
  const sql = connect(databaseUrl, { max: requestConnectionsMax, applicationName: 'paidan', settings })
  const intakeSql = connect(databaseUrl, { max: intakeConnectionsMax, applicationName: 'paidan intake', settings })
  await preparePartitions(sql, Date.now())
  const catalog = await CatalogWatch.open(sql, vault)
  const keeper = new StockKeeper(sql, { redis: redisUrl, keyPrefix }, (node, rows) =>
    catalog.setAvailability(node, rows),
  )
  await keeper.open()
  await catalog.fillAvailability()

  const threadSettings: ThreadSettings = {
    ...{ databaseUrl, redisUrl, keyPrefix, owner: newOwner(), logLevel: config.logLevel },
  }
  const pool = new Piscina<ThreadTask, Uint8Array>({
    filename: new URL('./decide/thread.js', import.meta.url).href,
    name: 'decide',
    minThreads: config.threads,
    maxThreads: config.threads,
    concurrentTasksPerWorker: config.threadConcurrency,
    // Its waiting blocks the thread, and with it the answers from Redis and Postgres.
    atomics: 'disabled',
    workerData: threadSettings,
  })
  // A thread that dies with nothing in hand: the pool makes a new one.
  pool.on('error', (error: unknown) => log.error({ code: codeOf(error), err: error }, 'a thread died'))

  const bills = openBills(databaseUrl)

  const run = async (events: readonly EventToDecide[]): Promise<BatchResult> => {
    const packed = packEvents(events)
    const task = { events: packed, catalogVersion: catalog.current.version, availability: catalog.availability.shape }
    const result = unpackResult(await pool.run(task, { transferList: [packed.buffer as ArrayBuffer] }))
    metrics.batches.inc()
    metrics.stages(result.times)
    metrics.refusals.inc(result.refusals)
    for (const problem of result.problems) metrics.problems.inc({ problem })
    return result
  }

  const putAside = (events: readonly QueuedEvent[], why: string, passing: boolean): void => {
    metrics.postponed.inc({ passing: String(passing) }, events.length)
    sampled(log).warn({ events: events.length, why, passing }, 'events put aside', why)
    const seqs = events.map((e) => e.seq)
    // They leave memory for the table; the next count knows better.
    service.pendingCount += events.length
    const keep = async () => {
      await postpone(sql, seqs, passing ? passingDelayMs : undecidableDelayMs, why)
      if (passing) return
      await raise(
        sql,
        events.map(({ channel, shop, orderId, eventId }) => ({
          kind: 'undecidable_event',
          ref: `${channel}/${shop}/${eventId}`,
          detail: { channel, shop, orderId, eventId, why },
        })),
      )
    }
    // When Postgres is away the rows stay as they are, and are read back as they are.
    keep().catch((error: unknown) => log.warn({ code: codeOf(error) }, 'events could not be put aside'))
  }

  const dispatch = new Dispatch({
    run,
    batchMax: config.batchMax,
    batchBytesMax,
    concurrency: config.threads * config.threadConcurrency,
    memoryMax: eventsInMemoryMax,
    memoryBytesMax: eventBytesInMemoryMax,
    onDecided: (event, decided) => {
      if (!decided.done) return
      metrics.decided.inc({ outcome: decided.outcome })
      if (event.readBack !== true) metrics.decision.observe((Date.now() - event.storedAtMs) / 1000)
      if (decided.order !== null && closable.has(decided.outcome)) reconciler.soon([decided.order])
    },
    onFailed: (events, error) => {
      sampled(log).error({ events: events.length, code: codeOf(error), err: error }, 'a batch failed', codeOf(error))
      // What a dead thread counted as taken may never be: else its events find nothing left.
      catalog
        .fillAvailability()
        .catch((failure: unknown) => log.warn({ code: codeOf(failure) }, 'availability not read again'))
    },
    putAside,
  })

  const metrics = createMetrics({
    memoryBacklog: () => dispatch.size + fetcher.size,
    intakeWaiting: () => intake.waiting,
    batchesRunning: () => dispatch.running,
  })
  const reconciler = new Reconciler(sql, log, metrics)
  const intake = new Intake({
    sql: intakeSql,
    backlogMax: config.backlogMax,
    // Nothing is acknowledged that a power cut may take back.
    backlog: () =>
      durability.isBroken ? Number.POSITIVE_INFINITY : Math.max(service.pendingCount, dispatch.size + fetcher.size),
    onStored: (events) => take(events),
    // What the threads have in hand, and as much again.
    pauseMs: () => pauseOfIntakeMs(dispatch.size, 2 * config.batchMax * config.threads * config.threadConcurrency),
    observe: (rows, ms) => {
      metrics.intakeRows.observe(rows)
      metrics.intakeCommit.observe(ms / 1000)
    },
  })

  const fetcher: OrderFetcher = new OrderFetcher({ sql, log, catalog, intake, metrics })
  const service: Service = {
    config,
    log,
    sql,
    keeper,
    catalog,
    intake,
    dispatch,
    reconciler,
    importBill: bills.import,
    metrics,
    durability,
    vault,
    pendingCount: 0,
    stopping: false,
    fetcher,
  }

  function take(events: readonly StoredEvent[]): void {
    const notifications = events.filter((e) => e.kind === 'notification').map((e) => ({ ...e, attempts: 0 }))
    const others = notifications.length === 0 ? events : events.filter((e) => e.kind !== 'notification')
    if (notifications.length > 0) fetcher.push(notifications)
    if (others.length > 0) dispatch.push(others)
  }

  /**
   * What a process that died, or this one's full memory, left in `pending`: one page. True when another one is wanted:
   * this one was full, and some of it was taken. What finds no room now would find none in the next page either.
   */
  let cursor = '0'
  async function readBack(olderThanMs: number): Promise<boolean> {
    const limits = { limit: readBackLimit, bytesMax: readBackBytesMax }
    const rows = await readPending(sql, { afterSeq: cursor, ...limits, olderThanMs })
    cursor = rows.at(-1)?.seq ?? '0'
    const fresh = rows.filter((r) => !dispatch.knows(r.seq) && !fetcher.knows(r.seq))
    const notifications = fresh.filter((r) => r.kind === 'notification')
    fetcher.push(notifications.map((r) => ({ ...r, occurredAt: notifiedAt(r.body), readBack: true as const })))
    dispatch.push(fresh.filter((r) => r.kind !== 'notification').map((r) => ({ ...r, readBack: true as const })))
    return rows.length === readBackLimit && fresh.some((r) => dispatch.knows(r.seq) || fetcher.knows(r.seq))
  }

  const sweep = new Sweep(service)
  let readingBack: Promise<unknown> = Promise.resolve()
  const readBackTimer = setInterval(() => {
    if (dispatch.size > eventsInMemoryMax / 2) return
    readingBack = readingBack
      .then(async () => {
        // As much as the threads want, not as much as a clock allows.
        while (!service.stopping && dispatch.size <= eventsInMemoryMax / 2) {
          if (!(await readBack(readBackAfterMs))) return
        }
      })
      .catch((error: unknown) => log.warn({ code: codeOf(error) }, 'pending events could not be read back'))
  }, readBackMs)

  let server: Server
  try {
    await readBack(0)
    server = await serve({
      host: config.host,
      port: config.port,
      sharePort: config.sharePort,
      routes: apiRoutes(service),
      bodyBytesMax: config.bodyBytesMax,
      // Postgres or Redis away, or the intake refusing: nobody's fault, and over soon.
      passes: (error) => isRetryable(error) || (error as { retryable?: unknown } | null)?.retryable === true,
      authenticate: async (kind, token) => {
        if (kind === 'admin') return adminTokens.some((known) => sameText(known, token)) ? { kind } : null
        const node = await nodeOfApiKey(sql, sha256(token))
        // At another node's path it is let in nowhere, but it is no guess either: the server answers 404.
        return node === null ? null : { kind, node }
      },
      observe: (method, path, status, ms) => {
        if (path.startsWith('/v1')) metrics.http.observe({ method, path, status: String(status) }, ms / 1000)
      },
      log,
    })
  } catch (error) {
    clearInterval(readBackTimer)
    await end()
    throw error
  }
  sweep.start()

  async function end(): Promise<void> {
    await sweep.stop()
    await fetcher.stop()
    await dispatch.stop()
    await readingBack
    await reconciler.idle()
    await Promise.all([pool.close({ force: true }), bills.close()])
    keeper.close()
    await Promise.all([sql.end({ timeout: 5 }), intakeSql.end({ timeout: 5 })])
  }

  /** No new webhook is taken; what was acknowledged is decided now or at the next start. */
  async function stop(): Promise<void> {
    service.stopping = true
    clearInterval(readBackTimer)
    await server.close(config.drainSeconds * 1000)
    // A Postgres that is silent must not keep us: what it has not confirmed was not acknowledged.
    await Promise.race([intake.stop(), delay(config.drainSeconds * 1000, undefined, { ref: false })])
    await drained(dispatch, config.drainSeconds * 1000)
    await end()
  }

  return Object.assign(service, { port: server.port, stop })
}

/**
 * Whoever waits for an ACK before he sends the next event is slowed down to what is decided: the events that wait stay in
 * memory, and the threads are not kept from deciding them by those that come. Whoever sends by a clock of his own is taken
 * in as before, some tenths of a second later.
 */
function pauseOfIntakeMs(eventsInMemory: number, unhurried: number): number {
  const share = (eventsInMemory - unhurried) / Math.max(1, eventsInMemoryMax - unhurried)
  return Math.round(Math.min(1, Math.max(0, share)) * intakePauseMsMax)
}

const closable: ReadonlySet<string> = new Set(closableStates)

/** Waits until everything in memory is decided, or the time is up. */
async function drained(dispatch: Dispatch, deadlineMs: number): Promise<void> {
  const deadline = Date.now() + deadlineMs
  while (dispatch.size > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
}
