/** Pools of threads that may be closed at any moment, also while their threads still start. */
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, threadId } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { codeOf } from './error-code.ts'
import type { Log } from './log.ts'

export interface PoolSettings {
  /** Compiled module of the thread; calls `sayLoaded` behind everything else. */
  readonly module: URL
  /** The function of the module that is run. */
  readonly name: string
  readonly minThreads: number
  readonly maxThreads: number
  /** Milliseconds that a thread beyond `minThreads` waits for more work. */
  readonly idleTimeout?: number
  readonly concurrentTasksPerWorker?: number
  readonly workerData: unknown
}

export interface ThreadPool<Task, Result> {
  /** Throws what the thread threw, and when the thread died. `moved`: the memory that the thread takes over. */
  run(task: Task, moved: readonly ArrayBuffer[]): Promise<Result>
  /** Tasks that wait for a thread. */
  waiting(): number
  /** Ends the threads, whatever they do: a caller who wants to wait for the tasks under way does so before. */
  close(): Promise<void>
}

// Node 20 aborts the whole process when a thread is ended while it links its modules (v8::Module::IsGraphAsync).
const loadMsMax = 10_000
const lookAgainMs = 5

interface Loaded {
  readonly loadedThread: number
}

export function openPool<Task, Result>(settings: PoolSettings, log: Log): ThreadPool<Task, Result> {
  const { module, ...rest } = settings
  // Atomics would block the thread while it waits, and with it the answers from Redis and Postgres.
  const pool = new Piscina<Task, Result>({ ...rest, filename: module.href, atomics: 'disabled' })
  const loaded = new Set<number>()
  pool.on('message', (message: Loaded) => loaded.add(message.loadedThread))
  // A thread that dies with nothing in hand: the pool makes a new one.
  pool.on('error', (error: unknown) => log.error({ code: codeOf(error), err: error }, 'a thread died'))
  const isLoading = (): boolean => pool.threads.some((thread) => isAlive(thread) && !loaded.has(thread.threadId))
  return {
    run: async (task, moved) => await pool.run(task, { transferList: [...moved] }),
    waiting: () => pool.queueSize,
    async close() {
      const until = performance.now() + loadMsMax
      while (isLoading() && performance.now() < until) await delay(lookAgainMs)
      // `pool.close` would wait for tasks under way, for up to half a minute.
      await pool.destroy()
    },
  }
}

const isAlive = ({ threadId }: { readonly threadId: number }): boolean => threadId !== -1

/** Called by a thread's module when all of it is there: only then may the thread be ended. */
export function sayLoaded(): void {
  parentPort?.postMessage({ loadedThread: threadId } satisfies Loaded)
}
