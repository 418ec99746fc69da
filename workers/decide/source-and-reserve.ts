/**
 * Sourcing with reservation, for a whole batch: every order plans on the availability, all plans are reserved in Redis
 * at once, and an order that is refused plans again on the fresh figures that came with the refusal. An order over
 * several nodes is all or nothing until the last round; then it keeps what it got and the rest is backordered.
 */

import type { ReleaseRequest, ReserveRequest } from '../../adapters/stock/counters.ts'
import type { Decision } from '../../router/decide.ts'
import { place } from '../../router/place.ts'
import { type Group, splitByConstraint } from '../../router/split.ts'
import type { NewTask } from '../../router/stock.ts'
import type { Task } from '../../router/task.ts'
import type { Order } from '../../router/types.ts'
import { networkOf } from '../catalog/network.ts'
import type { Reserved } from '../counters/stock-keeper.ts'
import { lookAtRedis } from './look-at-redis.ts'
import {
  addAvailable,
  type GroupTrace,
  type PlacingContext,
  type Planned,
  planOrder,
  setAvailable,
} from './plan-order.ts'

/**
 * Each round starts from figures that are fresher than the last; after eight, other processes take everything first.
 */
const roundsMax = 8

export interface Placed {
  readonly order: Order
  readonly newTasks: readonly NewTask[]
  /**
   * What Redis holds for them since now, and not by an attempt that was cut off: given back when nothing is committed.
   */
  readonly taken: readonly ReleaseRequest[]
  readonly sourcing: readonly GroupTrace[]
  readonly rounds: number
}

interface Attempt {
  readonly index: number
  readonly decision: Decision
  readonly groups: readonly Group[]
  round: number
  planned: Planned
  /** When its records of this round were made. */
  madeAtMs: number
  /** Redis was asked for what this order lacks. */
  hasLooked: boolean
}

export interface PlacedAll {
  /** One a decision, in their order. */
  readonly placed: readonly Placed[]
  /** The stock epoch in which all of it was reserved, or the first of several: then some of it is void. */
  readonly epoch: number
  /** Parcels that Redis refused. */
  readonly refusals: number
  /** What planning took, without the waits for Redis. */
  readonly planMs: number
}

/** Throws StockError. */
export async function placeAll(context: PlacingContext, decisions: readonly Decision[]): Promise<PlacedAll> {
  const placed: Placed[] = []
  let refusals = 0
  let firstEpoch: number | null = null
  let open: Attempt[] = []
  const network = networkOf(context.catalog, context.availability)
  const started = performance.now()
  decisions.forEach((decision, index) => {
    const { snapshot, items } = decision.order
    const groups =
      snapshot === null ? [] : splitByConstraint(decision.demand, items, snapshot.lines, context.catalog.sku)
    open.push({
      index,
      decision,
      groups,
      round: 0,
      planned: planOrder(context, network, decision, groups, 0),
      madeAtMs: 0,
      hasLooked: false,
    })
  })
  let planMs = performance.now() - started
  try {
    while (open.length > 0) {
      const { epoch, outcomes } = await reserveAll(context, open)
      firstEpoch = firstEpoch === null ? epoch : Math.min(firstEpoch, epoch)
      const foundMore = await lookForMissing(context, open, outcomes)
      const again: Attempt[] = []
      const release: ReleaseRequest[] = []
      for (const attempt of open) {
        const answers = outcomes.get(attempt)!
        const refused = answers.filter(isRefused).length
        refusals += refused
        const isLast = attempt.round + 1 === roundsMax
        if (isLast || (refused === 0 && !foundMore.has(attempt))) placed[attempt.index] = finish(attempt, answers)
        else {
          release.push(...toGiveBack(attempt, answers))
          again.push(attempt)
        }
      }
      await context.keeper.release(release)
      for (const attempt of again) giveBackAvailability(context, attempt, outcomes.get(attempt)!)
      const planning = performance.now()
      for (const attempt of again) {
        attempt.round += 1
        attempt.planned = planOrder(context, network, attempt.decision, attempt.groups, attempt.round)
      }
      planMs += performance.now() - planning
      open = again
    }
  } catch (error) {
    // What Redis may have taken for these is asked for again under the same ids: no order may plan as if it were gone.
    for (const { index, planned } of open)
      if (placed[index] === undefined) giveBackAll(context, planned.placed.newTasks)
    forgetPlaced(context, Object.values(placed))
    throw error
  }
  return { placed, epoch: firstEpoch ?? context.keeper.epoch, refusals, planMs }
}

/**
 * Orders that lack units of which Redis has more than was believed: they plan again. An order that is refused so often
 * that its next round is its last looks at all that it wants. A look comes behind the reservations of its round, so
 * what this batch took is in the figures.
 */
async function lookForMissing(
  context: PlacingContext,
  attempts: readonly Attempt[],
  outcomes: ReadonlyMap<Attempt, readonly Reserved[]>,
): Promise<ReadonlySet<Attempt>> {
  const wanted = new Map<Attempt, readonly string[]>()
  for (const attempt of attempts) {
    if (attempt.hasLooked) continue
    const { missing } = attempt.planned
    const isRefusedNow = outcomes.get(attempt)!.some(isRefused)
    if (isRefusedNow && attempt.round + 2 === roundsMax) {
      wanted.set(
        attempt,
        attempt.groups.flatMap(({ demand }) => demand.map(({ sku }) => sku)),
      )
    } else if (!isRefusedNow && missing.length > 0) {
      wanted.set(
        attempt,
        missing.map(({ item }) => attempt.decision.order.items[item]!.sku),
      )
    }
  }
  if (wanted.size === 0) return new Set()
  const raised = await lookAtRedis({ ...context, nowMs: context.now() }, [...wanted.values()].flat())
  for (const attempt of wanted.keys()) attempt.hasLooked = true
  return new Set([...wanted].filter(([, skus]) => skus.some((sku) => raised.has(sku))).map(([attempt]) => attempt))
}

async function reserveAll(
  context: PlacingContext,
  attempts: readonly Attempt[],
): Promise<{ epoch: number; outcomes: Map<Attempt, Reserved[]> }> {
  const { keeper, now } = context
  const requests = attempts.flatMap((a) => a.planned.requests)
  const nothing = { epoch: keeper.epoch, madeAtMs: 0, answers: [] }
  const reserved = requests.length === 0 ? nothing : await keeper.reserve(now, requests)
  for (const attempt of attempts) attempt.madeAtMs = reserved.madeAtMs
  const answers = reserved.answers.map(orTaken)
  answers.forEach((answer, i) => {
    for (const { sku, atp } of answer.atp) setAvailable(context, requests[i]!.node, sku, atp)
  })
  const outcomes = new Map<Attempt, Reserved[]>()
  let at = 0
  for (const attempt of attempts) {
    const count = attempt.planned.requests.length
    outcomes.set(attempt, answers.slice(at, at + count))
    at += count
  }
  return { epoch: reserved.epoch, outcomes }
}

/**
 * The id is taken for other lines, by a decision of this process that was cut off and may still be committed: its units
 * are not ours to release (the sweep ends what no commit took). This order plans again, under the next id.
 */
function orTaken(answer: Reserved): Reserved {
  return answer.outcome === 'exists_with_different_lines' ? { ...answer, outcome: 'insufficient_stock' } : answer
}

function isRefused({ outcome }: Reserved): boolean {
  return outcome === 'insufficient_stock'
}

/**
 * What this round took, and gives back when another parcel of the plan is refused, or the commit. What was
 * `already_reserved` it did not take: an attempt before this one did, which was cut off and whose commit may land any
 * moment, under this very id. Only a commit may end that, or the sweep, which asks Postgres once the record is old.
 * Until then those units are there for no order, nor for the next round of this order, which asks under another id:
 * where they are the last, it goes without them until the sweep's round comes by its node, and is sourced again when it
 * frees them.
 */
function takenNow(attempt: Attempt, answers: readonly Reserved[]): readonly ReserveRequest[] {
  return attempt.planned.requests.filter((_, i) => answers[i]!.outcome === 'reserved')
}

/** With their time: a release that lands late leaves what was asked for again meanwhile, under the same id. */
function toGiveBack(attempt: Attempt, answers: readonly Reserved[]): ReleaseRequest[] {
  const { madeAtMs } = attempt
  return takenNow(attempt, answers).map(({ node, reservationId }) => ({ node, reservationId, madeAtMs }))
}

/** With all that is reserved under its ids, also by an attempt before it: the commit of this one uses it. */
function finish(attempt: Attempt, answers: readonly Reserved[]): Placed {
  const { decision, planned, round } = attempt
  const refused = new Set(planned.tasks.filter((_, i) => isRefused(answers[i]!)))
  const { order, newTasks } =
    refused.size === 0 ? planned.placed : place(decision, planned.tasks, planned.missing, refused)
  const kept = planned.requests.filter((_, i) => !isRefused(answers[i]!))
  return {
    order: { ...order, attempt: order.attempt + round + (kept.length > 0 ? 1 : 0) },
    newTasks: newTasks.map((task, i) => ({ task, reservationId: kept[i]!.reservationId })),
    taken: toGiveBack(attempt, answers),
    sourcing: planned.traces,
    rounds: round + 1,
  }
}

/** Released units are there again; all others have their fresh figure already. */
function giveBackAvailability(context: PlacingContext, attempt: Attempt, answers: readonly Reserved[]): void {
  for (const { node, lines } of takenNow(attempt, answers)) {
    for (const { sku, quantity } of lines) addAvailable(context, node, sku, quantity)
  }
}

/** For reservations that come to nothing after all were made, or where it is unknown whether they were. */
export function forgetPlaced(context: PlacingContext, placed: readonly Placed[]): void {
  for (const { newTasks } of placed) {
    giveBackAll(
      context,
      newTasks.map(({ task }) => task),
    )
  }
}

function giveBackAll(context: PlacingContext, tasks: readonly Task[]): void {
  for (const { node, lines } of tasks) for (const l of lines) addAvailable(context, node, l.sku, l.quantity)
}
