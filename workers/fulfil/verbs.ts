/**
 * What a warehouse or a store does with its tasks: pull, accept, extend, ship, reject, confirm an intercept. Each verb
 * is called alike by an HTTP handler, an adapter of a warehouse system or a command line. A refusal is an outcome, not
 * an error; Postgres away throws as the store does.
 */

import type { InboxEvent } from '../../adapters/store/inbox/event.ts'
import type { TaskStore } from '../../adapters/store/order-store.ts'
import type { Shipped } from '../../adapters/store/tasks/ship.ts'
import type { Accepted, Extended, PulledTask } from '../../adapters/store/tasks/tasks.ts'
import { type Command, nodeActor } from '../../router/commands.ts'
import type { RejectReason } from '../../router/reasons.ts'
import { type GivenBackAs, type Package, reasonOf, type ShipWords, type TaskRefusal } from '../../router/task.ts'
import type { SkuQuantity } from '../../router/types.ts'
import type { Dispatch } from '../decide/dispatch.ts'
import { commandEvent } from '../intake/commands.ts'
import type { Clock } from '../process/clock.ts'
import type { Reconciler } from '../settle/reconciler.ts'
import { shipOutside } from './parcels.ts'
import type { Waiting } from './waiting.ts'

export interface FulfilContext {
  readonly store: TaskStore
  readonly dispatch: Pick<Dispatch, 'push' | 'decided'>
  readonly reconciler: Pick<Reconciler, 'now'>
  readonly waiting: Waiting
  readonly clock: Clock
  /** No further work is leased: the process is about to end. */
  readonly isStopping: () => boolean
}

/** One node's claim on one task: what a pull gave it. */
export interface Claim {
  readonly node: string
  readonly taskId: string
  readonly fence: number
}

// How long a hand-back waits for its decision before it answers anyway.
const decisionWaitMs = 5_000

export interface PullWish {
  readonly limit: number
  readonly leaseSeconds: number
  /** How long the caller is ready to wait for work. */
  readonly waitSeconds: number
}

/** Leases work of a node, waits for some when there is none. `signal`: the caller is gone. */
export async function pull(
  { store, waiting, clock, isStopping }: FulfilContext,
  node: string,
  { limit, leaseSeconds, waitSeconds }: PullWish,
  signal: AbortSignal,
): Promise<readonly PulledTask[]> {
  const until = clock.now() + waitSeconds * 1000
  for (;;) {
    // What would be leased now, the caller would not get.
    if (signal.aborted || isStopping()) return []
    const tasks = await store.pullTasks(node, limit, leaseSeconds)
    if (signal.aborted) await store.endLeases(tasks)
    if (tasks.length > 0 || clock.now() >= until) return tasks
    if (!(await waiting.pause(until - clock.now()))) return []
  }
}

/** `change`: what changed after the pull and is taken with this. */
export async function accept(
  { store }: FulfilContext,
  { node, taskId, fence }: Claim,
  change?: number,
): Promise<Accepted> {
  return await store.acceptTask(node, taskId, fence, change)
}

export async function extend(
  { store }: FulfilContext,
  { node, taskId, fence }: Claim,
  leaseSeconds: number,
): Promise<Extended> {
  return await store.extendLease(node, taskId, fence, leaseSeconds)
}

/** Some packages of the task leave the node; packages that were told before have no second effect. */
export async function ship(
  context: FulfilContext,
  { node, taskId, fence }: Claim,
  packages: readonly Omit<Package, 'shippedAt'>[],
  words: ShipWords = {},
): Promise<Shipped | UnitsInHand> {
  const { store, reconciler, clock } = context
  const shippedAt = clock.now()
  const done = await store.shipTask(
    node,
    taskId,
    fence,
    packages.map((p) => ({ ...p, shippedAt })),
    words,
  )
  if ('orderId' in done) await reconciler.now([done.orderId])
  const isBack = done.outcome === 'wrong_state' && done.state === 'cancelled'
  return isBack && words.alreadyGone === true ? await leftAfterAll(context, { node, taskId, fence }, packages) : done
}

/** A task that was handed back, and its parcels are gone all the same: they are booked beside it. */
async function leftAfterAll(
  context: FulfilContext,
  { node, taskId }: Claim,
  packages: readonly Omit<Package, 'shippedAt'>[],
): Promise<Shipped | UnitsInHand> {
  const given = { actor: nodeActor(node), note: '' }
  let orderId = ''
  for (const { carrier, waybill, lines } of packages) {
    const told = { node, carrier, waybill, lines, alreadyGone: true } as const
    const done = await shipOutside(context, { node, taskId }, told, given)
    switch (done.outcome) {
      case 'booked':
        orderId = done.orderId
        break
      case 'already_booked':
        break
      case 'units_in_hand':
      case 'lines_do_not_match':
        return done
      default:
        return { outcome: 'wrong_state', state: 'cancelled' }
    }
  }
  return { outcome: 'shipped', orderId }
}

/** Another warehouse has the units in hand, so that they could leave twice. */
export interface UnitsInHand {
  readonly outcome: 'units_in_hand'
  readonly sku: string
}

export type HandedBack = TaskRefusal | { readonly outcome: 'given_back' } | { readonly outcome: 'already_given_back' }

/** `lines`: what is wrong with the goods, for reasons that say so. As a rule decided when it returns. */
export async function reject(
  context: FulfilContext,
  claim: Claim,
  reason: RejectReason,
  lines: readonly SkuQuantity[],
  note: string,
): Promise<HandedBack> {
  return await handBackAndWait(context, claim, { state: 'rejected', reason, lines }, note)
}

/** The owner confirms that nothing leaves: the units are free. As a rule decided when it returns. */
export async function confirmIntercept(context: FulfilContext, claim: Claim, note: string): Promise<HandedBack> {
  return await handBackAndWait(context, claim, { state: 'intercepted' }, note)
}

async function handBackAndWait(
  context: FulfilContext,
  claim: Claim,
  how: GivenBackAs,
  note: string,
): Promise<HandedBack> {
  const done = await handBack(context, claim, how, { actor: nodeActor(claim.node), note })
  if (done.outcome !== 'given_back') return done
  await context.dispatch.decided(done.seq, decisionWaitMs)
  return { outcome: 'given_back' }
}

type HandBackContext = Pick<FulfilContext, 'store' | 'clock'> & { readonly dispatch: Pick<Dispatch, 'push'> }

/** Durable when it returns: the command that decides about the task is in the inbox, and in memory. */
export async function handBack(
  { store, clock, dispatch }: HandBackContext,
  claim: Claim,
  how: GivenBackAs,
  given: Pick<Command, 'actor' | 'note'>,
) {
  const { node, taskId, fence } = claim
  const lines = how.state === 'rejected' ? how.lines : []
  let event: InboxEvent | null = null
  const done = await store.giveBack(node, taskId, fence, how, (order) => {
    event = commandEvent(
      order,
      { type: 'take_back', taskId, why: reasonOf(how), lines, ...given },
      clock.now(),
      `${taskId}.${fence}`,
    )
    return event
  })
  if (done.outcome === 'given_back') {
    const { channel, shop, eventId, orderId, kind, body } = event!
    dispatch.push([{ seq: done.seq, channel, shop, eventId, orderId, kind, body, storedAtMs: clock.now() }])
  }
  return done
}
