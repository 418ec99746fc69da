/** One load with disturbances in it: orders for one unit of a SKU each, more than there are, sent to a service in this process. */
import { expect } from 'vitest'
import type { Sql } from '../../../adapters/store/postgres/connect.ts'
import type { RunningService } from '../../service.ts'
import { sweepOf } from '../../service.ts'
import { type Ledger, lostOrders, newLedger, orderOf, sendAll } from './ledger.ts'
import { allDecided, expectAudited, unitsOf, until } from './network.ts'

export interface Storm {
  readonly service: RunningService
  readonly redisUrl: string
  /** For looking; not the service's own. */
  readonly sql: Sql
  readonly sku: string
  readonly units: number
  readonly orders: number
  /** Orders for the SKU that were decided before. */
  readonly before?: number
  /** Each happens when the next part of the orders is acknowledged: what is decided lies behind that. */
  readonly disturbances: readonly (() => Promise<unknown>)[]
}

/**
 * Sends, disturbs, waits until all is decided and checks: what was acknowledged is there once, exactly the units that
 * there are went into tasks (at the latest when the sweep has looked), and every invariant holds. Gives the ledger.
 */
export async function ride(storm: Storm): Promise<Ledger> {
  const { service, redisUrl, sql, sku, units, orders, before = 0, disturbances } = storm
  const ledger = newLedger()
  const wanted = Array.from({ length: orders }, (_, i) => orderOf([{ sku, quantity: 1 }], i % 3 === 0 ? 'jd' : 'tmall'))
  const sending = sendAll(wanted, { target: () => `http://127.0.0.1:${service.port}`, ledger, connections: 16 })
  // The first part comes without a disturbance, the last one after all of them.
  const part = Math.floor(orders / (disturbances.length + 1))
  for (const [i, disturb] of disturbances.entries()) {
    await until(
      async () => ((await placed(sql, sku)) > before ? ledger.acknowledged.size : 0),
      (count) => count >= part * (i + 1),
      `part ${i + 1} of the load acknowledged, and some of it decided`,
    )
    await disturb()
  }
  await sending
  await allDecided(sql)
  expect(ledger.odd).toEqual([])
  expect(await lostOrders(sql, ledger)).toEqual([])
  const exact = { inTasks: units, backordered: before + orders - units }
  // Never more than there are. Fewer is possible: what a decision that was cut off had reserved, or had counted as taken,
  // is nobody's until the sweep has looked.
  const atOnce = await unitsOf(sql, sku)
  expect(atOnce.inTasks).toBeLessThanOrEqual(units)
  expect(atOnce.inTasks + atOnce.backordered).toBe(before + orders)
  await sweepOf(service, { heldMsMax: 0 }).round()
  await allDecided(sql)
  expect(await unitsOf(sql, sku)).toEqual(exact)
  await expectAudited(sql, redisUrl)
  return ledger
}

/** Throws nothing while Postgres is away: then nobody knows. */
async function placed(sql: Sql, sku: string): Promise<number> {
  const { inTasks, backordered } = await unitsOf(sql, sku).catch(() => ({ inTasks: 0, backordered: 0 }))
  return inTasks + backordered
}
