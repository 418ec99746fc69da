/** What an order comes to when its events come once, in order, with nothing else at work: and what is compared. */

import { channels } from '../../adapters/channels/channels.ts'
import { MemoryStock } from '../../adapters/stock/memory.ts'
import { hashed } from '../../adapters/store/inbox/event.ts'
import { MemoryStore } from '../../adapters/store/memory/store.ts'
import { keyOf } from '../../adapters/store/orders/load.ts'
import type { Divisions } from '../../router/address.ts'
import { defaultPolicy } from '../../router/policy.ts'
import type { Order } from '../../router/types.ts'
import { Availability } from '../../workers/catalog/availability.ts'
import type { Catalog } from '../../workers/catalog/catalog.ts'
import { CounterKeeper } from '../../workers/counters/counter-keeper.ts'
import type { KeptCounters } from '../../workers/counters/kept-counters.ts'
import { decideBatch } from '../../workers/decide/decide-batch.ts'
import { nodes, skus } from './network.ts'
import type { NotifiedStory } from './notified-story.ts'
import type { Stories } from './platform.ts'
import type { Story } from './story.ts'

/** More than all orders of a world want. */
const plenty = 1_000

class SoundCounters extends MemoryStock implements KeptCounters {
  async connect(): Promise<void> {}

  async scriptsLoaded(): Promise<boolean> {
    return true
  }

  reloadAll(): Promise<never> {
    return Promise.reject(new Error('nothing is ever lost here'))
  }

  tellOthers(): void {}

  close(): void {}
}

/** By order id. */
export async function inOrder(
  { told, notified }: Stories,
  catalog: Catalog,
  divisions: Divisions,
  nowMs: number,
): Promise<ReadonlyMap<string, string>> {
  const store = new MemoryStore({ nodes: nodes.map((node) => ({ node, safety: 0 })) }, () => nowMs)
  store.tables.epoch = 1
  const counters = new SoundCounters()
  const availability = Availability.sized(8, 1_024)
  for (const node of nodes) {
    const lines = skus.map((sku) => ({ sku, quantity: plenty }))
    await store.postStock({ node, ref: 'all', kind: 'set', lines, bodyHash: Buffer.alloc(0) })
    await counters.reload(
      1,
      node,
      1,
      skus.map((sku) => ({ sku, atp: plenty })),
    )
    for (const sku of skus) availability.set(catalog.nodeNo(catalog.nodeIndex.get(node)!), catalog.skuNo(sku), plenty)
  }
  const keeper = new CounterKeeper(store, counters, 'o')
  await keeper.open()
  const context = {
    store,
    keeper,
    catalog,
    divisions,
    policy: defaultPolicy,
    availability,
    now: () => nowMs,
    logBug: fail,
  }
  const ends = new Map<string, string>()
  for (const { orderId, events } of [...told, ...notified.map(fetchedInOrder)]) {
    for (const event of events) {
      const [stored] = await store.storeEvents([event])
      if (stored?.outcome === 'new') await decideBatch(context, [{ ...event, seq: stored.seq, storedAtMs: nowMs }])
    }
    const key = keyOf(events[0]!)
    ends.set(orderId, endOf(store.tables.orders.get(store.tables.idByKey.get(key)!)!))
  }
  return ends
}

/** Each version fetched before the next one comes about. */
function fetchedInOrder({ versions, ...story }: NotifiedStory): Story {
  const events = versions.map(({ body }, i) => {
    const { eventId, orderId, kind, occurredAt } = channels.wechat.fetch!.eventOf(body, String(i + 1))
    return hashed({ channel: 'wechat', shop: story.shop, eventId, orderId, kind, occurredAt, body })
  })
  return { ...story, events }
}

function fail(_: unknown, error: unknown): never {
  throw error
}

/** What does not depend on where it was sourced, nor on which of two bodies of one event came first. */
export function endOf({ state, snapshot, refunds, holds, cancelledBy, items, allocations }: Order): string {
  const places = new Map<string, number>()
  for (const { item, place, quantity } of allocations) {
    const key = `${String(item).padStart(3, '0')} ${place}`
    places.set(key, (places.get(key) ?? 0) + quantity)
  }
  return JSON.stringify({
    ...{ state, refunds, holds, cancelledBy, items, places: [...places].sort() },
    snapshot: snapshot === null ? null : { ...snapshot, sellerMemo: '', fetchNumber: 0 },
  })
}
