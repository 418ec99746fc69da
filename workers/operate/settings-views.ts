/** Settings as people read them, as HTTP endpoints: one, or a page behind a cursor. Secrets and keys are never shown. */
import { ApiError } from '../../adapters/http/errors.ts'
import { implement, type JsonRoute, ok } from '../../adapters/http/route.ts'
import { contract } from '../../adapters/http/v1/contract.ts'
import {
  listCarrierAccounts,
  listNodes,
  listShops,
  listSkus,
  type ShownNode,
  skuMapOf,
} from '../../adapters/store/catalog/list-settings.ts'
import type { Sku } from '../../router/types.ts'
import type { SettingsContext } from './settings.ts'

export function settingsViews({ sql, vault }: Pick<SettingsContext, 'sql' | 'vault'>): JsonRoute[] {
  return [
    implement(contract.getShop, async ({ params, nowMs }) => {
      const [shop] = await listShops(sql, vault, { key: [params.channel, params.shop] }, nowMs)
      return ok({ ...found(shop, 'No such shop.'), skuMap: await skuMapOf(sql, params) })
    }),
    implement(contract.listShops, async ({ query, nowMs }) => {
      const shops = await listShops(sql, vault, pageOf(query, pairOf), nowMs)
      return ok({ shops, nextCursor: cursorAfter(shops, query.limit, ({ channel, shop }) => [channel, shop]) })
    }),
    implement(contract.getCarrierAccount, async ({ params, nowMs }) => {
      const key = [params.carrier, params.account] as const
      const [account] = await listCarrierAccounts(sql, vault, { key }, nowMs)
      return ok(found(account, 'No such account.'))
    }),
    implement(contract.listCarrierAccounts, async ({ query, nowMs }) => {
      const carriers = await listCarrierAccounts(sql, vault, pageOf(query, pairOf), nowMs)
      const nextCursor = cursorAfter(carriers, query.limit, ({ carrier, account }) => [carrier, account])
      return ok({ carriers, nextCursor })
    }),
    implement(contract.getSku, async ({ params }) => {
      const [sku] = await listSkus(sql, { key: params.sku })
      return ok(shownSku(found(sku, 'No such SKU.')))
    }),
    implement(contract.listSkus, async ({ query }) => {
      const skus = await listSkus(sql, pageOf(query, codeOf), query.prefix)
      return ok({ skus: skus.map(shownSku), nextCursor: cursorAfter(skus, query.limit, ({ sku }) => [sku]) })
    }),
    implement(contract.getNode, async ({ params }) => {
      const [node] = await listNodes(sql, { key: params.node })
      return ok(shownNode(found(node, 'No such node.')))
    }),
    implement(contract.listNodes, async ({ query }) => {
      const nodes = await listNodes(sql, pageOf(query, codeOf))
      return ok({ nodes: nodes.map(shownNode), nextCursor: cursorAfter(nodes, query.limit, ({ node }) => [node]) })
    }),
  ]
}

function shownSku({ requiresShipping = true, bundle, ...sku }: Sku) {
  return { ...sku, requiresShipping, bundle: bundle.length === 0 ? null : bundle }
}

function shownNode(shown: ShownNode) {
  const { node, name, kind, adcode, point, open, channels, regions } = shown
  const { preferenceFen, handlingFen, safetyStock, freight, previousApiKeyUntil } = shown
  return {
    ...{ node, name, kind, adcode, point, open, channels, regions },
    ...{ preferenceFen, handlingFen, safetyStock, freight, previousApiKeyUntil },
  }
}

function found<Row>(row: Row | undefined, message: string): Row {
  if (row === undefined) throw new ApiError('not_found', message)
  return row
}

interface PageQuery {
  readonly cursor?: string | undefined
  readonly limit: number
}

function pageOf<Key>({ cursor, limit }: PageQuery, keyOf: (codes: readonly string[]) => Key) {
  return { after: cursor === undefined ? null : keyOf(codesOfCursor(cursor)), limit }
}

/** A page that is full may be the last: the next one is empty then. */
function cursorAfter<Row>(rows: readonly Row[], limit: number, codesOf: (row: Row) => readonly string[]) {
  if (rows.length < limit) return null
  return Buffer.from(JSON.stringify(codesOf(rows.at(-1)!))).toString('base64url')
}

const wrongCursor = () => new ApiError('invalid_request', 'cursor: must be a nextCursor from an earlier answer.')

function codesOfCursor(cursor: string): readonly string[] {
  try {
    const codes: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    // Postgres takes no NUL.
    if (Array.isArray(codes) && codes.every((one) => typeof one === 'string' && !one.includes('\0'))) return codes
  } catch {
    // Not one of ours.
  }
  throw wrongCursor()
}

function codeOf(codes: readonly string[]): string {
  if (codes.length !== 1) throw wrongCursor()
  return codes[0]!
}

function pairOf(codes: readonly string[]): readonly [string, string] {
  if (codes.length !== 2) throw wrongCursor()
  return [codes[0]!, codes[1]!]
}
