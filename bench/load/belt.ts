/**
 * Requests in the order in which they are sent. They are made and signed before the clock starts, as many as the run is
 * likely to need: making one costs as much as sending it. Platforms allow a signature to be some minutes old, JD six. What
 * goes beyond is made while the load runs, and counted.
 */
import { planOf, type StreamedRequest, type StreamSettings, stream } from './stream.ts'

export interface Belt<Item> {
  /** Taken off it so far. */
  taken(): number
  /** Of those taken since `before`, how many were not ready. */
  madeUnderLoad(before: number): number
  /** Throws when the next one was signed so long ago that it would only be refused. */
  next(): Item
}

/** So long after it was signed a request is surely taken; see the tolerance in adapters/channels/jd.ts. */
export const signedForMs = 5 * 60_000

/** `shape` is what is kept of a request: the fewer objects, the less there is to collect under load. */
export function belt<Item>(
  settings: StreamSettings,
  prepared: number,
  shape: (request: StreamedRequest) => Item,
): Belt<Item> {
  const endless = stream(planOf(settings))
  const signedAtMs = Date.now()
  const made: Item[] = []
  for (let i = 0; i < prepared; i++) made.push(shape(endless.next().value))
  let taken = 0
  return {
    taken: () => taken,
    madeUnderLoad: (before) => Math.max(0, taken - Math.max(before, prepared)),
    next() {
      const ready = made[taken++]
      if (ready === undefined) return shape(endless.next().value)
      const ageMs = Date.now() - signedAtMs
      if (ageMs > signedForMs)
        throw new Error(
          `request ${taken} of ${prepared} was signed ${Math.round(ageMs / 1000)} s ago, and JD takes none of more than 360: ` +
            'prepare fewer, what goes beyond is made while the load runs',
        )
      return ready
    },
  }
}
