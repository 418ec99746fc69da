/**
 * Platforms: they tell a story's events late, shuffled, twice, sometimes with another body, until each is acknowledged. One
 * of them only notifies, and changes its orders meanwhile.
 */
import type { InboxEvent } from '../../adapters/store/inbox/event.ts'
import type { NotifiedStory } from './notified-story.ts'
import type { OutsideContext } from './outside.ts'
import type { SimulatedShop } from './shop-api.ts'
import { conflicting, type Story } from './story.ts'

export interface PlatformContext extends OutsideContext {
  readonly shop: SimulatedShop
  /** A deliberate fault: the answer goes out before the event is stored. */
  readonly acksEarly: boolean
}

export interface Stories {
  readonly told: readonly Story[]
  readonly notified: readonly NotifiedStory[]
}

const delayMsMax = 3_500
const patienceMs = 600

export function openPlatform(context: PlatformContext, { told, notified }: Stories): { isDone: () => boolean } {
  const { scheduler, random, ledger, shop } = context
  let open = 0
  const send = async (event: InboxEvent): Promise<void> => {
    for (;;) {
      if (await deliver(context, event)) break
      await scheduler.sleep(random.between(50, 400), `${event.eventId} is sent again`)
    }
    open -= 1
  }
  const sendIn = (delayMs: number, event: InboxEvent): void => {
    ledger.sent.add(event.eventId)
    open += 1
    scheduler.after(delayMs, `${event.eventId} is sent`, () => void send(event))
  }
  for (const event of told.flatMap((s) => s.events)) {
    sendIn(random.below(delayMsMax), event)
    if (random.chance(0.35)) sendIn(random.below(delayMsMax), event)
    if (random.chance(0.1)) sendIn(random.below(delayMsMax), conflicting(event))
  }
  /** Each version some time after the one before it. */
  const change = (story: NotifiedStory, at: number, delayMsMost: number): void => {
    const { orderId, versions } = story
    const version = versions[at]
    if (version === undefined) return
    open += 1
    scheduler.after(random.below(delayMsMost), `order ${orderId} changes`, () => {
      open -= 1
      shop.publish(orderId, version)
      sendIn(random.below(delayMsMax / 4), version.notification)
      if (random.chance(0.35)) sendIn(random.below(delayMsMax), version.notification)
      change(story, at + 1, delayMsMax / 3)
    })
  }
  for (const story of notified) change(story, 0, delayMsMax / 2)
  return { isDone: () => open === 0 }
}

async function deliver(
  { scheduler, process, ledger, acksEarly }: PlatformContext,
  event: InboxEvent,
): Promise<boolean> {
  const up = process()?.up ?? null
  if (up === null) return false
  const taken = up.intake.store(event).then(
    () => true,
    () => false,
  )
  const acknowledged =
    acksEarly || (await Promise.race([taken, scheduler.sleep(patienceMs, 'a platform hangs up').then(() => false)]))
  if (acknowledged) ledger.acknowledged.set(event.eventId, event)
  return acknowledged
}
