/** Every route of the service. */
import { jsonAnswer } from '../adapters/http/answer.ts'
import { openapi } from '../adapters/http/openapi.ts'
import type { RawRoute, Route } from '../adapters/http/route.ts'
import type { Service } from './context.ts'
import { codeOf } from './error-code.ts'
import { operationRoutes } from './operations.ts'
import { warehouseRoutes } from './warehouse.ts'
import { webhookRoutes } from './webhooks.ts'

export function apiRoutes(service: Service): Route[] {
  const routes: Route[] = [...operationRoutes(service), ...warehouseRoutes(service), ...webhookRoutes(service)]
  const look = { raw: true, method: 'GET', auth: 'none', tag: 'look inside' } as const
  const own: RawRoute[] = [
    { ...look, path: '/healthz', summary: 'The process is up.', handle: () => jsonAnswer(200, { status: 'up' }) },
    {
      ...look,
      path: '/readyz',
      summary: 'Postgres and Redis answer, and webhooks are taken.',
      handle: () => ready(service),
    },
    {
      ...look,
      path: '/metrics',
      summary: 'Prometheus metrics.',
      handle: async () => ({
        status: 200,
        contentType: service.metrics.registry.contentType,
        body: await service.metrics.registry.metrics(),
      }),
    },
  ]
  let document: unknown
  own.push({
    ...look,
    path: '/openapi.json',
    summary: 'This document.',
    handle: () => {
      document ??= openapi([...routes, ...own], { title: 'Paidan', version: '1' })
      return jsonAnswer(200, document)
    },
  })
  return [...routes, ...own]
}

async function ready({ sql, keeper, stopping }: Service) {
  const check = async (ask: () => Promise<unknown>): Promise<string> => {
    try {
      await ask()
      return 'ok'
    } catch (error) {
      return codeOf(error)
    }
  }
  const [postgres, redis] = await Promise.all([check(() => sql`select 1`), check(() => keeper.ping())])
  const isReady = postgres === 'ok' && redis === 'ok' && !stopping
  return jsonAnswer(isReady ? 200 : 503, {
    status: isReady ? 'ready' : stopping ? 'stopping' : 'not_ready',
    postgres,
    redis,
  })
}
