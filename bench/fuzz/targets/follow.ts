/** A verified event on its way: normalised, taken into its order, decided, split. */
import { type EventKind, type ReceivedEvent, Unintelligible } from '../../../adapters/channels/channel.ts'
import { channels } from '../../../adapters/channels/channels.ts'
import { splitByConstraint } from '../../../router/split.ts'
import type { ChannelName } from '../../../router/types.ts'
import { workOn } from '../../../workers/decide/take-events.ts'
import { decidingContext, nowMs, settings } from '../samples.ts'
import { expectThat } from '../target.ts'
import { checkOrder, checkSnapshot } from './invariants.ts'

export function follow(channel: ChannelName, event: ReceivedEvent): void {
  normalise(channel, event.kind, event)
  if (event.kind === 'notification' || event.kind === 'unintelligible') return
  const stored = {
    ...{ seq: '1', channel, shop: settings.shop, eventId: event.eventId, orderId: event.orderId },
    ...{ kind: event.kind, body: event.payload, storedAtMs: nowMs },
  }
  const context = decidingContext()
  // A second delivery costs as much as the first: every fourth has one.
  const told = event.payload.length % 4 === 0 ? [stored, { ...stored, seq: '2' }] : [stored]
  const work = workOn(context, told, undefined)
  expectThat(work.events.length === told.length, 'an outcome of each event')
  const [first, second] = work.events.map((e) => e.outcome)
  expectThat(first === 'taken' || first === 'unintelligible', `taken, or kept for a person: ${first}`)
  expectThat(first !== 'taken' || second === undefined || second === 'unchanged', `taken once: ${second}`)
  if (work.decision === null) return
  const { order, demand } = work.decision
  checkOrder(order)
  if (demand.length === 0 || order.snapshot === null) return
  expectThat(order.holds.length === 0 || demand.length > 0, 'units that are wanted')
  const groups = splitByConstraint(demand, order.items, order.snapshot.lines, context.catalog.sku)
  const wanted = demand.reduce((sum, d) => sum + d.quantity, 0)
  const grouped = groups.flatMap((g) => g.demand).reduce((sum, d) => sum + d.quantity, 0)
  expectThat(wanted === grouped, 'every wanted unit in one group')
}

/** `kind` may be a wrong one: then it is refused in the documented way. */
export function normalise(channel: ChannelName, kind: EventKind, { orderId, payload }: ReceivedEvent): void {
  try {
    const snapshot = channels[channel].normalise(kind, payload, settings)
    checkSnapshot(snapshot)
    expectThat(orderId === '' || snapshot.orderId === orderId, 'the order id under which it was received')
  } catch (error) {
    if (!(error instanceof Unintelligible)) throw error
    expectThat(error.message.length < 200, 'a short reason')
  }
}
