/** Shops and carrier accounts as they are put, with what they sign with. */
import type { Sql } from '../postgres/connect.ts'
import { type PreviousSecrets, type Secrets, sealedSecrets } from '../secrets/credentials.ts'
import type { Vault } from '../secrets/vault.ts'
import { raiseVersion, type ShopRow } from './catalog.ts'

export interface ShopToPut extends ShopRow {
  readonly credentials: Secrets
  /** Also in force until an instant; none when absent. */
  readonly previous?: PreviousSecrets | null
}

export async function putShop(sql: Sql, vault: Vault, shop: ShopToPut): Promise<void> {
  await sql.begin(async (tx) => {
    await raiseVersion(tx)
    const key = [shop.channel, shop.shop] as const
    const sealed = await sealedSecrets(tx, vault, 'shop', key, shop.credentials, shop.previous ?? null)
    await tx`
      insert into shop (channel, shop, sealed, api_base_url, sku_map)
      values (${shop.channel}, ${shop.shop}, ${sealed}, ${shop.apiBaseUrl}, ${tx.json(shop.skuMap)})
      on conflict (channel, shop) do update set credentials = null, sealed = excluded.sealed,
        api_base_url = excluded.api_base_url, sku_map = excluded.sku_map`
  })
}

export interface CarrierAccountToPut {
  readonly carrier: string
  readonly account: string
  readonly credentials: Secrets
  readonly previous?: PreviousSecrets | null
}

export async function putCarrierAccount(sql: Sql, vault: Vault, account: CarrierAccountToPut): Promise<void> {
  await sql.begin(async (tx) => {
    const key = [account.carrier, account.account] as const
    const sealed = await sealedSecrets(tx, vault, 'carrier', key, account.credentials, account.previous ?? null)
    await tx`
      insert into carrier_account (carrier, account, sealed) values (${account.carrier}, ${account.account}, ${sealed})
      on conflict (carrier, account) do update set credentials = null, sealed = excluded.sealed`
  })
}
