import { staleEpoch } from './batch.ts'
import { assertCount, assertName } from './checks.ts'
import { type Client, callScripts } from './client.ts'
import type { ApplyOutcome, SkuAtp, StockDelta } from './counters.ts'
import { keysOf } from './keys.ts'
import { outcomeOf } from './outcomes.ts'

/** One script call blocks every other one in Redis; more changes than this are told in several calls. */
const deltasMax = 1_000
/** A count changes on-hand, a 32-bit integer in Postgres, by less than this. */
const deltaMax = 2 ** 32

/** See apply.lua. `deltas[i]` is the node's change number `fromSeq + i`; at most 1,000 of them. */
export async function apply(
  client: Client,
  epoch: number,
  node: string,
  fromSeq: number,
  deltas: readonly StockDelta[],
): Promise<ApplyOutcome> {
  assertCount(epoch, 'epoch')
  assertCount(fromSeq, 'fromSeq')
  if (deltas.length > deltasMax) throw new RangeError(`at most ${deltasMax} changes a call`)
  const keys = keysOf(client.keyPrefix, node)
  const [reply] = await callScripts(client, [
    { verb: 'apply', keys: [keys.atp, keys.meta], argv: [epoch, fromSeq, ...deltas.map(deltaText)] },
  ])
  const stale = staleEpoch(reply!)
  if (stale !== null) return stale
  const outcome = outcomeOf(reply![0], ['applied', 'already_applied', 'seq_gap'])
  const seq = reply![1] as number
  if (outcome !== 'applied') return { outcome, seq }
  const atp: SkuAtp[] = []
  for (let at = 3; at < reply!.length; at += 2) atp.push({ sku: reply![at] as string, atp: reply![at + 1] as number })
  return { outcome, seq, applied: reply![2] as number, atp }
}

function deltaText({ lines }: StockDelta): string {
  for (const { sku, delta } of lines) {
    assertName(sku, 'sku')
    if (!Number.isSafeInteger(delta) || Math.abs(delta) > deltaMax) throw new RangeError(`delta out of range: ${delta}`)
  }
  return JSON.stringify(lines.flatMap(({ sku, delta }) => [sku, delta]))
}
