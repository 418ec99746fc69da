/** The threads that decide: their pool, and what its answers say to the metrics. */
import type { Log } from '../process/log.ts'
import type { Metrics } from '../process/metrics.ts'
import { openPool } from '../process/thread-pool.ts'
import {
  type BatchResult,
  type EventToDecide,
  packEvents,
  type ThreadSettings,
  type ThreadTask,
  unpackResult,
} from './batch.ts'

export interface ThreadsContext {
  readonly settings: ThreadSettings
  readonly threads: number
  /** Batches of a thread at once. */
  readonly concurrency: number
  /** What a batch needs of this process' settings and availability, now. */
  readonly current: () => Omit<ThreadTask, 'events'>
  readonly metrics: Pick<Metrics, 'batches' | 'stages' | 'refusals' | 'problems'>
  readonly log: Log
}

export interface DecidingThreads {
  /** Throws when a thread died or nothing can be decided: then nothing is known of the batch. */
  run(events: readonly EventToDecide[]): Promise<BatchResult>
  close(): Promise<void>
}

export function openThreads({
  settings,
  threads,
  concurrency,
  current,
  metrics,
  log,
}: ThreadsContext): DecidingThreads {
  const pool = openPool<ThreadTask, Uint8Array>(
    {
      module: new URL('./thread.js', import.meta.url),
      name: 'decide',
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: concurrency,
      workerData: settings,
    },
    log,
  )
  return {
    async run(events) {
      const packed = packEvents(events)
      const task = { events: packed, ...current() }
      const result = unpackResult(await pool.run(task, [packed.buffer as ArrayBuffer]))
      metrics.batches.inc()
      metrics.stages(result.times)
      metrics.refusals.inc(result.refusals)
      for (const problem of result.problems) metrics.problems.inc({ problem })
      return result
    },
    // The caller has waited for running batches as long as it may.
    close: () => pool.close(),
  }
}
