/** Puts right what follows from something else, on both sides, and says what it did and what it cannot. */
import { randomUUID } from 'node:crypto'
import { brokenRows, check, queryOf, type Violation } from '../../../adapters/store/audit/audit.ts'
import type { AuditAges } from '../../../adapters/store/audit/invariant.ts'
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
import { keysOfOrders, mendClosed, mendStates } from '../../../adapters/store/audit/mend-orders.ts'
import { endEventExceptions } from '../../../adapters/store/exceptions.ts'
import { storeEvents } from '../../../adapters/store/inbox/store-events.ts'
import type { Sql } from '../../../adapters/store/postgres/connect.ts'
import { PostgresStore } from '../../../adapters/store/postgres-store.ts'
import { endShortages } from '../../../adapters/store/stock/shortages.ts'
import { stage } from '../../../router/commands.ts'
import { endReservations } from '../../counters/end-reservations.ts'
import { StockKeeper } from '../../counters/stock-keeper.ts'
import { commandEvent } from '../../intake/commands.ts'
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

/** By the invariant; from the ids of the orders that break it. */
const mendsOfOrders: Readonly<Record<string, (sql: Sql, orderIds: readonly string[]) => Promise<Mended>>> = {
  order_states_are_what_units_say: async (sql, ids) => ({
    what: 'states of orders computed anew from their units',
    count: await mendStates(sql, ids),
  }),
  closed_orders_agree_anew: async (sql, ids) => ({
    what: 'closed orders marked: a running service matches them anew and opens those that do not agree',
    count: await mendClosed(sql, ids),
  }),
  no_order_waits_for_goods_that_are_there: async (sql, ids) => ({
    what: 'orders that are asked for again: goods that they wait for are there',
    count: await askAgain(sql, ids),
  }),
}

/** Of one run; the next one mends the rest. */
const ordersMax = 100_000
const eventsPerStatement = 500

async function askAgain(sql: Sql, orderIds: readonly string[]): Promise<number> {
  const given = { actor: stage('audit'), note: 'goods that the order waits for are there' }
  const keys = await keysOfOrders(sql, orderIds)
  const now = Date.now()
  for (let at = 0; at < keys.length; at += eventsPerStatement) {
    const some = keys.slice(at, at + eventsPerStatement)
    await storeEvents(
      sql,
      some.map((key) => commandEvent(key, { type: 'restock', ...given }, now, randomUUID())),
    )
  }
  return keys.length
}

async function mendOrders(sql: Sql, broken: ReadonlySet<string>, ages: Partial<AuditAges>): Promise<Mended[]> {
  const done: Mended[] = []
  for (const [invariant, mendIt] of Object.entries(mendsOfOrders)) {
    if (!broken.has(invariant)) continue
    const rows = await brokenRows(sql, invariant, ordersMax, ages)
    done.push(await mendIt(sql, [...new Set(rows.map((row) => String(row.id)))]))
  }
  return done
}

/** `redisUrl`: null where none runs; what Redis has to be told it is told by its next reload then. */
export async function mend(
  sql: Sql,
  redis: { readonly url: string; readonly keyPrefix: string; readonly found: FoundInCounters } | null,
  violations: readonly Violation[],
  ages: Partial<AuditAges>,
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
  done.push(...(await mendOrders(sql, broken, ages)))
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
