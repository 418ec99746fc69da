/**
 * One batch through the whole decision: read, decide, reserve, commit, confirm.
 *
 * Whatever Postgres refuses is decided again from fresh figures, the whole batch or the orders concerned, a few times;
 * what then is left goes back to the queue. A crash between any two steps leaves events in `pending`, and at most
 * reservations in Redis that no commit confirmed: the same process finds its own again, and the sweep ends the rest.
 */

import type { ReleaseRequest, ReservationRef } from '../../adapters/stock/counters.ts'
import { StockError } from '../../adapters/stock/errors.ts'
import type { DecisionStore } from '../../adapters/store/order-store.ts'
import type { DecisionWrite } from '../../adapters/store/orders/commit.ts'
import { isRetryable } from '../../adapters/store/postgres/retryable.ts'
import type { Decision } from '../../router/decide.ts'
import type { NewTask } from '../../router/stock.ts'
import type { Order } from '../../router/types.ts'
import type { CounterKeeper } from '../counters/counter-keeper.ts'
import { endReservations } from '../counters/end-reservations.ts'
import type { BatchResult, Decided, EventToDecide, StageTimes } from './batch.ts'
import type { PlacingContext } from './plan-order.ts'
import { writeOf } from './records.ts'
import { forgetMissingGoods, nodesToAvoid } from './rejected-stock.ts'
import { believePostgres } from './reload-counters.ts'
import { forgetPlaced, type Placed, type PlacedAll, placeAll } from './source-and-reserve.ts'
import type { Work, WorkContext } from './take-events.ts'
import { type Groups, groupByOrder, keysOf, parted, workInParts } from './work-all.ts'

/** When others were faster at this many attempts, the events go back to the queue and the thread takes others. */
const attemptsMax = 6

// As objects they are some five times as much.
const loadedBytesMax = 16 * 1024 * 1024

export interface ThreadContext extends WorkContext, Omit<PlacingContext, 'avoided'> {
  readonly store: DecisionStore
  readonly keeper: CounterKeeper
  readonly logBug: (event: EventToDecide, error: unknown) => void
}

interface Tally {
  readonly decided: Decided[]
  readonly times: { -readonly [K in keyof StageTimes]: number }
  refusals: number
  readonly problems: string[]
}

export async function decideBatch(context: ThreadContext, events: readonly EventToDecide[]): Promise<BatchResult> {
  const tally: Tally = {
    decided: [],
    times: { decode: 0, decide: 0, reserve: 0, commit: 0 },
    refusals: 0,
    problems: [],
  }
  let left = events
  try {
    for (let attempt = 0; attempt < attemptsMax && left.length > 0; attempt++) {
      left = await decideOnce(context, attempt === 0 ? left : await stillPending(context, left, tally), tally)
    }
    for (const { seq } of left) tally.decided.push({ seq, done: false, why: 'others were faster', passing: true })
  } catch (error) {
    if (!isPassing(error) && events.length > 1) return await decideOneByOne(context, events, tally)
    const why = describe(error)
    if (!isPassing(error)) context.logBug(events[0]!, error)
    const known = new Set(tally.decided.map((d) => d.seq))
    for (const { seq } of events)
      if (!known.has(seq)) tally.decided.push({ seq, done: false, why, passing: isPassing(error) })
  }
  return tally
}

/** One event that Postgres cannot take, or that finds a bug, must not hold up the others. */
async function decideOneByOne(
  context: ThreadContext,
  events: readonly EventToDecide[],
  tally: Tally,
): Promise<BatchResult> {
  const known = new Set(tally.decided.map((d) => d.seq))
  for (const group of groupByOrder(events.filter((e) => !known.has(e.seq))).values()) {
    if (group.length === events.length) {
      for (const event of group) {
        const alone = await decideBatch(context, [event])
        tally.decided.push(...alone.decided)
      }
    } else tally.decided.push(...(await decideBatch(context, group)).decided)
  }
  return tally
}

async function decideOnce(
  context: ThreadContext,
  events: readonly EventToDecide[],
  tally: Tally,
): Promise<readonly EventToDecide[]> {
  const again: EventToDecide[] = []
  let groups: Groups = groupByOrder(events)
  let decoding = performance.now()
  while (groups.size > 0) {
    const { loaded, left } = await context.store.loadSome(keysOf(groups), loadedBytesMax)
    const [now, later] = parted(groups, left)
    const parts = workInParts(context, now, loaded, (spoilt, error) => leaveOut(context, tally, spoilt, error))
    for (const works of parts) {
      tally.times.decode += performance.now() - decoding
      again.push(...(await decidePart(context, works, tally)))
      decoding = performance.now()
    }
    groups = later
  }
  tally.times.decode += performance.now() - decoding
  return again
}

async function decidePart(
  context: ThreadContext,
  works: readonly Work[],
  tally: Tally,
): Promise<readonly EventToDecide[]> {
  const decoded = performance.now()
  const placing: PlacingContext = { ...context, avoided: nodesToAvoid(works) }
  forgetMissingGoods(works, context)
  const { placed, epoch, refusals, planMs } = await placeWorks(placing, works)
  tally.refusals += refusals
  const reserved = performance.now()
  tally.times.decide += planMs
  tally.times.reserve += reserved - decoded - planMs
  const writes = works.map((work, i) => writeOf(work, placed[i]!, epoch))
  const again = await settle(context, placing, epoch, works, placed, writes, tally)
  tally.times.commit += performance.now() - reserved
  return again
}

/** Nothing of these is decided: no code of ours gets through. */
function leaveOut({ logBug }: ThreadContext, tally: Tally, events: readonly EventToDecide[], error: unknown): void {
  logBug(events[0]!, error)
  for (const { seq } of events) tally.decided.push({ seq, done: false, why: describe(error), passing: false })
}

async function placeWorks(
  placing: PlacingContext,
  works: readonly Work[],
): Promise<Omit<PlacedAll, 'placed'> & { placed: readonly (Placed | null)[] }> {
  const decisions: Decision[] = []
  for (const { decision } of works) if (decision !== null) decisions.push(decision)
  const { placed, ...rest } = await placeAll(placing, decisions)
  let at = 0
  return { placed: works.map((w) => (w.decision === null ? null : placed[at++]!)), ...rest }
}

/** Commits; gives the events that have to be decided again. */
async function settle(
  context: ThreadContext,
  placing: PlacingContext,
  epoch: number,
  works: readonly Work[],
  placed: readonly (Placed | null)[],
  writes: readonly DecisionWrite[],
  tally: Tally,
): Promise<readonly EventToDecide[]> {
  const { keeper } = context
  const all = works.flatMap((w) => w.events.map((e) => e.event))
  const made = placed.filter((p) => p !== null)
  const result = await context.store.commitDecisions(epoch, writes).catch((error: unknown) => {
    forgetPlaced(placing, made)
    throw error
  })
  if (result.outcome !== 'committed') {
    forgetPlaced(placing, made)
    if (result.outcome === 'stale_epoch') await keeper.recover(epoch)
    else {
      await endReservations(context.store, keeper, takenBy(made))
      if (result.outcome === 'stock_refused') {
        tally.problems.push('stock_refused')
        await believePostgres(context, epoch, result.short)
      }
    }
    return all
  }
  const refused = new Set(result.conflicts)
  const lost = result.conflicts.map((i) => placed[i]).filter((p) => p !== null && p !== undefined)
  forgetPlaced(placing, lost)
  const kept = placed.filter((p, i): p is Placed => p !== null && !refused.has(i))
  await tellRedis(context, kept, lost, result.deltas)
  works.forEach((work, i) => {
    if (refused.has(i)) return
    const outcome = outcomeOf(work.before, writes[i]!.order)
    const order = writes[i]!.order.version > 0 ? work.before.id : null
    for (const e of work.events)
      tally.decided.push({ seq: e.event.seq, done: true, outcome: outcome ?? e.outcome, order })
  })
  return result.conflicts.flatMap((i) => works[i]!.events.map((e) => e.event))
}

/** What Redis is told after the commit may fail: the sweep tells it again. */
async function tellRedis(
  { store, keeper }: ThreadContext,
  kept: readonly Placed[],
  lost: readonly Placed[],
  deltas: Parameters<CounterKeeper['tell']>[0],
): Promise<void> {
  try {
    await Promise.all([
      keeper.confirm(kept.flatMap((p) => p.newTasks.map(referenceOf))),
      endReservations(store, keeper, takenBy(lost)),
      keeper.tell(deltas),
    ])
  } catch (error) {
    if (!(error instanceof StockError)) throw error
  }
}

function referenceOf({ task, reservationId }: NewTask): ReservationRef {
  return { node: task.node, reservationId }
}

/** Only what this attempt reserved: what an earlier one reserved under the same id, that one may still commit. */
function takenBy(placed: readonly Placed[]): ReleaseRequest[] {
  return placed.flatMap((p) => p.taken)
}

/** The state that a decision led to; null when the order did not change. */
function outcomeOf(before: Order, after: Order): string | null {
  return after === before ? null : after.state
}

async function stillPending(
  context: ThreadContext,
  events: readonly EventToDecide[],
  tally: Tally,
): Promise<readonly EventToDecide[]> {
  const pending = await context.store.stillPending(events.map((e) => e.seq))
  for (const { seq } of events) {
    if (!pending.has(seq)) tally.decided.push({ seq, done: true, outcome: 'settled_elsewhere', order: null })
  }
  return events.filter((e) => pending.has(e.seq))
}

function isPassing(error: unknown): boolean {
  return isRetryable(error) || (error instanceof StockError && error.retryable)
}

/** Never what was sent: only the name and the code. */
function describe(error: unknown): string {
  const { name, code } = error as { name?: string; code?: string }
  return [name, code].filter((part) => typeof part === 'string').join(' ') || 'unknown'
}
