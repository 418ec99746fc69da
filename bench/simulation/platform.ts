/** Platforms: they tell a story's events late, shuffled, twice, sometimes with another body, until each is acknowledged. */
import type { InboxEvent } from '../../adapters/store/inbox/event.ts'
import type { Ledger } from './ledger.ts'
import { conflicting, type Story } from './story.ts'
import type { WarehouseContext } from './warehouse.ts'

export interface PlatformContext extends WarehouseContext {
  readonly ledger: Ledger
  /** A deliberate fault: the answer goes out before the event is stored. */
  readonly acksEarly: boolean
}

const delayMsMax = 350
const patienceMs = 60

export function openPlatform(context: PlatformContext, stories: readonly Story[]): { isDone: () => boolean } {
  const { scheduler, random, ledger } = context
  let open = 0
  const send = async (event: InboxEvent): Promise<void> => {
    for (;;) {
      if (await deliver(context, event)) break
      await scheduler.sleep(random.between(5, 40), `${event.eventId} is sent again`)
    }
    open -= 1
  }
  for (const event of stories.flatMap((s) => s.events)) {
    ledger.sent.add(event.eventId)
    const deliveries = [event]
    if (random.chance(0.35)) deliveries.push(event)
    if (random.chance(0.1)) deliveries.push(conflicting(event))
    for (const one of deliveries) {
      open += 1
      scheduler.after(random.below(delayMsMax), `${event.eventId} is sent`, () => void send(one))
    }
  }
  return { isDone: () => open === 0 }
}

async function deliver(
  { scheduler, process, ledger, acksEarly }: PlatformContext,
  event: InboxEvent,
): Promise<boolean> {
  const taker = process()
  if (taker === null) return false
  const taken = taker.take(event).then(
    () => true,
    () => false,
  )
  const acknowledged =
    acksEarly || (await Promise.race([taken, scheduler.sleep(patienceMs, 'a platform hangs up').then(() => false)]))
  if (acknowledged) ledger.acknowledged.set(event.eventId, event)
  return acknowledged
}
