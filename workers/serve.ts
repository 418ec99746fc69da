/** The HTTP side of the service: every route, and who may call it. */
import type { HttpAnswer } from '../adapters/http/answer.ts'
import { jsonAnswer } from '../adapters/http/answer.ts'
import { openapi } from '../adapters/http/openapi.ts'
import type { RawRoute, Route } from '../adapters/http/route.ts'
import { sha256 } from '../adapters/http/secrets.ts'
import type { Server } from '../adapters/http/serve-options.ts'
import { serve } from '../adapters/http/server.ts'
import { sameText } from '../adapters/shared/same.ts'
import { nodeOfApiKey } from '../adapters/store/catalog/catalog.ts'
import type { Sql } from '../adapters/store/postgres/connect.ts'
import { isRetryable } from '../adapters/store/postgres/retryable.ts'
import { parcelRoutes } from './fulfil/parcel-routes.ts'
import { type ReturnContext, returnsRoutes } from './fulfil/returns-routes.ts'
import { type WarehouseContext, warehouseRoutes } from './fulfil/routes.ts'
import { type WebhookContext, webhookRoutes } from './intake/webhooks.ts'
import type { ExceptionContext } from './operate/exceptions.ts'
import { exceptionRoutes } from './operate/exceptions-routes.ts'
import type { OrderCommandContext } from './operate/orders.ts'
import { ordersRoutes } from './operate/orders-routes.ts'
import type { SettingsContext } from './operate/settings.ts'
import { settingsRoutes } from './operate/settings-routes.ts'
import { type StockRoutesContext, stockRoutes } from './operate/stock-routes.ts'
import type { Config } from './process/config.ts'
import { type HealthContext, healthRoutes } from './process/health.ts'
import type { Log } from './process/log.ts'
import type { Metrics } from './process/metrics.ts'
import { type BillContext, billRoutes } from './settle/routes.ts'
import { type TrackContext, trackRoutes } from './settle/tracks.ts'

export type ServeContext = SettingsContext &
  OrderCommandContext &
  StockRoutesContext &
  BillContext &
  ExceptionContext &
  WarehouseContext &
  ReturnContext &
  WebhookContext &
  TrackContext &
  HealthContext & {
    readonly config: Config
    readonly sql: Sql
    readonly metrics: Metrics
    readonly log: Log
    /** One operator's token, or two: both are taken. */
    readonly adminTokens: readonly string[]
  }

export async function serveApi(context: ServeContext): Promise<Server> {
  const { config, sql, metrics, log, adminTokens } = context
  return await serve({
    host: config.host,
    port: config.port,
    sharePort: config.sharePort,
    routes: apiRoutes(context),
    bodyBytesMax: config.bodyBytesMax,
    // Postgres or Redis away, or the intake refusing: over soon.
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
}

export function apiRoutes(context: Omit<ServeContext, 'adminTokens'>): Route[] {
  const routes: Route[] = [
    ...settingsRoutes(context),
    ...stockRoutes(context),
    ...ordersRoutes(context),
    ...billRoutes(context),
    ...exceptionRoutes(context),
    ...warehouseRoutes(context),
    ...parcelRoutes(context),
    ...returnsRoutes(context),
    ...webhookRoutes(context),
    ...trackRoutes(context),
    ...healthRoutes(context),
  ]
  return [...routes, documentRoute(routes)]
}

/** The document of all other routes and of itself. */
function documentRoute(routes: readonly Route[]): RawRoute {
  let document: HttpAnswer | undefined
  const own: RawRoute = {
    ...{ raw: true, method: 'GET', auth: 'none', tag: 'look inside' },
    path: '/openapi.json',
    summary: 'This document.',
    handle: () => {
      // Made once, as bytes: strangers may ask for it, and slow readers share it.
      document ??= bytesOf(jsonAnswer(200, openapi([...routes, own], { title: 'Paidan', version: '1' })))
      return document
    },
  }
  return own
}

function bytesOf(answer: HttpAnswer): HttpAnswer {
  return { ...answer, body: Buffer.from(answer.body) }
}
