/**
 * Promise 3, never undersold: no order waits for goods that lie at a node which may serve it, by the rules that refuse
 * a node when an order is sourced.
 *
 * A service asks again at once where goods came in, and for stock that did not change within an hour, a bounded
 * number of orders at a time. What has waited for longer, for stock that has not changed for longer, was forgotten.
 * When a node was opened is not kept: within an hour after a node's settings changed this may tell what the next round
 * of the sweep finds.
 */

import type { Node } from '../../../router/node.ts'
import { refusalOf } from '../../../router/source/network.ts'
import type { ChannelName } from '../../../router/types.ts'
import { type CatalogRows, loadCatalog } from '../catalog/catalog.ts'
import { refOf } from '../exception-refs.ts'
import type { Transaction } from '../postgres/connect.ts'
import { eachBatch } from './batches.ts'
import type { ComputedInvariant } from './invariant.ts'

/** Orders that one audit puts to the rules. */
const ordersMax = 100_000
/**
 * The sweep asks for 500 of all that may be filled in five seconds, and may have begun its walk before goods came:
 * twice.
 */
const secondsPerOrder = 0.02
/** A node with this many changes within the time is not quiet. */
const changesMax = 50_000

interface Free {
  readonly node: string
  readonly available: number
}

interface Waiting {
  readonly id: string
  readonly sku: string
  readonly channel: ChannelName
  readonly adcode: string | null
  readonly excluded: readonly string[]
}

interface Found extends Free {
  readonly id: string
  readonly sku: string
}

export const waitInVain: ComputedInvariant = {
  name: 'no_order_waits_for_goods_that_are_there',
  find: async (tx, tell) => {
    const free = await freeOfBackordered(tx)
    if (free.size === 0) return null
    const skus = JSON.stringify([...free.keys()])
    const [waiting] = await tx.unsafe<{ rows: number }[]>(
      `select count(*)::int as rows from backorder where sku in (select json_array_elements_text($1::text::json))`,
      [skus],
    )
    const { rows } = waiting!
    const [age] = await tx.unsafe<{ seconds: number }[]>(
      `select extract(epoch from current_setting('paidan.restock')::interval)::float8 as seconds`,
    )
    const seconds = age!.seconds + rows * secondsPerOrder
    const found = await findServable(tx, free, seconds)
    const quiet = await quietPlaces(tx, found, seconds)
    for (const { id, sku, node, available } of found)
      if (quiet.has(refOf(node, sku))) tell({ id, sku, node, available })
    if (rows <= ordersMax) return null
    return `Of ${rows.toLocaleString('en')} rows of orders that wait for a SKU that some node has, ${ordersMax.toLocaleString('en')} were put to the rules.`
  },
}

/** What nodes have of what orders wait for. */
async function freeOfBackordered(tx: Transaction): Promise<Map<string, Free[]>> {
  const rows = await tx<(Free & { sku: string })[]>`
    select s.sku, s.node, s.available from stock s
    where s.available > 0 and s.sku in (select sku from backorder group by 1) order by s.sku, s.node`
  const free = new Map<string, Free[]>()
  for (const { sku, node, available } of rows) {
    const places = free.get(sku)
    if (places === undefined) free.set(sku, [{ node, available }])
    else places.push({ node, available })
  }
  return free
}

async function findServable(
  tx: Transaction,
  free: ReadonlyMap<string, readonly Free[]>,
  seconds: number,
): Promise<readonly Found[]> {
  const catalog = await loadCatalog(tx)
  const nodes = new Map(catalog.nodes.map(({ value }) => [value.node, value]))
  const found: Found[] = []
  // An order that is being decided may be about to find them.
  const waiting = `
    select b.order_id as id, b.sku, o.channel, o.body::json #>> '{snapshot,receiver,adcode}' as adcode,
      coalesce(o.body::json -> 'excludedNodes', '[]') as excluded
    from backorder b join orders o on o.id = b.order_id
    where b.sku in (select sku from stock where available > 0) and b.since < now() - interval '${seconds} seconds'
      and not exists (
        select from pending p where p.channel = o.channel and p.shop = o.shop and p.order_id = o.order_id)
    order by b.order_id, b.sku limit ${ordersMax}`
  await eachBatch<Waiting>(tx, waiting, (order) => {
    for (const place of free.get(order.sku) ?? []) {
      const node = nodes.get(place.node)
      if (node !== undefined && mayServe(catalog, node, order)) found.push({ ...place, id: order.id, sku: order.sku })
    }
  })
  return found
}

function mayServe(catalog: CatalogRows, node: Node, { sku, channel, adcode, excluded }: Waiting): boolean {
  const warehouseOnly = catalog.skus.get(sku)?.value.warehouseOnly ?? false
  const demand = [{ sku, quantity: 1, grams: 0, warehouseOnly }]
  return refusalOf(node, { demand, point: null, adcode, channel, excludedNodes: excluded }, warehouseOnly) === null
}

/**
 * Of the places that were found, by `node/sku`: where nothing came free lately. All that comes free has a number of its
 * node.
 */
async function quietPlaces(tx: Transaction, found: readonly Found[], seconds: number): Promise<ReadonlySet<string>> {
  const quiet = new Set(found.map(({ node, sku }) => refOf(node, sku)))
  for (const node of new Set(found.map((f) => f.node))) {
    const changed = await tx<{ sku: string | null; busy: boolean }[]>`
      with lately as materialized (
        select skus, row_number() over (order by node_seq desc) as nth from (
          select node_seq, skus, at from stock_movement
          where node = ${node} and node_seq is not null order by node_seq desc limit ${changesMax}
        ) last where at > now() - ${seconds}::float8 * interval '1 second'
      )
      select distinct u.sku, (select max(nth) = ${changesMax} from lately) as busy from lately, unnest(skus) as u (sku)`
    const isBusy = changed.some((c) => c.busy)
    for (const { sku } of changed) if (sku !== null) quiet.delete(refOf(node, sku))
    if (isBusy) for (const { sku } of found) quiet.delete(refOf(node, sku))
  }
  return quiet
}
