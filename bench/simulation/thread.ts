/**
 * One life of a deciding thread: connections of its own to both stores, and a keeper of its own under the owner id of its
 * process, opened for its first batch. It ends with its process, and may end alone in the middle of whatever it does: what it
 * had sent may still land, while its process lives on and gives the same events to another thread.
 */
import type { OrderStore } from '../../adapters/store/order-store.ts'
import { defaultPolicy } from '../../router/policy.ts'
import { CounterKeeper } from '../../workers/counters/counter-keeper.ts'
import type { BatchResult, EventToDecide } from '../../workers/decide/batch.ts'
import { decideBatch, type ThreadContext } from '../../workers/decide/decide-batch.ts'
import type { CountersPort } from './redis.ts'
import type { Life, Wire } from './wire.ts'

/** How a process or a thread of it reaches the stores. */
export interface Ports {
  readonly wire: Wire
  readonly store: OrderStore
  readonly counters: CountersPort
}

/** What a thread has from its process. */
export type Shared = Pick<ThreadContext, 'catalog' | 'divisions' | 'availability' | 'now' | 'logBug'>

type Learn = (node: string, rows: readonly { readonly sku: string; readonly atp: number }[]) => void

export class SimulatedThread {
  readonly keeper: CounterKeeper
  readonly #ports: Ports
  readonly #shared: Shared
  #opening: Promise<void> | null = null
  running = 0

  constructor(ports: Ports, shared: Shared, owner: string, learn: Learn) {
    this.#ports = ports
    this.#shared = shared
    this.keeper = new CounterKeeper(ports.store, ports.counters, owner, learn)
  }

  get life(): Life {
    return this.#ports.wire.life
  }

  /** As workers/decide/thread.ts does it. Throws when a store cannot be reached, and when the thread dies meanwhile. */
  async decide(batch: readonly EventToDecide[]): Promise<BatchResult> {
    this.running += 1
    try {
      return await Promise.race([this.#decide(batch), this.life.died])
    } finally {
      this.running -= 1
    }
  }

  async #decide(batch: readonly EventToDecide[]): Promise<BatchResult> {
    this.#opening ??= this.keeper.open()
    await this.#opening.catch((error: unknown) => {
      this.#opening = null
      throw error
    })
    return await decideBatch(
      { ...this.#shared, policy: defaultPolicy, store: this.#ports.store, keeper: this.keeper },
      batch,
    )
  }
}
