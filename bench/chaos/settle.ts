/**
 * Between two groups of faults: the simulated platforms and warehouses stop, all is decided, the sweep has looked, and
 * everything is checked.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../../adapters/shared/seeded-random.ts'
import type { Violation } from '../../adapters/store/audit/audit.ts'
import { startServiceHere } from '../../workers/faults/testing/network.ts'
import { auditAll } from '../../workers/operate/audit/both-stores.ts'
import { sweepOf } from '../../workers/service.ts'
import type { DriftMended } from './book.ts'
import { checkBook } from './checks.ts'
import { workShelves } from './warehouses.ts'
import type { Load, World } from './world.ts'

const lookAgainMs = 50
/** Nothing has moved for so long: whatever is left is stuck. An event that cannot be decided for now waits a minute. */
const stuckMs = 90_000
// Restocking walks and a second look at a difference take a round each.
const sweepRoundsMax = 6

/**
 * The service is stopped as by Ctrl-C when this returns, and nothing of it runs. `finish`: all work is done before.
 * `beforeChecks`: when nothing runs any more.
 */
export async function settle(
  world: World,
  load: Load,
  random: Random,
  finish: boolean,
  beforeChecks: () => Promise<void> | undefined = () => undefined,
): Promise<Violation[]> {
  await load.stop()
  const violations: Violation[] = []
  // Events that are decided late become tasks late: while warehouses work, wait for events and tasks together; else for
  // events only.
  if (finish) violations.push(...(await finishWork(world, random)))
  const stuck = await movesUntilNone(() => undecided(world))
  if (stuck > 0) violations.push(await whatIsStuck(world, stuck))
  const wrong = await world.fleet.stop()
  if (wrong.length > 0)
    violations.push({ invariant: 'a_stop_ends_well', count: wrong.length, examples: wrong.map(said) })
  const alone = world.fleet.endedAlone.splice(0)
  if (alone.length > 0)
    violations.push({ invariant: 'nobody_dies_alone', count: alone.length, examples: alone.map(said) })
  const { odd } = world.book
  if (odd.length > 0) {
    const examples = odd.slice(0, 5).map((answer) => ({ ...answer }))
    violations.push({ invariant: 'every_answer_is_one_of_the_protocol', count: odd.length, examples })
    odd.length = 0
  }
  await beforeChecks()
  violations.push(...(await sweepAndAudit(world)))
  violations.push(...(await checkBook(world, finish)))
  return violations
}

const said = (text: string): Record<string, unknown> => ({ said: text })

async function undecided({ sql }: World): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::int from pending`
  return row!.count
}

/** Gives what is left when nothing moves any more. */
async function movesUntilNone(look: () => Promise<number>): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  let movedAt = performance.now()
  for (;;) {
    // A Postgres that was just started again may not answer yet.
    const count = await look().catch(() => least)
    if (count === 0) return 0
    if (count < least) {
      least = count
      movedAt = performance.now()
    }
    if (performance.now() - movedAt > stuckMs) return count
    await delay(lookAgainMs)
  }
}

async function whatIsStuck({ sql }: World, count: number): Promise<Violation> {
  const examples = await sql`select seq, kind, order_id, attempts, last_error from pending order by seq limit 5`
  return { invariant: 'everything_is_decided', count, examples: [...examples] }
}

/** Warehouses go on until no work is left; a task whose warehouse fell silent comes back when its lease is over. */
async function finishWork(world: World, random: Random): Promise<Violation[]> {
  let goOn = true
  const working = workShelves(world, world.goods.nodes, random, { goOn: () => goOn, careful: true })
  const open = await movesUntilNone(async () => {
    const [row] = await world.sql<{ count: number }[]>`
      select (select count(*) from task where state not in ('shipped', 'cancelled'))::int
        + (select count(*) from pending)::int as count`
    return row!.count
  })
  goOn = false
  await working
  if (open === 0) return []
  const examples = await world.sql`
    select task_id, node, state, fence, lease_until, intercept_requested from task
    where state not in ('shipped', 'cancelled') limit 5`
  return [{ invariant: 'all_work_comes_to_its_end', count: open, examples: [...examples] }]
}

// What no fault may lead to. This run sends no bills and no tracks, so what reconciliation misses is no fault.
const alarms = ['undecidable_event', 'unintelligible_event', 'event_from_the_future', 'order_not_fetched', 'shortage']

async function sweepAndAudit(world: World): Promise<Violation[]> {
  const { postgres, redis, sql } = world
  const service = await startServiceHere({ databaseUrl: postgres.url, redisUrl: redis.url })
  try {
    // No process decides any more, so no reservation in Redis will be committed, however young it is.
    const sweep = sweepOf(service, { heldMsMax: 0 })
    for (let round = 1; ; round++) {
      await sweep.round()
      await movesUntilNone(() => undecided(world))
      const violations = [...(await auditAll(sql, service.keeper)), ...(await keptGoods(world))]
      if (violations.length > 0 && round < sweepRoundsMax) continue
      return [...violations, ...(await exceptions(world))]
    }
  } finally {
    await service.stop()
  }
}

/** Units that an order waits for and that lie unreserved at a node: a leak of another kind. */
async function keptGoods({ sql }: World): Promise<Violation[]> {
  const rows = await sql`
    select b.sku, count(*)::int as orders, max(s.available)::int as available
    from backorder b
    join orders o on o.id = b.order_id
    join (select sku, sum(greatest(available, 0)) as available from stock group by 1) s using (sku)
    where s.available > 0 and json_array_length(coalesce(o.body::json -> 'excludedNodes', '[]')) = 0
    group by 1`
  if (rows.length === 0) return []
  return [{ invariant: 'goods_are_not_kept_from_who_waits', count: rows.length, examples: [...rows] }]
}

/** A drift that the sweep found is counted; one that is still there is a leak. */
async function exceptions({ sql, book }: World): Promise<Violation[]> {
  book.driftsMended = await sql<DriftMended[]>`
    select ref as node, detail, since from exception where kind = 'stock_drift' and resolved_at is not null order by id`
  const rows = await sql`
    select kind, ref, detail, since, resolved_at from exception
    where kind = any(${alarms}) or (kind = 'stock_drift' and resolved_at is null) limit 50`
  if (rows.length === 0) return []
  return [{ invariant: 'nothing_is_raised_that_did_not_happen', count: rows.length, examples: rows.slice(0, 5) }]
}
