/** The threads of one simulated process: what its dispatch gives them, and what must hold of it. */
import type { Random } from '../../adapters/shared/seeded-random.ts'
import { keyOf } from '../../adapters/store/orders/load.ts'
import type { BatchResult, EventToDecide } from '../../workers/decide/batch.ts'
import { type Ports, type Shared, SimulatedThread } from './thread.ts'
import type { Life, Wire } from './wire.ts'

export const threadCount = 2

export interface ThreadsContext {
  readonly wire: Wire
  /** Connections of a thread; `epoch`: its keeper's, now. */
  readonly portsOf: (life: Life, epoch: () => number) => Ports
  readonly shared: Shared
  readonly owner: string
  readonly learn: (node: string, rows: readonly { readonly sku: string; readonly atp: number }[]) => void
  readonly onBug: (what: string) => void
  /** False is a deliberate fault: what a thread had in hand when it died is given to nobody. */
  readonly outlivesThreads: boolean
}

export class SimulatedThreads {
  readonly #context: ThreadsContext
  #threads: readonly SimulatedThread[]
  #started = 0
  /** Orders that threads work on now, and events: whatever the dispatch believes. */
  readonly #orders = new Set<string>()
  readonly #events = new Set<string>()

  constructor(context: ThreadsContext) {
    this.#context = context
    this.#threads = Array.from({ length: threadCount }, () => this.#start())
  }

  #start(): SimulatedThread {
    const { wire, portsOf, shared, owner, learn } = this.#context
    let epoch = (): number => -1
    const ports = portsOf(wire.life.thread(`t${++this.#started}`), () => epoch())
    const thread = new SimulatedThread(ports, shared, owner, learn)
    epoch = () => thread.keeper.epoch
    return thread
  }

  /** One of them dies alone, and another one takes its place. */
  endOne(random: Random): void {
    const dying = random.pick(this.#threads)
    this.#context.wire.scheduler.note(`${dying.life.name} dies`)
    this.#threads = this.#threads.map((thread) => (thread === dying ? this.#start() : thread))
    dying.life.end()
  }

  get running(): number {
    return this.#threads.reduce((sum, { running }) => sum + running, 0)
  }

  /** As workers/decide/threads.ts: to the thread that has least to do. */
  async run(batch: readonly EventToDecide[]): Promise<BatchResult> {
    const { wire, outlivesThreads } = this.#context
    const thread = this.#threads.reduce((least, one) => (one.running < least.running ? one : least))
    const keys = this.#enter(batch)
    try {
      return await thread.decide(batch)
    } catch (error) {
      // Nothing that belongs to a process runs when it is dead.
      if (!wire.life.alive || (!outlivesThreads && !thread.life.alive)) return await new Promise<never>(() => undefined)
      throw error
    } finally {
      for (const key of keys) this.#orders.delete(key)
      for (const { seq } of batch) this.#events.delete(seq)
    }
  }

  #enter(batch: readonly EventToDecide[]): ReadonlySet<string> {
    const { onBug } = this.#context
    const keys = new Set(batch.map(keyOf))
    for (const key of keys) if (this.#orders.has(key)) onBug(`${key} is in two threads at once`)
    for (const { seq } of batch) {
      if (this.#events.has(seq)) onBug(`event ${seq} is in two batches`)
      this.#events.add(seq)
    }
    for (const key of keys) this.#orders.add(key)
    return keys
  }
}
