/** A batch's events by order, and what each order's events come to. One bad event spoils neither its batch nor its order. */
import { keyOf, type Loaded } from '../../adapters/store/orders/load.ts'
import type { ChannelName } from '../../router/types.ts'
import type { EventToDecide } from './batch.ts'
import { type Work, type WorkContext, workOn } from './take-events.ts'

/** Of the orders that are known by a name. */
export function keysOf(groups: Groups) {
  return [...groups.values()]
    .map((g) => g[0]!)
    .filter((e) => e.orderId !== '')
    .map((e) => ({ channel: e.channel as ChannelName, shop: e.shop, orderId: e.orderId }))
}

/** Events without an order (their bodies could not be read) stand alone. */
export function groupByOrder(events: readonly EventToDecide[]): Map<string, EventToDecide[]> {
  const groups = new Map<string, EventToDecide[]>()
  for (const event of events) {
    const key = event.orderId === '' ? event.seq : keyOf(event)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [event])
    else group.push(event)
  }
  for (const group of groups.values()) group.sort((a, b) => Number(a.seq) - Number(b.seq))
  return groups
}

export type Groups = ReadonlyMap<string, readonly EventToDecide[]>

/** Those whose orders were read, or are new; and those whose orders were left for later. */
export function parted(groups: Groups, left: ReadonlySet<string>): readonly [now: Groups, later: Groups] {
  if (left.size === 0) return [groups, new Map()]
  const now = new Map<string, readonly EventToDecide[]>()
  const later = new Map<string, readonly EventToDecide[]>()
  for (const [key, group] of groups) (left.has(key) ? later : now).set(key, group)
  return [now, later]
}

/**
 * Items of orders that are placed and committed together. A batch is bounded in bytes of bodies, and bundles make of a short line
 * up to fifty items, of a kilobyte each on the way. A full batch of a wholesaler's orders comes to half of it.
 */
const partItemsMax = 10_000

/**
 * What each order's events come to, in parts: the next one is made when the one before is done with. `leaveOut` is told of events
 * that no code of ours gets through, and why.
 */
export function* workInParts(
  context: WorkContext,
  groups: Groups,
  loaded: ReadonlyMap<string, Loaded>,
  leaveOut: (spoilt: readonly EventToDecide[], error: unknown) => void,
): Generator<readonly Work[]> {
  let works: Work[] = []
  let items = 0
  for (const [key, group] of groups) {
    const work = workOnSound(context, group, loaded.get(key), leaveOut)
    if (work === null) continue
    works.push(work)
    items += work.decision?.order.items.length ?? 0
    if (items < partItemsMax) continue
    yield works
    works = []
    items = 0
  }
  if (works.length > 0) yield works
}

/** What an order's events come to, without those that spoil it: each of these is left out alone. */
function workOnSound(
  context: WorkContext,
  group: readonly EventToDecide[],
  loaded: Loaded | undefined,
  leaveOut: (spoilt: readonly EventToDecide[], error: unknown) => void,
): Work | null {
  let sound = group
  while (sound.length > 0) {
    try {
      return workOn(context, sound, loaded)
    } catch (error) {
      const spoilt = sound.filter((event) => spoils(context, event, loaded))
      // None of them alone: then it is what they come to together.
      const aside = spoilt.length > 0 ? spoilt : sound
      leaveOut(aside, error)
      sound = sound.filter((event) => !aside.includes(event))
    }
  }
  return null
}

function spoils(context: WorkContext, event: EventToDecide, loaded: Loaded | undefined): boolean {
  try {
    workOn(context, [event], loaded)
    return false
  } catch {
    return true
  }
}
