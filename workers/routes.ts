/** Every route of the service. */
import { type HttpAnswer, jsonAnswer } from '../adapters/http/answer.ts'
import { openapi } from '../adapters/http/openapi.ts'
import type { RawRoute, Route } from '../adapters/http/route.ts'
import type { Service } from './context.ts'
import { warehouseRoutes } from './fulfil/routes.ts'
import { webhookRoutes } from './intake/webhooks.ts'
import { operationRoutes } from './operate/routes.ts'
import { codeOf } from './process/error-code.ts'

export function apiRoutes(service: Service): Route[] {
  const routes: Route[] = [...operationRoutes(service), ...warehouseRoutes(service), ...webhookRoutes(service)]
  const look = { raw: true, method: 'GET', auth: 'none', tag: 'look inside' } as const
  const own: RawRoute[] = [
    { ...look, path: '/healthz', summary: 'The process is up.', handle: () => jsonAnswer(200, { status: 'up' }) },
    {
      ...look,
      path: '/readyz',
      summary: 'Postgres and Redis answer, webhooks are taken, and whether what is acknowledged is durable.',
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
  let document: HttpAnswer | undefined
  own.push({
    ...look,
    path: '/openapi.json',
    summary: 'This document.',
    handle: () => {
      // Made once, as bytes: strangers may ask for it, and slow readers share it.
      document ??= bytesOf(jsonAnswer(200, openapi([...routes, ...own], { title: 'Paidan', version: '1' })))
      return document
    },
  })
  return [...routes, ...own]
}

function bytesOf(answer: HttpAnswer): HttpAnswer {
  return { ...answer, body: Buffer.from(answer.body) }
}

async function ready({ sql, keeper, durability, stopping }: Service) {
  const check = async (ask: () => Promise<unknown>): Promise<string> => {
    try {
      await ask()
      return 'ok'
    } catch (error) {
      return codeOf(error)
    }
  }
  const [postgres, redis] = await Promise.all([check(() => sql`select 1`), check(() => keeper.ping())])
  const isReady = postgres === 'ok' && redis === 'ok' && !durability.isBroken && !stopping
  return jsonAnswer(isReady ? 200 : 503, {
    status: isReady ? 'ready' : stopping ? 'stopping' : 'not_ready',
    postgres,
    redis,
    durability: durability.lacks.length === 0 ? 'durable' : 'not_durable',
    ...(durability.lacks.length === 0 ? {} : { off: durability.lacks.map((l) => l.setting) }),
  })
}
