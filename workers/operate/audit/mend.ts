/** Puts right what follows from something else, on both sides, and says what it did and what it cannot. */
import { check, queryOf, type Violation } from '../../../adapters/store/audit/audit.ts'
import {
  mendBackorders,
  mendParcels,
  mendReserved,
  mendSafety,
  queueGivenBack,
  queueLostEvents,
  showConflicts,
  showShortages,
} from '../../../adapters/store/audit/mend.ts'
import { endEventExceptions } from '../../../adapters/store/exceptions.ts'
import type { Sql } from '../../../adapters/store/postgres/connect.ts'
import { PostgresStore } from '../../../adapters/store/postgres-store.ts'
import { endShortages } from '../../../adapters/store/stock/shortages.ts'
import { endReservations } from '../../counters/end-reservations.ts'
import { StockKeeper } from '../../counters/stock-keeper.ts'
import type { FoundInCounters } from './counters.ts'

export interface Mended {
  readonly what: string
  readonly count: number
}

type Mend = (sql: Sql, broken: string) => Promise<Mended>

/** By the invariant that it restores. */
const mends: Readonly<Record<string, Mend>> = {
  every_order_event_is_decided: async (sql, broken) => ({
    what: 'events put back in the queue: a running service decides them, or the next start',
    count: await queueLostEvents(sql, broken),
  }),
  every_notification_is_answered: async (sql, broken) => ({
    what: 'notifications put back in the queue: their orders are fetched again',
    count: await queueLostEvents(sql, broken),
  }),
  what_was_given_back_is_being_decided: async (sql, broken) => ({
    what: 'answers of warehouses put back in the queue',
    count: await queueGivenBack(sql, broken),
  }),
  backorders_are_what_orders_say: async (sql, broken) => ({
    what: 'rows of waiting orders written as the orders say',
    count: await mendBackorders(sql, broken),
  }),
  parcels_are_what_packages_say: async (sql) => ({
    what: 'waybills written as the packages say',
    count: await mendParcels(sql),
  }),
  conflicts_are_shown: async (sql, broken) => ({
    what: 'conflicting events raised as exceptions',
    count: await showConflicts(sql, broken),
  }),
  safety_is_what_its_node_says: async (sql) => ({
    what: 'nodes whose safety stock was carried into their rows',
    count: await mendSafety(sql),
  }),
  nothing_is_oversold: async (sql, broken) => ({
    what: 'shortages raised as exceptions: the sweep calls back the tasks that no warehouse pulled',
    count: await showShortages(sql, broken),
  }),
}

/** `redisUrl`: null where none runs; what Redis has to be told it is told by its next reload then. */
export async function mend(
  sql: Sql,
  redis: { readonly url: string; readonly keyPrefix: string; readonly found: FoundInCounters } | null,
  violations: readonly Violation[],
): Promise<readonly Mended[]> {
  const done: Mended[] = []
  const broken = new Set(violations.map((v) => v.invariant))
  if (broken.has('reserved_is_what_live_tasks_hold')) {
    const { count } = await mendReserved(sql, queryOf('reserved_is_what_live_tasks_hold'))
    done.push({ what: 'figures of reserved units set to what live tasks hold', count })
    // Units that were promised twice are told to be short now.
    if ((await check(sql, { only: ['nothing_is_oversold'] })).some((c) => c.violation !== null))
      broken.add('nothing_is_oversold')
  }
  for (const [invariant, mendIt] of Object.entries(mends)) {
    if (broken.has(invariant)) done.push(await mendIt(sql, queryOf(invariant)))
  }
  const over = (await endShortages(sql)) + (await endEventExceptions(sql))
  done.push({ what: 'exceptions closed whose cause is over', count: over })
  if (redis !== null) done.push(...(await mendCounters(sql, redis)))
  return done.filter((m) => m.count > 0)
}

async function mendCounters(
  sql: Sql,
  { url, keyPrefix, found }: { readonly url: string; readonly keyPrefix: string; readonly found: FoundInCounters },
): Promise<Mended[]> {
  const keeper = new StockKeeper(sql, { redis: url, keyPrefix })
  try {
    await keeper.open()
    const done: Mended[] = []
    const { confirmed, released } = await endReservations(new PostgresStore(sql), keeper, found.leftOver)
    done.push({ what: 'left-over reservations whose decision was committed ended', count: confirmed })
    done.push({ what: 'left-over reservations given back', count: released })
    for (const { node, seq } of await sql<{ node: string; seq: number }[]>`select node, seq::float8 as seq from node`) {
      if ((await keeper.behind([{ node, seq }])).length === 0) continue
      await keeper.catchUp(node)
      done.push({ what: `changes told to Redis that it had missed at ${node}`, count: 1 })
    }
    if (found.differentNodes.length > 0) {
      const epoch = await keeper.recover(keeper.epoch)
      const what = `nodes whose counters were wrong; all counters were loaded anew, in stock epoch ${epoch}`
      done.push({ what, count: found.differentNodes.length })
    }
    return done
  } finally {
    keeper.close()
  }
}
