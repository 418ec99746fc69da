/** Stock as HTTP endpoints: receipts, counts, and what there is. */
import { createHash } from 'node:crypto'
import { ApiError } from '../../adapters/http/errors.ts'
import { implement, type JsonRoute, ok } from '../../adapters/http/route.ts'
import { contract } from '../../adapters/http/v1/contract.ts'
import { backorderedUnits, holdersOf } from '../../adapters/store/orders/view.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { stockRows } from '../../adapters/store/stock/stock.ts'
import { onHandMax } from '../../router/posting.ts'
import type { CatalogWatch } from '../catalog/catalog-watch.ts'
import { type PostingContext, postStock, type StockPosted } from '../stock/posting.ts'

export interface StockRoutesContext extends PostingContext {
  readonly sql: Sql
  readonly catalog: Pick<CatalogWatch, 'current'>
}

// All nodes of a large network with one SKU, or all SKUs of a large node; a megabyte or two.
const stockRowsMax = 20_000
const skusNamedMax = 10

export function stockRoutes(context: StockRoutesContext): JsonRoute[] {
  const { sql, catalog } = context
  return [
    implement(contract.postStock, async ({ params, body }) => {
      if (!catalog.current.nodeIndex.has(params.node)) throw new ApiError('not_found', 'No such node.')
      const { ref, kind, lines } = body
      const countedAt = body.kind === 'set' ? (body.countedAt ?? null) : null
      const bodyHash = createHash('sha256')
        .update(JSON.stringify(countedAt === null ? [kind, lines] : [kind, lines, countedAt]))
        .digest()
      const posting = { node: params.node, ref, kind, lines, bodyHash, countedAt }
      return ok(answerTo(ref, await postStock(context, posting)))
    }),
    implement(contract.getStock, async ({ query }) => {
      const rows = await stockRows(sql, { ...query, limit: stockRowsMax } as Parameters<typeof stockRows>[1])
      const { node, sku } = query
      const tasks = node !== undefined && sku !== undefined ? await holdersOf(sql, node, sku) : undefined
      const stock = rows.map((row) => ({ ...row, ...(tasks === undefined ? {} : { tasks }) }))
      return ok({
        stock,
        complete: rows.length < stockRowsMax,
        ...(sku === undefined ? {} : { backordered: await backorderedUnits(sql, sku) }),
      })
    }),
  ]
}

function answerTo(ref: string, posted: StockPosted) {
  switch (posted.outcome) {
    case 'posted':
      return { ref, posted: true, shortages: posted.shortages }
    case 'already_posted':
      return { ref, posted: false, shortages: posted.shortages }
    case 'ref_used_for_other_lines':
      throw new ApiError('ref_reused')
    case 'unknown_skus':
      throw new ApiError(
        'invalid_request',
        `lines: not a plain SKU: ${named(posted.skus)}. Create it first; bundles hold no stock.`,
      )
    case 'stale_count':
      throw new ApiError(
        'stale_count',
        `countedAt: older than the last count of ${named(posted.skus)}, or than a week.`,
      )
    case 'count_in_the_future':
      throw new ApiError('invalid_request', 'countedAt: lies in the future.')
    case 'below_zero':
      throw new ApiError('conflict', `lines: fewer on hand than that of ${named(posted.skus)}. Read the stock first.`)
    case 'above_max':
      throw new ApiError(
        'conflict',
        `lines: more than ${onHandMax} on hand of ${named(posted.skus)}. Read the stock first, and post a count.`,
      )
  }
}

function named(skus: readonly string[]): string {
  return skus.slice(0, skusNamedMax).join(', ')
}
