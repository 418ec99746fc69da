import type { SkuQuantity } from '../../router/types.ts'
import { staleEpoch } from './batch.ts'
import { assertCount } from './checks.ts'
import { type Client, callScripts } from './client.ts'
import type { HeldReservation, InspectOutcome } from './counters.ts'
import { keysOf } from './keys.ts'
import { outcomeOf } from './outcomes.ts'

/**
 * See inspect.lua. Reads the whole node at one instant: for sweeps and people, not for every order. With `skus` only their
 * counters and the node's number, without the records.
 */
export async function inspect(
  client: Client,
  epoch: number,
  node: string,
  skus?: readonly string[],
): Promise<InspectOutcome> {
  assertCount(epoch, 'epoch')
  const keys = keysOf(client.keyPrefix, node)
  const [reply] = await callScripts(client, [
    {
      verb: 'inspect',
      keys: [keys.atp, keys.held, keys.meta],
      argv: [epoch, ...(skus === undefined ? ['all'] : ['some', ...skus])],
    },
  ])
  const stale = staleEpoch(reply!)
  if (stale !== null) return stale
  const outcome = outcomeOf(reply![0], ['inspected'])
  const counters = reply![2] as (string | number)[]
  const records = reply![3] as string[]
  const atp = new Map<string, number>()
  for (let i = 0; i < counters.length; i += 2) atp.set(counters[i] as string, counters[i + 1] as number)
  const held: HeldReservation[] = []
  for (let i = 0; i < records.length; i += 2) held.push(readRecord(records[i]!, records[i + 1]!))
  return { outcome, seq: reply![1] as number, atp, held }
}

function readRecord(reservationId: string, record: string): HeldReservation {
  const space = record.indexOf(' ')
  const flat = JSON.parse(record.slice(space + 1)) as (string | number)[]
  const lines: SkuQuantity[] = []
  for (let i = 0; i < flat.length; i += 2) lines.push({ sku: flat[i] as string, quantity: flat[i + 1] as number })
  return { reservationId, madeAtMs: Number(record.slice(0, space)), lines }
}
