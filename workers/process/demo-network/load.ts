/** Puts the demo network into an empty database: settings, then opening stock as one count a node. */
import { createHash } from 'node:crypto'
import { sha256 } from '../../../adapters/http/secrets.ts'
import { putNodes, putSkus } from '../../../adapters/store/catalog/catalog.ts'
import { putCarrierAccount, putShop } from '../../../adapters/store/catalog/put-sealed.ts'
import type { Sql } from '../../../adapters/store/postgres/connect.ts'
import type { Vault } from '../../../adapters/store/secrets/vault.ts'
import { postStock } from '../../../adapters/store/stock/stock.ts'
import type { DemoNetwork } from './network.ts'

// Nodes whose stock is posted at once, if there are enough connections: their commits share what it takes to be durable.
const lanes = 4

/** Nothing that a person put there may be mixed with a demo. */
export async function isEmpty(sql: Sql): Promise<boolean> {
  const [found] = await sql`
    select 1 where exists (select from shop) or exists (select from node) or exists (select from sku) or exists (select from inbox)`
  return found === undefined
}

/** Some 55,000 stock rows; a few seconds. Run before the service reads its settings. */
export async function loadNetwork(sql: Sql, vault: Vault, network: DemoNetwork): Promise<void> {
  await putSkus(sql, network.skus)
  await putNodes(
    sql,
    network.nodes.map(({ apiKey, ...node }) => ({ node, apiKeyHash: sha256(apiKey) })),
  )
  for (const shop of network.shops) await putShop(sql, vault, shop)
  const { account, salt } = network.kuaidi100
  await putCarrierAccount(sql, vault, { carrier: 'kuaidi100', account, credentials: { salt } })
  const lines = new Map<string, { sku: string; quantity: number }[]>()
  for (const { node, sku, onHand } of network.stock) {
    const ofNode = lines.get(node) ?? []
    ofNode.push({ sku, quantity: onHand })
    lines.set(node, ofNode)
  }
  const waiting = lines.entries()
  const lane = async (): Promise<void> => {
    for (const [node, ofNode] of waiting) {
      const bodyHash = createHash('sha256').update(JSON.stringify(ofNode)).digest()
      const done = await postStock(sql, { node, ref: 'opening', kind: 'set', lines: ofNode, bodyHash })
      if (done.outcome !== 'posted') throw new Error(`the opening stock of ${node} was not posted: ${done.outcome}`)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** The one network that the demo and the bench know. */
export const demoSeed = 1
