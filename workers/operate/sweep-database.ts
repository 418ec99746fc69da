/**
 * The sweep's parts that look after the database itself: whether it is durable, its settings and what they let go, its
 * partitions.
 */
import { catalogVersion } from '../../adapters/store/catalog/catalog.ts'
import { raise, resolve } from '../../adapters/store/exceptions.ts'
import { preparePartitions } from '../../adapters/store/inbox/partitions.ts'
import { adviceOn } from '../../adapters/store/postgres/durability.ts'
import { followSafety, nodesWithOtherSafety } from '../../adapters/store/stock/stock.ts'
import type { CatalogWatch } from '../catalog/catalog-watch.ts'
import type { DurabilityWatch } from '../process/durability.ts'
import { type ClosedNodesContext, callBackFromClosed } from './closed-nodes.ts'
import { type LetGoContext, LettingGo } from './let-go.ts'
import type { SweepPart } from './sweep.ts'

export interface DatabaseSweepContext extends LetGoContext, ClosedNodesContext {
  readonly catalog: Pick<CatalogWatch, 'current' | 'refresh'>
  readonly durability: DurabilityWatch
}

const partitionsEveryMs = 600_000
// A reader of the inbox stood in the way; each try keeps the intake waiting for a tenth of a second.
const partitionsAgainMs = 60_000

// Of 2,000 rows each: some milliseconds of an index. Of 10,000 such nodes each has its turn in an hour.
const safetyNodesPerRound = 16

export function databaseSweepParts(context: DatabaseSweepContext): readonly SweepPart[] {
  const { sql, catalog, durability, clock } = context
  const lettingGo = new LettingGo(context)
  let wasNotDurable: boolean | null = null
  let safetyAfter = ''
  let partitionsAt = Number.NEGATIVE_INFINITY
  return [
    {
      name: 'durability',
      // The server may have been restarted with other settings, or the role given its own.
      round: async () => {
        await durability.look()
        const isNotDurable = durability.isBroken
        if (isNotDurable === wasNotDurable) return
        const detail = { off: durability.lacks.map((l) => l.setting), advice: adviceOn(durability.lacks) }
        if (isNotDurable) await raise(sql, [{ kind: 'not_durable', ref: 'postgres', detail }])
        else await resolve(sql, 'not_durable', ['postgres'])
        wasNotDurable = isNotDurable
      },
    },
    {
      name: 'settings',
      round: async () => {
        if ((await catalogVersion(sql)) !== catalog.current.version) await catalog.refresh()
        if (clock.elapsed() - partitionsAt < partitionsEveryMs) return
        const isDone = await preparePartitions(sql, clock.now())
        partitionsAt = clock.elapsed() - (isDone ? 0 : partitionsEveryMs - partitionsAgainMs)
      },
    },
    { name: 'held for codes', round: () => lettingGo.round() },
    { name: 'closed nodes', round: async () => void (await callBackFromClosed(context)) },
    {
      name: 'safety stock',
      // An earlier release could leave rows with another safety stock than is set. The part `stock` then tells Redis.
      round: async () => {
        const { nodes, last } = await nodesWithOtherSafety(sql, safetyAfter, safetyNodesPerRound)
        for (const node of nodes) await sql.begin((tx) => followSafety(tx, node))
        safetyAfter = last ?? ''
      },
    },
  ]
}
