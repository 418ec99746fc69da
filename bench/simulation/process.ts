/**
 * One life of a service process, as far as decisions go: its memory (queue, availability), threads with a keeper each that decide
 * several batches at once, the reading back of what is pending, and the sweep's mending on a keeper of the main thread. All
 * of it is gone when it crashes.
 */

import type { Random } from '../../adapters/shared/seeded-random.ts'
import type { InboxEvent, Stored } from '../../adapters/store/inbox/event.ts'
import { keyOf } from '../../adapters/store/orders/load.ts'
import type { Divisions } from '../../router/address.ts'
import { Availability } from '../../workers/catalog/availability.ts'
import type { Catalog } from '../../workers/catalog/catalog.ts'
import { CounterKeeper } from '../../workers/counters/counter-keeper.ts'
import { endReservations } from '../../workers/counters/end-reservations.ts'
import type { EventToDecide } from '../../workers/decide/batch.ts'
import { commandEvent } from '../../workers/intake/commands.ts'
import type { CountersPort } from './redis.ts'
import type { StorePort } from './store-port.ts'
import { type Ports, SimulatedThread } from './thread.ts'
import type { Life, Wire } from './wire.ts'
import type { Wiring } from './wiring.ts'

const batchMax = 4
const threadsAtOnce = 2
const batchesPerThread = 2
const retryMs = 20
const readBackEveryMs = 60
// Younger events are in the memory of the process that stored them; here often also in another's, on purpose.
const readBackAfterMs = 30
const sweepEveryMs = 150
const interceptsPerSweep = 20

export interface ProcessContext {
  readonly wire: Wire
  readonly store: StorePort
  readonly counters: CountersPort
  /** Connections of a thread; `epoch`: its keeper's, now. */
  readonly portsOf: (life: Life, epoch: () => number) => Ports
  readonly catalog: Catalog
  readonly divisions: Divisions
  /** How old a reservation has to be for the sweep to end it. */
  readonly heldMsMax: number
  readonly onBug: (what: string) => void
  readonly wiring: Pick<Wiring, 'mends' | 'outlivesThreads' | 'keepsOrdersApart'>
  /** Of this life alone. */
  readonly owner: string
}

export class SimulatedProcess {
  readonly #context: ProcessContext
  readonly keeper: CounterKeeper
  readonly #availability: Availability
  #queue: EventToDecide[] = []
  readonly #known = new Set<string>()
  readonly #busy = new Set<string>()
  /** Orders that threads work on now, as the threads see it: whatever the queue believes. */
  readonly #inThreads = new Set<string>()
  #threads: readonly SimulatedThread[] = []
  #started = 0
  #running = 0
  #ready = false
  readonly #differences = new Map<string, string>()

  constructor(context: ProcessContext) {
    this.#context = context
    this.#availability = Availability.sized(8, 1_024)
    this.keeper = new CounterKeeper(context.store, context.counters, context.owner, (node, rows) =>
      this.#learn(node, rows),
    )
    this.#threads = Array.from({ length: threadsAtOnce }, () => this.#startThread())
  }

  #startThread(): SimulatedThread {
    const { wire, portsOf, catalog, divisions, onBug, owner } = this.#context
    let epoch = (): number => -1
    const ports = portsOf(wire.life.thread(`t${++this.#started}`), () => epoch())
    const shared = {
      ...{ catalog, divisions, availability: this.#availability },
      now: () => wire.scheduler.nowMs,
      logBug: (event: EventToDecide, error: unknown) =>
        onBug(`${event.eventId}: ${(error as Error).stack ?? String(error)}`),
    }
    const thread = new SimulatedThread(ports, shared, owner, (node, rows) => this.#learn(node, rows))
    epoch = () => thread.keeper.epoch
    return thread
  }

  /** One of them dies alone, and another one takes its place. */
  endThread(random: Random): void {
    const dying = random.pick(this.#threads)
    this.#context.wire.scheduler.note(`${dying.life.name} dies`)
    this.#threads = this.#threads.map((thread) => (thread === dying ? this.#startThread() : thread))
    dying.life.end()
  }

  get name(): string {
    return this.#context.wire.life.name
  }

  get alive(): boolean {
    return this.#context.wire.life.alive
  }

  get idle(): boolean {
    return this.#running === 0 && this.#queue.length === 0
  }

  get store(): StorePort {
    return this.#context.store
  }

  start(): void {
    void this.#run()
  }

  async #run(): Promise<void> {
    const { wire } = this.#context
    while (!(await this.#passes(() => this.keeper.open()))) await wire.sleep(retryMs, 'opens its keeper again')
    await this.#passes(async () => {
      for (const { node, available } of await this.store.figuresOf(this.#context.catalog.nodes.map((n) => n.node))) {
        this.#learn(
          node,
          available.map((r) => ({ sku: r.sku, atp: r.available })),
        )
      }
    })
    this.#ready = true
    this.#pump()
    void this.#readBack()
    void this.#sweep()
  }

  /** What nobody may rely on: all availability are nonsense from now on. */
  spoilAvailability(units: number): void {
    for (let node = 1; node <= this.#context.catalog.nodes.length; node++) {
      for (let sku = 1; sku <= 3; sku++) this.#availability.set(node, sku, units)
    }
  }

  async take(events: readonly InboxEvent[]): Promise<readonly Stored[]> {
    const stored = await this.store.storeEvents(events)
    const storedAtMs = this.#context.wire.scheduler.nowMs
    stored.forEach((one, i) => {
      if (one.outcome === 'new') this.push([{ ...events[i]!, seq: one.seq, storedAtMs }])
    })
    return stored
  }

  push(events: readonly EventToDecide[]): void {
    for (const event of events) {
      if (this.#known.has(event.seq)) continue
      this.#known.add(event.seq)
      this.#queue.push(event)
    }
    this.#pump()
  }

  async tell(deltas: Parameters<CounterKeeper['tell']>[0]): Promise<void> {
    await this.#passes(() => this.keeper.tell(deltas))
  }

  #pump(): void {
    while (this.#ready && this.alive && this.#running < threadsAtOnce * batchesPerThread) {
      const batch = this.#nextBatch()
      if (batch.length === 0) return
      this.#running += 1
      void this.#decide(batch)
    }
  }

  /** One order is never in two batches of a process. */
  #nextBatch(): EventToDecide[] {
    const { keepsOrdersApart } = this.#context.wiring
    const batch: EventToDecide[] = []
    const ours = new Set<string>()
    this.#queue = this.#queue.filter((event) => {
      const key = keyOf(event)
      if (batch.length >= batchMax || (keepsOrdersApart && this.#busy.has(key) && !ours.has(key))) return true
      this.#busy.add(key)
      ours.add(key)
      batch.push(event)
      return false
    })
    return batch
  }

  async #decide(batch: readonly EventToDecide[]): Promise<void> {
    const { wire, wiring } = this.#context
    const thread = this.#threads.reduce((least, one) => (one.running < least.running ? one : least))
    let done: ReadonlySet<string> = new Set()
    const keys = new Set(batch.map(keyOf))
    for (const key of keys) if (this.#inThreads.has(key)) this.#context.onBug(`${key} is in two threads at once`)
    for (const key of keys) this.#inThreads.add(key)
    await this.#passes(async () => {
      const { decided } = await thread.decide(batch)
      done = new Set(decided.filter((d) => d.done).map((d) => d.seq))
    })
    for (const key of keys) this.#inThreads.delete(key)
    if (!this.alive || (!wiring.outlivesThreads && !thread.life.alive)) return
    for (const event of batch) this.#busy.delete(keyOf(event))
    const again = batch.filter((event) => !done.has(event.seq))
    // Those that did not go through are forgotten here, and read back from what is pending.
    for (const event of batch) this.#known.delete(event.seq)
    if (again.length > 0) await wire.sleep(retryMs, 'may decide again')
    this.#running -= 1
    this.#pump()
  }

  async #readBack(): Promise<void> {
    const { wire } = this.#context
    for (;;) {
      await this.#passes(async () => {
        const options = { afterSeq: '0', limit: 50, olderThanMs: readBackAfterMs }
        this.push(await this.store.readPending(options))
      })
      await wire.sleep(readBackEveryMs, 'reads back')
    }
  }

  async #sweep(): Promise<void> {
    const { wire, catalog } = this.#context
    for (;;) {
      await wire.sleep(sweepEveryMs, 'sweeps')
      for (const { node } of catalog.nodes) await this.#passes(() => this.#mend(node))
      await this.#passes(() => this.#takeBackLapsed())
    }
  }

  /** As workers/stock/sweep-stock.ts does for one node. */
  async #mend(node: string): Promise<void> {
    const { store, wire, heldMsMax, wiring } = this.#context
    const { epoch } = this.keeper
    await this.keeper.catchUp(node)
    let seen = await this.keeper.look(node)
    const old = seen.held.filter((h) => h.madeAtMs < wire.scheduler.nowMs - heldMsMax)
    if (wiring.mends && old.length > 0) {
      await endReservations(
        store,
        this.keeper,
        old.map(({ reservationId, madeAtMs }) => ({ node, reservationId, madeAtMs })),
      )
      seen = await this.keeper.look(node)
    }
    this.#learn(
      node,
      [...seen.atp].map(([sku, atp]) => ({ sku, atp })),
    )
    if (seen.held.length > 0) return
    const [figures] = await store.figuresOf([node])
    if (figures === undefined || figures.seq !== seen.seq) return
    const different = figures.available.filter((r) => (seen.atp.get(r.sku) ?? 0) !== r.available)
    const text = JSON.stringify([epoch, seen.seq, different.map((d) => [d.sku, d.available, seen.atp.get(d.sku) ?? 0])])
    const known = this.#differences.get(node)
    this.#differences.set(node, text)
    if (different.length > 0 && known === text) await this.keeper.recover(epoch)
  }

  async #takeBackLapsed(): Promise<void> {
    for (const { node, taskId, fence } of await this.store.lapsedIntercepts(interceptsPerSweep)) {
      await this.giveBack(node, taskId, fence, { state: 'intercepted', lapsed: true })
    }
  }

  /** As workers/fulfil/routes.ts hands a task back. */
  async giveBack(node: string, taskId: string, fence: number, how: Parameters<StorePort['giveBack']>[3]) {
    const why = how.state === 'rejected' ? how.reason : 'intercepted'
    const lines = how.state === 'rejected' ? how.lines : []
    let event: InboxEvent | null = null
    const { scheduler } = this.#context.wire
    const done = await this.store.giveBack(node, taskId, fence, how, (order) => {
      const command = {
        type: 'take_back',
        taskId,
        why,
        lines,
        actor: { kind: 'node', name: node },
        note: '',
      } as Parameters<typeof commandEvent>[1]
      event = commandEvent(order, command, scheduler.nowMs, `${taskId}.${fence}`)
      return event
    })
    if (done.outcome === 'given_back' && event !== null) {
      this.push([{ ...(event as InboxEvent), seq: done.seq, storedAtMs: scheduler.nowMs }])
    }
    return done
  }

  #learn(node: string, rows: Iterable<{ readonly sku: string; readonly atp: number }>): void {
    const { catalog } = this.#context
    const index = catalog.nodeIndex.get(node)
    if (index === undefined) return
    for (const { sku, atp } of rows) this.#availability.set(catalog.nodeNo(index), catalog.skuNo(sku), atp)
  }

  /** Whether it went through: operating failures pass, anything else is a bug. */
  async #passes(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (typeof code !== 'string') this.#context.onBug((error as Error).stack ?? String(error))
      return false
    }
  }
}
