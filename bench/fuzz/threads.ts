/** Threads that share the stretches; one that hangs in an input is ended, and the input named. */
import { Worker } from 'node:worker_threads'
import type { Stretched } from './stretch.ts'
import { inputAt } from './stretch.ts'
import { targets } from './targets.ts'
import type { Order } from './thread.ts'

// The budget of an input is a fiftieth of this; shrinking a failing one takes some seconds.
const hangMs = 30_000
const lookMs = 1_000

/** Runs orders until `next` gives none, `count` at a time. `done` hears of each. */
export async function runThreads(
  count: number,
  next: () => Order | null,
  done: (stretched: Stretched) => void,
): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => runThread(next, done)))
}

async function runThread(next: () => Order | null, done: (stretched: Stretched) => void): Promise<void> {
  let thread = start()
  try {
    for (let order = next(); order !== null; order = next()) {
      const stretched = await carryOut(thread, order)
      if (stretched.failure?.sign === 'hangs') thread = start()
      done(stretched)
    }
  } finally {
    await thread.worker.terminate()
  }
}

interface Thread {
  readonly worker: Worker
  readonly place: Float64Array
}

function start(): Thread {
  const memory = new SharedArrayBuffer(8)
  return {
    worker: new Worker(new URL('./thread.js', import.meta.url), { workerData: memory }),
    place: new Float64Array(memory),
  }
}

function carryOut({ worker, place }: Thread, order: Order): Promise<Stretched> {
  const began = performance.now()
  return new Promise((resolve, reject) => {
    let last = { index: -1, atMs: began }
    const end = (): void => {
      clearInterval(watch)
      worker.off('message', hear)
      worker.off('error', fail)
    }
    const hear = (stretched: Stretched): void => {
      end()
      resolve(stretched)
    }
    const fail = (error: unknown): void => {
      end()
      reject(error)
    }
    const watch = setInterval(() => {
      const nowMs = performance.now()
      if (place[0] !== last.index) last = { index: place[0]!, atMs: nowMs }
      else if (nowMs - last.atMs > hangMs) {
        end()
        void worker.terminate().then(() => resolve(hung(order, last.index, nowMs - began)))
      }
    }, lookMs)
    worker.on('message', hear)
    worker.on('error', fail)
    worker.postMessage(order)
  })
}

function hung(order: Order, index: number, ms: number): Stretched {
  const target = targets.find((each) => each.name === order.target)!
  const message = `not back after ${hangMs / 1000} s`
  return {
    ...{ target: order.target, inputs: index - order.from + 1, ms, slowest: { index, ms: hangMs } },
    failure: {
      ...{ target: order.target, seed: order.seed, index, sign: 'hangs', message },
      input: inputAt(target, order.seed, index),
    },
  }
}
