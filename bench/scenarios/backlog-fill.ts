/** Fills inbox and pending with undecided events, through the query by which the service itself stores them. */

import { storeEvents } from '../../adapters/store/inbox/store-events.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { hashed, materialOf } from '../parts/material.ts'
import type { TrafficPlan } from '../traffic/plan.ts'

export interface Filled {
  /** Undecided: a second delivery of one event is none. */
  readonly events: number
  /** Orders 0 … orders - 1 of the plan, each with its whole story. */
  readonly orders: number
  readonly seconds: number
}

const ordersACommit = 1_000

/** At least `events` of them: the last order is not cut off. */
export async function fillBacklog(sql: Sql, plan: TrafficPlan, events: number): Promise<Filled> {
  const started = performance.now()
  let stored = 0
  let orders = 0
  // Postgres stores one piece while the next one is made.
  let storing: Promise<unknown> = Promise.resolve()
  const store = async (piece: Parameters<typeof storeEvents>[1]): Promise<void> => {
    const outcomes = await storeEvents(sql, piece)
    stored += outcomes.filter(({ outcome }) => outcome === 'new').length
  }
  while (stored < events) {
    const missing = Math.max(1, events - stored)
    const count = Math.min(ordersACommit, missing)
    const material = materialOf(plan, orders, count)
    orders += count
    const piece = material.flatMap(({ pushed, fetched }) => [
      ...pushed.filter(({ kind }) => kind !== 'notification'),
      ...(fetched === null ? [] : [fetched]),
    ])
    await storing
    storing = store(piece.map((event) => hashed(event)))
    // Near the end it has to be known how many were new.
    if (events - stored <= 3 * ordersACommit) await storing
  }
  await storing
  return { events: stored, orders, seconds: (performance.now() - started) / 1000 }
}
