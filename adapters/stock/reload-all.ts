import { connect, loadScripts, openClient, type StockOptions } from './client.ts'
import type { SkuAtp, StaleEpoch } from './counters.ts'
import { reload } from './reload.ts'

export interface NodeStock {
  readonly node: string
  /** Read in the same Postgres snapshot as the rows. */
  readonly seq: number
  readonly rows: Iterable<SkuAtp> | AsyncIterable<SkuAtp>
}

export type ReloadAllOutcome =
  | { readonly outcome: 'reloaded'; readonly nodes: number; readonly rows: number }
  /** Somebody else recovers at the same epoch or a newer one; the rest was left to them. */
  | { readonly outcome: 'superseded'; readonly node: string }
  | (StaleEpoch & { readonly node: string })

/**
 * Recovery's Redis half: reloads every node at an epoch that was just raised in Postgres, then loads the scripts, which
 * makes the counters usable. After a throw, start over with an epoch raised anew.
 *
 * All of it runs on one connection that never reconnects, and a connection never outlives the Redis process at its
 * other end. So the scripts are loaded into the process that was reloaded, or not at all.
 */
export async function reloadAll(
  options: StockOptions,
  epoch: number,
  nodes: Iterable<NodeStock> | AsyncIterable<NodeStock>,
): Promise<ReloadAllOutcome> {
  const client = openClient(options, false)
  try {
    await connect(client)
    let nodeCount = 0
    let rowCount = 0
    for await (const { node, seq, rows } of nodes) {
      const done = await reload(client, epoch, node, seq, rows)
      if (done.outcome !== 'reloaded') return { ...done, node }
      nodeCount += 1
      rowCount += done.rows
    }
    await loadScripts(client)
    return { outcome: 'reloaded', nodes: nodeCount, rows: rowCount }
  } finally {
    client.redis.disconnect()
  }
}
