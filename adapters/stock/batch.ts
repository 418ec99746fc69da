/** Requests of many nodes in, calls of one node each out, and the outcomes back in the order of the requests. */
import { type Call, type Client, callScripts, type Reply } from './client.ts'
import type { ReservationRef, StaleEpoch } from './counters.ts'
import { keysOf, type NodeKeys } from './keys.ts'
import { outcomeOf } from './outcomes.ts'

/** One script call blocks every other one in Redis: a few milliseconds at most. */
const requestsPerCallMax = 512
const weightPerCallMax = 5_000

export interface Batch<Request> {
  readonly node: string
  readonly requests: Request[]
  /** Where each request stood in what the caller gave. */
  readonly places: number[]
  weight: number
}

/** Groups by node, keeps the order within a node, and cuts what would block Redis for too long. */
export function batchesByNode<Request extends ReservationRef>(
  requests: readonly Request[],
  weightOf: (request: Request) => number,
): Batch<Request>[] {
  const batches: Batch<Request>[] = []
  const open = new Map<string, Batch<Request>>()
  requests.forEach((request, place) => {
    const weight = weightOf(request)
    let batch = open.get(request.node)
    if (
      batch === undefined ||
      batch.requests.length === requestsPerCallMax ||
      batch.weight + weight > weightPerCallMax
    ) {
      batch = { node: request.node, requests: [], places: [], weight: 0 }
      open.set(request.node, batch)
      batches.push(batch)
    }
    batch.requests.push(request)
    batch.places.push(place)
    batch.weight += weight
  })
  return batches
}

/** null: the script ran. */
export function staleEpoch(reply: Reply): StaleEpoch | null {
  if (reply[0] !== 2) return null
  const epoch = reply[1]
  return { outcome: 'stale_epoch', currentEpoch: typeof epoch === 'number' ? epoch : null }
}

export async function callBatches<Request extends ReservationRef, Outcome>(
  client: Client,
  requests: readonly Request[],
  weightOf: (request: Request) => number,
  encode: (keys: NodeKeys, batch: readonly Request[]) => Call,
  /** Reads one request's outcome off the reply, from `at` on; gives where the next one begins. */
  decode: (request: Request, reply: Reply, at: number) => { readonly outcome: Outcome; readonly next: number },
): Promise<(Outcome | StaleEpoch)[]> {
  const batches = batchesByNode(requests, weightOf)
  const replies = await callScripts(
    client,
    batches.map((batch) => encode(keysOf(client.keyPrefix, batch.node), batch.requests)),
  )
  const outcomes: (Outcome | StaleEpoch)[] = new Array(requests.length)
  batches.forEach((batch, b) => {
    const reply = replies[b]!
    const stale = staleEpoch(reply)
    if (stale === null) outcomeOf(reply[0], ['ran'])
    let at = 1
    batch.requests.forEach((request, r) => {
      if (stale !== null) {
        outcomes[batch.places[r]!] = stale
        return
      }
      const { outcome, next } = decode(request, reply, at)
      outcomes[batch.places[r]!] = outcome
      at = next
    })
    if (stale === null && at !== reply.length) throw new Error(`reply of ${reply.length} elements, ${at} understood`)
  })
  return outcomes
}
