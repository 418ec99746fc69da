/** A shortage as one moment sees it: what is missing, who holds it, and what is called back already. */
import type { StockKey } from '../../../router/types.ts'
import { pendingAmong } from '../inbox/pending.ts'
import type { Sql } from '../postgres/connect.ts'
import { type ShortRow, shortAt, type UnpulledTask, unpulledTasks } from './shortages.ts'

export interface ReadShortages {
  readonly short: readonly ShortRow[]
  readonly tasks: readonly UnpulledTask[]
  /** Event ids, as `recallIdOf` gave them, that wait for their decision. */
  readonly recalled: ReadonlySet<string>
}

// A decision between two of these readings would be counted twice or not at all, and a task too many called back.
const asOneMoment = 'isolation level repeatable read read only'

/** `recallIdOf`: the event id of the command that calls a task back. */
export async function readShortages(
  sql: Sql,
  places: readonly StockKey[],
  recallIdOf: (task: UnpulledTask) => string,
): Promise<ReadShortages> {
  if (places.length === 0) return { short: [], tasks: [], recalled: new Set() }
  return await sql.begin(asOneMoment, async (tx) => {
    const short = await shortAt(tx, places)
    const tasks = short.length === 0 ? [] : await unpulledTasks(tx, short)
    return { short, tasks, recalled: await pendingAmong(tx, tasks.map(recallIdOf)) }
  })
}
