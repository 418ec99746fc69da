/** Settings as people ask for them, a page at a time in the sequence of their keys. What signs never leaves: see Named. */
import type { Node } from '../../../router/node.ts'
import type { ChannelName, Sku } from '../../../router/types.ts'
import type { Queryable } from '../postgres/connect.ts'
import { type ReadEntry, readSecretsOf, type SecretKind } from '../secrets/credentials.ts'
import type { Vault } from '../secrets/vault.ts'

/** One setting by its key, or a page of those behind a key. */
export type Which<Key extends string | readonly [string, string]> =
  | { readonly key: Key }
  | { readonly after: Key | null; readonly limit: number }

/** What may be known of secrets. */
export interface Named {
  /** null: nobody here can open them. */
  readonly credentialKeys: readonly string[] | null
  /** null: only the current ones are taken. */
  readonly previousUntil: number | null
}

export interface ShownShop extends Named {
  readonly channel: ChannelName
  readonly shop: string
  readonly apiBaseUrl: string | null
  readonly skuMapEntries: number
}

export async function listShops(
  sql: Queryable,
  vault: Vault,
  which: Which<readonly [channel: string, shop: string]>,
  nowMs: number,
): Promise<ShownShop[]> {
  const rows = await sql<Omit<ShownShop, keyof Named>[]>`
    select channel, shop, api_base_url as "apiBaseUrl",
      (select count(*)::int from jsonb_object_keys(sku_map)) as "skuMapEntries"
    from shop where ${pairs(sql, which, 'channel', 'shop')}`
  const keys = rows.map((row) => [row.channel, row.shop] as const)
  const named = await namedOf(sql, vault, 'shop', keys, nowMs)
  return rows.map((row, at) => ({ ...row, ...named[at]! }))
}

export async function skuMapOf(
  sql: Queryable,
  { channel, shop }: { readonly channel: string; readonly shop: string },
): Promise<Readonly<Record<string, string>>> {
  const [row] = await sql<{ skuMap: Record<string, string> }[]>`
    select sku_map as "skuMap" from shop where channel = ${channel} and shop = ${shop}`
  return row?.skuMap ?? {}
}

export interface ShownCarrierAccount extends Named {
  readonly carrier: string
  readonly account: string
}

export async function listCarrierAccounts(
  sql: Queryable,
  vault: Vault,
  which: Which<readonly [carrier: string, account: string]>,
  nowMs: number,
): Promise<ShownCarrierAccount[]> {
  const rows = await sql<Omit<ShownCarrierAccount, keyof Named>[]>`
    select carrier, account from carrier_account where ${pairs(sql, which, 'carrier', 'account')}`
  const keys = rows.map((row) => [row.carrier, row.account] as const)
  const named = await namedOf(sql, vault, 'carrier', keys, nowMs)
  return rows.map((row, at) => ({ ...row, ...named[at]! }))
}

/**
 * With a prefix, those that begin with it. In a database of the locale C, as the embedded one, the index of the key leads
 * straight to them; in another one it is walked along until a page is full.
 */
export async function listSkus(sql: Queryable, which: Which<string>, prefix = ''): Promise<Sku[]> {
  const rows = await sql<{ detail: Sku }[]>`
    select detail from sku where starts_with(sku, ${prefix}) and ${single(sql, which, 'sku')}`
  return rows.map(({ detail }) => detail)
}

export interface ShownNode extends Node {
  /** Epoch milliseconds; null: only the current key is taken. */
  readonly previousApiKeyUntil: number | null
}

export async function listNodes(sql: Queryable, which: Which<string>): Promise<ShownNode[]> {
  const rows = await sql<{ detail: Node; until: number | null }[]>`
    select detail, case when previous_key_until > now() then floor(extract(epoch from previous_key_until) * 1000)::float8
      end as until
    from node where ${single(sql, which, 'node')}`
  return rows.map(({ detail, until }) => ({ ...detail, previousApiKeyUntil: until }))
}

function single(sql: Queryable, which: Which<string>, column: string) {
  const name = sql(column)
  if ('key' in which) return sql`${name} = ${which.key}`
  // No key is empty.
  return sql`${name} > ${which.after ?? ''} order by ${name} limit ${which.limit}`
}

function pairs(sql: Queryable, which: Which<readonly [string, string]>, first: string, second: string) {
  const [one, other] = [sql(first), sql(second)]
  if ('key' in which) return sql`${one} = ${which.key[0]} and ${other} = ${which.key[1]}`
  const [a, b] = which.after ?? ['', '']
  return sql`(${one}, ${other}) > (${a}, ${b}) order by ${one}, ${other} limit ${which.limit}`
}

/** In the sequence of the keys. One that was put anew meanwhile shows what it holds by then. */
async function namedOf(
  sql: Queryable,
  vault: Vault,
  kind: SecretKind,
  keys: readonly (readonly [string, string])[],
  nowMs: number,
): Promise<Named[]> {
  const entries = await readSecretsOf(sql, vault, kind, keys)
  const byKey = new Map(entries.map((entry) => [JSON.stringify([entry.group, entry.name]), entry]))
  return keys.map((key) => shown(byKey.get(JSON.stringify(key)), nowMs))
}

function shown(entry: ReadEntry | undefined, nowMs: number): Named {
  if (entry?.read.outcome !== 'kept') return { credentialKeys: null, previousUntil: null }
  const { current, previous, previousUntil } = entry.read.kept
  const isInForce = previous !== null && nowMs < previousUntil
  return { credentialKeys: Object.keys(current).sort(), previousUntil: isInForce ? previousUntil : null }
}
