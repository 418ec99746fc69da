/**
 * Requests in the order in which they are sent. They are made and signed before the clock starts, as many as the run is
 * likely to need: making one costs as much as sending it. Platforms allow a signature to be minutes old. What goes
 * beyond is made while the load runs, and counted.
 */
import { planOf, type StreamedRequest, type StreamSettings, stream } from './stream.ts'

export interface Belt<Item> {
  /** Taken off it so far. */
  taken(): number
  /** Of those taken since `before`, how many were not ready. */
  madeUnderLoad(before: number): number
  next(): Item
}

/** `shape` is what is kept of a request: the fewer objects, the less there is to collect under load. */
export function belt<Item>(
  settings: StreamSettings,
  prepared: number,
  shape: (request: StreamedRequest) => Item,
): Belt<Item> {
  const endless = stream(planOf(settings))
  const made: Item[] = []
  for (let i = 0; i < prepared; i++) made.push(shape(endless.next().value))
  let taken = 0
  return {
    taken: () => taken,
    madeUnderLoad: (before) => Math.max(0, taken - Math.max(before, prepared)),
    next: () => made[taken++] ?? shape(endless.next().value),
  }
}
