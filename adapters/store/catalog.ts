/**
 * Settings: shops, SKUs, nodes, carrier accounts. Small, read whole into memory by whoever decides, and read again when
 * `catalog_version` has risen.
 */
import type { ChannelName, Node, Sku } from '../../router/types.ts'
import type { Queryable, Sql } from './connect.ts'

export interface ShopRow {
  readonly channel: ChannelName
  readonly shop: string
  readonly credentials: Readonly<Record<string, string>>
  readonly apiBaseUrl: string | null
  readonly skuMap: Readonly<Record<string, string>>
}

/** `no` is the row or column of the availability hints. */
export interface Numbered<T> {
  readonly no: number
  readonly value: T
}

export interface Catalog {
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
export async function loadCatalog(sql: Queryable): Promise<Catalog> {
  const version = await catalogVersion(sql)
  const [shops, skus, nodes] = await Promise.all([
    sql<ShopRow[]>`select channel, shop, credentials, api_base_url as "apiBaseUrl", sku_map as "skuMap" from shop`,
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

async function raiseVersion(sql: Queryable): Promise<void> {
  await sql`update catalog_version set version = version + 1`
}

export async function putShop(sql: Sql, shop: ShopRow): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`
      insert into shop (channel, shop, credentials, api_base_url, sku_map)
      values (${shop.channel}, ${shop.shop}, ${tx.json(shop.credentials)}, ${shop.apiBaseUrl}, ${tx.json(shop.skuMap)})
      on conflict (channel, shop) do update set credentials = excluded.credentials,
        api_base_url = excluded.api_base_url, sku_map = excluded.sku_map`
    await raiseVersion(tx)
  })
}

export async function putSkus(sql: Sql, skus: readonly Sku[]): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`
      insert into sku (sku, detail)
      select detail ->> 'sku', detail from jsonb_array_elements(${JSON.stringify(skus)}::text::jsonb) as detail
      on conflict (sku) do update set detail = excluded.detail`
    await raiseVersion(tx)
  })
}

/** Whether each was made by this call, in the order of `nodes`; a change of safety stock is the caller's to carry into `stock`. */
export async function putNodes(
  sql: Sql,
  nodes: readonly { readonly node: Node; readonly apiKeyHash: Buffer }[],
): Promise<{ readonly created: readonly string[] }> {
  return await sql.begin(async (tx) => {
    const rows = nodes.map((n) => ({ node: n.node.node, detail: n.node, hash: n.apiKeyHash.toString('hex') }))
    const made = await tx<{ node: string }[]>`
      insert into node (node, detail, api_key_hash)
      select node, detail, decode(hash, 'hex')
      from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r (node text, detail jsonb, hash text)
      on conflict (node) do nothing returning node`
    if (made.length < rows.length) {
      await tx`
        update node n set detail = r.detail, api_key_hash = decode(r.hash, 'hex')
        from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r (node text, detail jsonb, hash text)
        where n.node = r.node`
    }
    await raiseVersion(tx)
    return { created: made.map((r) => r.node) }
  })
}

export async function nodeOfApiKey(sql: Queryable, hash: Buffer): Promise<string | null> {
  const [row] = await sql<{ node: string }[]>`select node from node where api_key_hash = ${hash}`
  return row?.node ?? null
}

export async function putCarrierAccount(
  sql: Sql,
  account: {
    readonly carrier: string
    readonly account: string
    readonly credentials: Readonly<Record<string, string>>
  },
): Promise<void> {
  await sql`
    insert into carrier_account (carrier, account, credentials)
    values (${account.carrier}, ${account.account}, ${sql.json(account.credentials)})
    on conflict (carrier, account) do update set credentials = excluded.credentials`
}

export async function carrierCredentials(
  sql: Queryable,
  carrier: string,
  account: string,
): Promise<Readonly<Record<string, string>> | null> {
  const [row] = await sql<{ credentials: Record<string, string> }[]>`
    select credentials from carrier_account where carrier = ${carrier} and account = ${account}`
  return row?.credentials ?? null
}

/** The value kept under a key, or the given one kept from now on: whoever comes first decides for all. */
export async function settingOrKeep(sql: Queryable, key: string, value: string): Promise<string> {
  await sql`insert into setting (key, value) values (${key}, to_jsonb(${value}::text)) on conflict do nothing`
  const [row] = await sql<{ value: string }[]>`select value #>> '{}' as value from setting where key = ${key}`
  return row!.value
}
