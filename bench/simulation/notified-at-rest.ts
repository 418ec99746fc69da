/** What must be true in the end of orders that the platform only notified of: each shows its last version. */
import { channels } from '../../adapters/channels/channels.ts'
import type { Tables } from '../../adapters/store/memory/tables.ts'
import { keyOf } from '../../adapters/store/orders/load.ts'
import type { OrderSnapshot } from '../../router/types.ts'
import type { NotifiedStory } from './notified-story.ts'

export function notifiedBreach(tables: Tables, stories: readonly NotifiedStory[]): string | null {
  for (const story of stories) {
    const id = tables.idByKey.get(keyOf(story))
    const snapshot = id === undefined ? null : tables.orders.get(id)!.snapshot
    if (snapshot === null) return `order ${story.orderId} was notified of and never fetched`
    const settings = { shop: story.shop, skuMap: {} }
    const last = channels.wechat.normalise('order', story.versions.at(-1)!.body, settings) as OrderSnapshot
    if (textOf(snapshot) !== textOf(last)) return `order ${story.orderId} shows what was true before its last change`
  }
  return null
}

/** All that changes in a story. */
function textOf({ platformState, modifiedAt, lines, receiver }: OrderSnapshot): string {
  return JSON.stringify([platformState, modifiedAt, lines.map(({ refund }) => refund), receiver.province])
}
