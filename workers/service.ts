/** One process of Paidan: its foundation, threads, the stages of an order's way, the sweep and the HTTP side; and its end, in reverse. */
import { openOrderApis } from '../adapters/channels/order-apis.ts'
import { loadDivisions } from '../adapters/divisions/load.ts'
import { readSecrets } from '../adapters/store/secrets/credentials.ts'
import { defaultPolicy } from '../router/policy.ts'
import { openThreads } from './decide/threads.ts'
import { type Foundation, openFoundation, type ServiceOptions } from './foundation.ts'
import { Waiting } from './fulfil/waiting.ts'
import { Sweep } from './operate/sweep.ts'
import { type DatabaseSweepContext, databaseSweepParts } from './operate/sweep-database.ts'
import { type OrderSweepContext, orderSweepParts, type SweepOptions } from './operate/sweep-parts.ts'
import { sleep } from './process/clock.ts'
import type { Config } from './process/config.ts'
import type { Metrics } from './process/metrics.ts'
import { serveApi } from './serve.ts'
import { openBills } from './settle/bills.ts'
import { openStages } from './stages.ts'

export type RunningService = Awaited<ReturnType<typeof startService>>

export async function startService(options: ServiceOptions) {
  const foundation = await openFoundation(options)
  const threads = threadsOf(foundation)
  const bills = openBills(foundation.databaseUrl, foundation.log)
  const stages = openStages({ ...foundation, run: threads.run, apis: openOrderApis() })
  const { config, clock, sql, vault, catalog } = foundation
  let isStopping = false
  const parts = {
    ...foundation,
    ...stages,
    bills,
    isStopping: () => isStopping,
    waiting: new Waiting(clock),
    divisions: loadDivisions(),
    policy: defaultPolicy,
    skuOf: (sku: string) => catalog.current.sku(sku),
    accountSecrets: (carrier: string, account: string) => readSecrets(sql, vault, 'carrier', carrier, account),
    bodyBytesMax: config.bodyBytesMax,
  }
  const sweep = sweepOf(parts)
  const end = async (): Promise<void> => {
    await sweep.stop()
    await stages.end()
    await Promise.all([threads.close(), bills.close()])
    await foundation.close()
  }
  try {
    await stages.handOn.start()
    const server = await serveApi({ ...parts, adminTokens: options.adminToken.split(',') })
    sweep.start()
    /** No new webhook is taken; what was acknowledged is decided now or at the next start. */
    const stop = async (): Promise<void> => {
      isStopping = true
      const drainMs = config.drainSeconds * 1000
      await server.close(drainMs)
      // A Postgres that is silent must not keep us: what it has not confirmed was not acknowledged.
      await Promise.race([stages.intake.stop(), sleep(clock, drainMs)])
      await stages.dispatch.drained(drainMs)
      await end()
    }
    return { ...parts, port: server.port, stop }
  } catch (error) {
    await end()
    throw error
  }
}

function threadsOf({ config, databaseUrl, redisUrl, keyPrefix, keeper, catalog, metrics, log }: Foundation) {
  return openThreads({
    settings: { databaseUrl, redisUrl, keyPrefix, owner: keeper.owner, logLevel: config.logLevel },
    ...{ threads: config.threads, concurrency: config.threadConcurrency, metrics, log },
    current: () => ({ catalogVersion: catalog.current.version, availability: catalog.availability.shape }),
  })
}

export interface SweptParts
  extends Omit<DatabaseSweepContext, 'backlog'>,
    Omit<OrderSweepContext, 'catalog' | 'metrics'> {
  readonly catalog: DatabaseSweepContext['catalog'] & OrderSweepContext['catalog']
  readonly config: Pick<Config, 'sweepSeconds'>
  readonly metrics: OrderSweepContext['metrics'] & Pick<Metrics, 'sweep'>
}

/** A sweep over a service's parts. */
export function sweepOf(parts: SweptParts, options?: SweepOptions): Sweep {
  const { config, clock, log, metrics } = parts
  return new Sweep({
    parts: [...databaseSweepParts(parts), ...orderSweepParts(parts, options)],
    ...{ everyMs: config.sweepSeconds * 1000, clock, log, metrics },
  })
}
