import { backordersOf } from '../adapters/store/stock.ts'
import type { ChannelName } from '../router/types.ts'
import { commandEvent } from './commands.ts'
import type { Service } from './context.ts'

// What is left waits for the next arrival or the next round of the sweep.
const backordersPerRound = 500

/** Sources the oldest backorders of some SKUs again. */
export async function restock(service: Service, skus: readonly string[]): Promise<void> {
  if (skus.length === 0) return
  const waiting = await backordersOf(service.sql, skus, backordersPerRound)
  const once = new Map(waiting.map((b) => [`${b.channel}/${b.shop}/${b.orderId}`, b]))
  await Promise.all(
    [...once.values()].map(({ channel, shop, orderId }) =>
      service.intake.storeOwn(
        commandEvent({ channel: channel as ChannelName, shop, orderId }, { type: 'restock' }, Date.now()),
      ),
    ),
  )
}
