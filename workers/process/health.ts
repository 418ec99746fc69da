/** What a load balancer and a monitor ask: is the process up, is it ready, what does it measure. */
import { jsonAnswer } from '../../adapters/http/answer.ts'
import type { RawRoute } from '../../adapters/http/route.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import type { DurabilityWatch } from './durability.ts'
import { codeOf } from './error-code.ts'
import type { Metrics } from './metrics.ts'

export interface HealthContext {
  readonly sql: Sql
  /** Throws when Redis does not answer. */
  readonly keeper: { ping(): Promise<void> }
  readonly durability: Pick<DurabilityWatch, 'isBroken' | 'lacks'>
  readonly metrics: Pick<Metrics, 'registry'>
  readonly isStopping: () => boolean
}

export function healthRoutes(context: HealthContext): RawRoute[] {
  const look = { raw: true, method: 'GET', auth: 'none', tag: 'look inside' } as const
  const { registry } = context.metrics
  return [
    { ...look, path: '/healthz', summary: 'The process is up.', handle: () => jsonAnswer(200, { status: 'up' }) },
    {
      ...look,
      path: '/readyz',
      summary: 'Postgres and Redis answer, webhooks are taken, and whether what is acknowledged is durable.',
      handle: () => ready(context),
    },
    {
      ...look,
      path: '/metrics',
      summary: 'Prometheus metrics.',
      handle: async () => ({ status: 200, contentType: registry.contentType, body: await registry.metrics() }),
    },
  ]
}

async function ready({ sql, keeper, durability, isStopping }: HealthContext) {
  const check = async (ask: () => Promise<unknown>): Promise<string> => {
    try {
      await ask()
      return 'ok'
    } catch (error) {
      return codeOf(error)
    }
  }
  const [postgres, redis] = await Promise.all([check(() => sql`select 1`), check(() => keeper.ping())])
  const stopping = isStopping()
  const isReady = postgres === 'ok' && redis === 'ok' && !durability.isBroken && !stopping
  return jsonAnswer(isReady ? 200 : 503, {
    status: isReady ? 'ready' : stopping ? 'stopping' : 'not_ready',
    postgres,
    redis,
    durability: durability.lacks.length === 0 ? 'durable' : 'not_durable',
    ...(durability.lacks.length === 0 ? {} : { off: durability.lacks.map((l) => l.setting) }),
  })
}
