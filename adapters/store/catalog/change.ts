/**
 * A setting changed in part: read, changed and written in one transaction that no other change of it runs beside. What
 * becomes of it is a plain function of what it is; what it does not name stays.
 */
import type { Node } from '../../../router/node.ts'
import type { NodeDelta } from '../../../router/stock.ts'
import type { ChannelName, Sku } from '../../../router/types.ts'
import type { Sql, Transaction } from '../postgres/connect.ts'
import { type Kept, type Read, readSecrets, seal } from '../secrets/credentials.ts'
import type { Vault } from '../secrets/vault.ts'
import { type NodeToPut, raiseVersion, type ShopRow, writeNodes, writeSkus } from './catalog.ts'

/** What a change makes of what is there; `refused`: it stays as it is, and why. */
export type Change<After, Why> = { readonly after: After } | { readonly refused: Why }

export type Changed<Why> =
  | { readonly outcome: 'changed' }
  /** There is none. */
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'change_refused'; readonly why: Why }

export interface ShopNow extends Pick<ShopRow, 'apiBaseUrl' | 'skuMap'> {
  readonly secrets: Read
}

export interface ShopAfter extends Pick<ShopRow, 'apiBaseUrl' | 'skuMap'> {
  /** null: as they are, also when nobody can open them. */
  readonly secrets: Kept | null
}

export async function changeShop<Why>(
  sql: Sql,
  vault: Vault,
  { channel, shop }: { readonly channel: ChannelName; readonly shop: string },
  change: (now: ShopNow) => Change<ShopAfter, Why>,
): Promise<Changed<Why>> {
  return await inTurn(sql, async (tx) => {
    const key = [channel, shop] as const
    const secrets = await readSecrets(tx, vault, 'shop', channel, shop, tx`for update`)
    const [row] = await tx<Pick<ShopRow, 'apiBaseUrl' | 'skuMap'>[]>`
      select api_base_url as "apiBaseUrl", sku_map as "skuMap" from shop where channel = ${channel} and shop = ${shop}`
    if (secrets === null || row === undefined) return { outcome: 'absent' }
    const changed = change({ ...row, secrets })
    if ('refused' in changed) return { outcome: 'change_refused', why: changed.refused }
    const { apiBaseUrl, skuMap, secrets: after } = changed.after
    const sealed = after === null ? tx`` : tx`, credentials = null, sealed = ${seal(vault, 'shop', key, after)}`
    await tx`
      update shop set api_base_url = ${apiBaseUrl}, sku_map = ${tx.json(skuMap)} ${sealed}
      where channel = ${channel} and shop = ${shop}`
    return { outcome: 'changed' }
  })
}

export async function changeCarrierAccount<Why>(
  sql: Sql,
  vault: Vault,
  { carrier, account }: { readonly carrier: string; readonly account: string },
  change: (now: Read) => Change<Kept | null, Why>,
): Promise<Changed<Why>> {
  return await sql.begin(async (tx): Promise<Changed<Why>> => {
    const key = [carrier, account] as const
    const now = await readSecrets(tx, vault, 'carrier', carrier, account, tx`for update`)
    if (now === null) return { outcome: 'absent' }
    const changed = change(now)
    if ('refused' in changed) return { outcome: 'change_refused', why: changed.refused }
    if (changed.after === null) return { outcome: 'changed' }
    await tx`
      update carrier_account set credentials = null, sealed = ${seal(vault, 'carrier', key, changed.after)}
      where carrier = ${carrier} and account = ${account}`
    return { outcome: 'changed' }
  })
}

/** Throws what putSkus throws. */
export async function changeSku<Why>(
  sql: Sql,
  sku: string,
  change: (now: Sku) => Change<Sku, Why>,
): Promise<Changed<Why>> {
  return await inTurn(sql, async (tx) => {
    const [row] = await tx<{ detail: Sku }[]>`select detail from sku where sku = ${sku}`
    if (row === undefined) return { outcome: 'absent' }
    const changed = change(row.detail)
    if ('refused' in changed) return { outcome: 'change_refused', why: changed.refused }
    await writeSkus(tx, [changed.after])
    return { outcome: 'changed' }
  })
}

export type NodeChanged<Why> =
  /** `delta`: what changed for Redis. */
  { readonly outcome: 'changed'; readonly delta: NodeDelta | undefined } | Exclude<Changed<Why>, { outcome: 'changed' }>

/** Throws what putNodes throws. */
export async function changeNode<Why>(
  sql: Sql,
  node: string,
  change: (now: Node) => Change<NodeToPut, Why>,
): Promise<NodeChanged<Why>> {
  return await inTurn(sql, async (tx): Promise<NodeChanged<Why>> => {
    const [row] = await tx<{ detail: Node }[]>`select detail from node where node = ${node} for update`
    if (row === undefined) return { outcome: 'absent' }
    const changed = change(row.detail)
    if ('refused' in changed) return { outcome: 'change_refused', why: changed.refused }
    const { deltas } = await writeNodes(tx, [changed.after])
    return { outcome: 'changed', delta: deltas[0] }
  })
}

/** Settings are put by one at a time. Threads read them again only when one of them changed. */
async function inTurn<Outcome extends { readonly outcome: string }>(
  sql: Sql,
  work: (tx: Transaction) => Promise<Outcome>,
): Promise<Outcome> {
  let told: Outcome | undefined
  try {
    await sql.begin(async (tx) => {
      await raiseVersion(tx)
      told = await work(tx)
      if (told.outcome !== 'changed') throw new NothingChanged()
    })
  } catch (error) {
    if (!(error instanceof NothingChanged)) throw error
  }
  return told!
}

class NothingChanged extends Error {}
