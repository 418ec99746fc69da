/**
 * Settings: shops, SKUs, nodes, carrier accounts. Small: every process and thread that decides reads them whole into
 * memory, and reads them again when `catalog_version` has risen.
 */
import type { Node } from '../../../router/node.ts'
import type { NodeDelta } from '../../../router/stock.ts'
import type { ChannelName, Sku } from '../../../router/types.ts'
import type { Queryable, Sql, Transaction } from '../postgres/connect.ts'
import { keepStockAsItIs, type SkuUse, useOf } from '../stock/sku-use.ts'
import { followSafety } from '../stock/stock.ts'

/** Without its credentials, which only ./credentials.ts reads. */
export interface ShopRow {
  readonly channel: ChannelName
  readonly shop: string
  readonly apiBaseUrl: string | null
  readonly skuMap: Readonly<Record<string, string>>
}

/** `no` is the number of the SKU or node in availability, a place in memory: when put again, it keeps its number. */
export interface Numbered<T> {
  readonly no: number
  readonly value: T
}

export interface CatalogRows {
  readonly version: number
  readonly shops: ReadonlyMap<string, ShopRow>
  readonly skus: ReadonlyMap<string, Numbered<Sku>>
  readonly nodes: readonly Numbered<Node>[]
}

export function shopKey(channel: string, shop: string): string {
  return `${channel}/${shop}`
}

export async function catalogVersion(sql: Queryable): Promise<number> {
  const [row] = await sql<{ version: string }[]>`select version from catalog_version`
  return Number(row!.version)
}

/** The version is read first: what changes while the rest is read shows as a newer version next time. */
export async function loadCatalog(sql: Queryable): Promise<CatalogRows> {
  const version = await catalogVersion(sql)
  const [shops, skus, nodes] = await Promise.all([
    sql<ShopRow[]>`select channel, shop, api_base_url as "apiBaseUrl", sku_map as "skuMap" from shop`,
    sql<Numbered<Sku>[]>`select no, detail as value from sku`,
    sql<Numbered<Node>[]>`select no, detail as value from node order by no`,
  ])
  return {
    version,
    shops: new Map(shops.map((s) => [shopKey(s.channel, s.shop), s])),
    skus: new Map(skus.map((s) => [s.value.sku, s])),
    nodes,
  }
}

/** Until this commits, another transaction that raises it waits. Raised first, settings are put by one at a time. */
export async function raiseVersion(sql: Queryable): Promise<void> {
  await sql`update catalog_version set version = version + 1`
}

/** A bundle of what is no plain SKU: it does not exist, or is a bundle itself. */
export class BundleUnfit extends Error {
  readonly code = 'bundle_unfit'
  readonly bundle: string
  readonly component: string
  readonly exists: boolean

  constructor(bundle: string, component: string, exists: boolean) {
    super(`the bundle ${bundle} cannot hold ${component}`)
    this.bundle = bundle
    this.component = component
    this.exists = exists
  }
}

/** A SKU that is to become a bundle while something stands on its being plain. */
export class SkuInUse extends Error {
  readonly code = 'sku_in_use'
  readonly use: SkuUse

  constructor(use: SkuUse) {
    super(`${use.sku} is in use, and cannot become a bundle`)
    this.use = use
  }
}

/**
 * All or none. Throws BundleUnfit, also when what is made a bundle here is a component elsewhere; SkuInUse when it has
 * stock.
 */
export async function putSkus(sql: Sql, skus: readonly Sku[]): Promise<void> {
  await sql.begin(async (tx) => {
    await raiseVersion(tx)
    await writeSkus(tx, skus)
  })
}

/** The same for a caller that has raised the version. */
export async function writeSkus(tx: Transaction, skus: readonly Sku[]): Promise<void> {
  const bundles = skus.filter((s) => s.bundle.length > 0).map((s) => s.sku)
  const turned = bundles.length === 0 ? [] : await turnedIntoBundles(tx, bundles)
  const given = tx`
      (select detail ->> 'sku' as sku, detail
       from jsonb_array_elements(${JSON.stringify(skus)}::text::jsonb) as detail) as r`
  await tx`update sku s set detail = r.detail from ${given} where s.sku = r.sku`
  // A row that is there already would have taken a number before it is found to conflict.
  await tx`
      insert into sku (sku, detail)
      select sku, detail from ${given} where not exists (select from sku s where s.sku = r.sku) order by sku
      on conflict (sku) do update set detail = excluded.detail`
  // Seen whole, since settings are put by one at a time.
  const unfit = bundles.length === 0 ? undefined : await unfitBundle(tx, bundles)
  if (unfit !== undefined) throw new BundleUnfit(unfit.bundle, unfit.component, unfit.exists)
  const use = turned.length === 0 ? undefined : await useOf(tx, turned)
  if (use !== undefined) throw new SkuInUse(use)
}

/** Those that are plain until now: only they can be in use. No stock of them is posted from here on. */
async function turnedIntoBundles(tx: Transaction, bundles: readonly string[]): Promise<readonly string[]> {
  const turned = await tx<{ sku: string }[]>`
    select sku from sku where sku = any(${bundles as string[]}) and coalesce(jsonb_array_length(detail -> 'bundle'), 0) = 0`
  if (turned.length > 0) await keepStockAsItIs(tx)
  return turned.map((r) => r.sku)
}

async function unfitBundle(tx: Queryable, bundles: readonly string[]) {
  const [unfit] = await tx<{ bundle: string; component: string; exists: boolean }[]>`
    select b.sku as bundle, c.sku as component, known.sku is not null as exists
    from sku b cross join lateral jsonb_to_recordset(b.detail -> 'bundle') as c (sku text)
    left join sku known on known.sku = c.sku
    where jsonb_array_length(b.detail -> 'bundle') > 0
      and (known.sku is null and b.sku = any(${bundles})
        or jsonb_array_length(known.detail -> 'bundle') > 0 and (b.sku = any(${bundles}) or c.sku = any(${bundles})))
    order by 1, 2 limit 1`
  return unfit
}

export class NodeKeyTaken extends Error {
  readonly code = 'node_key_taken'
}

/** A node that does not exist cannot keep its key. */
export class NodeKeyMissing extends Error {
  readonly code = 'node_key_missing'
}

export interface NodeToPut {
  readonly node: Node
  /** null: keeps the key that it has. */
  readonly apiKeyHash: Buffer | null
  /**
   * Epoch milliseconds until which the key before this one is taken too; null: at once no more. Absent means the same,
   * but where the node keeps its key: then the one before it stays what it is.
   */
  readonly previousKeyUntil?: number | null
}

export interface NodesPut {
  /** Those that were made by this call. */
  readonly created: readonly string[]
  /** What changed for Redis: another safety stock was carried into the rows of a node. */
  readonly deltas: readonly NodeDelta[]
}

/**
 * One transaction. Throws NodeKeyTaken, or Postgres' 23505, on a key that is taken from another node; NodeKeyMissing on
 * a new node without a key.
 */
export async function putNodes(sql: Sql, nodes: readonly NodeToPut[]): Promise<NodesPut> {
  return await sql.begin(async (tx) => {
    await raiseVersion(tx)
    return await writeNodes(tx, nodes)
  })
}

/** The same for a caller that has raised the version. */
export async function writeNodes(tx: Transaction, nodes: readonly NodeToPut[]): Promise<NodesPut> {
  const rows = nodes.map((n) => ({
    node: n.node.node,
    detail: n.node,
    hash: n.apiKeyHash?.toString('hex') ?? null,
    until: n.previousKeyUntil ?? null,
    stays: n.apiKeyHash === null && n.previousKeyUntil === undefined,
  }))
  const given = tx`
      jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
        as r (node text, detail jsonb, hash text, until bigint, stays boolean)`
  // In the order in which every transaction locks nodes, so that no two wait for each other.
  await tx`select from node where node = any(${nodes.map((n) => n.node.node)}) order by node for update`
  const isNew = tx`not exists (select from node known where known.node = r.node)`
  const taken = await tx`
      select from node n join ${given} on n.previous_key_hash = decode(r.hash, 'hex')
      where n.node <> r.node and n.previous_key_until > now()
      union all
      select from node n join ${given} on n.api_key_hash = decode(r.hash, 'hex') where ${isNew}`
  if (taken.count > 0) throw new NodeKeyTaken('another node’s key, or was until lately')
  const keyless = await tx`select from ${given} where r.hash is null and ${isNew}`
  if (keyless.count > 0) throw new NodeKeyMissing('a new node without a key')
  // A row that is there already, or is refused, would have taken a number first.
  const made = await tx<{ node: string }[]>`
      insert into node (node, detail, api_key_hash)
      select node, detail, decode(hash, 'hex') from ${given} where ${isNew} order by node
      on conflict (node) do nothing returning node`
  if (made.length < rows.length) {
    // Told the same key twice, the one before it stays the one before it. With no new key, one whose time is over is gone.
    const isSame = tx`coalesce(n.api_key_hash = decode(r.hash, 'hex'), true)`
    const isGone = tx`(r.until is null or r.hash is null and n.previous_key_until <= now())`
    await tx`
      update node n set detail = r.detail, api_key_hash = coalesce(decode(r.hash, 'hex'), n.api_key_hash),
        previous_key_hash = case when r.stays then n.previous_key_hash when ${isGone} then null
          when ${isSame} then n.previous_key_hash else n.api_key_hash end,
        previous_key_until = case when r.stays then n.previous_key_until when ${isGone} then null
          when ${isSame} and n.previous_key_hash is null then null else to_timestamp(r.until / 1000.0) end
      from ${given}
      where n.node = r.node and not (r.node = any(${made.map((m) => m.node)}))`
  }
  const created = made.map((r) => r.node)
  const deltas: NodeDelta[] = []
  for (const node of rows.map((r) => r.node).toSorted()) {
    // A node that is new has no stock yet.
    const delta = created.includes(node) ? null : await followSafety(tx, node)
    if (delta !== null) deltas.push(delta)
  }
  return { created, deltas }
}

/** By its key, or by the one before it while that is still taken. */
export async function nodeOfApiKey(sql: Queryable, hash: Buffer): Promise<string | null> {
  const [row] = await sql<{ node: string }[]>`
    select node from node where api_key_hash = ${hash}
    union all
    select node from node where previous_key_hash = ${hash} and previous_key_until > now()
    limit 1`
  return row?.node ?? null
}
