/** A thread that takes a while to load, counts itself then, and never ends what it is asked for. */
import { setTimeout as delay } from 'node:timers/promises'
import { workerData } from 'piscina'
import { sayLoaded } from '../thread-pool.ts'

/** `counter`: one number, of all threads. */
export interface SlowThreadData {
  readonly counter: SharedArrayBuffer
  readonly loadMs: number
}

const { counter, loadMs } = workerData as SlowThreadData

await delay(loadMs)
Atomics.add(new Int32Array(counter), 0, 1)

export function neverEnds(): Promise<never> {
  // A timer, so that the thread has something to wait for.
  return new Promise(() => void setInterval(() => undefined, 1_000))
}

sayLoaded()
