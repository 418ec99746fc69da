import { connect, loadScripts, openClient, type StockOptions } from './client.ts'
import type { ReloadOutcome, SkuAtp, StaleEpoch } from './counters.ts'
import { reload } from './reload.ts'

export interface NodeStock {
  readonly node: string
  /** Read in the same Postgres snapshot as the rows. */
  readonly seq: number
  readonly rows: Iterable<SkuAtp> | AsyncIterable<SkuAtp>
}

export type ReloadAllOutcome =
  | { readonly outcome: 'reloaded'; readonly nodes: number; readonly rows: number }
  /** Another process recovers at the same epoch or a newer one; the rest was left to it. */
  | { readonly outcome: 'superseded'; readonly node: string }
  | (StaleEpoch & { readonly node: string })

interface Loaded {
  readonly node: string
  readonly done: ReloadOutcome
}

/** Nodes whose pieces are on their way: a round trip each would be most of the time. Of large ones it is 0.2 s of Redis' time. */
const atOnce = 32

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
    const underWay: Promise<Loaded>[] = []
    const oldest = async () => {
      const { node, done } = await underWay.shift()!
      if (done.outcome !== 'reloaded') return { ...done, node }
      nodeCount += 1
      rowCount += done.rows
      return null
    }
    for await (const { node, seq, rows } of nodes) {
      const loaded = reload(client, epoch, node, seq, rows).then((done) => ({ node, done }))
      // It is waited for in its turn; one before it may fail first.
      loaded.catch(() => undefined)
      underWay.push(loaded)
      const ended = underWay.length < atOnce ? null : await oldest()
      if (ended !== null) return ended
    }
    while (underWay.length > 0) {
      const ended = await oldest()
      if (ended !== null) return ended
    }
    await loadScripts(client)
    return { outcome: 'reloaded', nodes: nodeCount, rows: rowCount }
  } finally {
    client.redis.disconnect()
  }
}
