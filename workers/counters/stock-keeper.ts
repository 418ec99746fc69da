/** The keeper of a real Redis' counters for a real Postgres. */
import { randomBytes } from 'node:crypto'
import type { StockOptions } from '../../adapters/stock/client.ts'
import type { SkuAtp } from '../../adapters/stock/counters.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { PostgresStore } from '../../adapters/store/postgres-store.ts'
import { CounterKeeper } from './counter-keeper.ts'
import { RedisCounters } from './kept-counters.ts'

export type { Reserved } from './counter-keeper.ts'

// Four characters: of a few dozen processes in the half minute that a reservation lives, no two are the same.
const ownerBytes = 3

export function newOwner(): string {
  return randomBytes(ownerBytes).toString('base64url')
}

export class StockKeeper extends CounterKeeper {
  /** `owner`: the same for all keepers of a process, so that its threads find each other's reservations. */
  constructor(
    sql: Sql,
    options: StockOptions,
    onReloaded?: (node: string, rows: readonly SkuAtp[]) => void,
    owner: string = newOwner(),
  ) {
    super(new PostgresStore(sql), new RedisCounters(options), owner, onReloaded)
  }
}
