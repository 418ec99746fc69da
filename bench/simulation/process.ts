/**
 * One life of a service process: the product's own stages, sweep and warehouse verbs, wired to stores in memory, to threads that
 * may die alone, and to the time of the world. All of its memory is gone when it crashes.
 */
import type { OrderApis } from '../../adapters/channels/order-apis.ts'
import type { Random } from '../../adapters/shared/seeded-random.ts'
import type { InboxEvent, Stored } from '../../adapters/store/inbox/event.ts'
import type { OrderStore } from '../../adapters/store/order-store.ts'
import type { Posting } from '../../adapters/store/stock/stock.ts'
import type { Divisions } from '../../router/address.ts'
import type { Catalog } from '../../workers/catalog/catalog.ts'
import { CounterKeeper } from '../../workers/counters/counter-keeper.ts'
import type { EventToDecide } from '../../workers/decide/batch.ts'
import type { FulfilContext } from '../../workers/fulfil/verbs.ts'
import { Waiting } from '../../workers/fulfil/waiting.ts'
import { Sweep } from '../../workers/operate/sweep.ts'
import { orderSweepParts } from '../../workers/operate/sweep-parts.ts'
import type { Clock } from '../../workers/process/clock.ts'
import { openStages, type Stages } from '../../workers/stages.ts'
import { postStock } from '../../workers/stock/posting.ts'
import { lifeClock } from './life-clock.ts'
import { MemoryCatalog } from './memory-catalog.ts'
import type { CountersPort } from './redis.ts'
import { silentLog as log, silentMetrics as metrics } from './silent.ts'
import { type Ports, SimulatedThread, SimulatedThreads } from './thread.ts'
import type { Life, Wire } from './wire.ts'

const config = { batchMax: 4, threads: 2, threadConcurrency: 2, backlogMax: 10_000, drainSeconds: 0 }
const retryMs = 20
// Younger events are in the memory of the process that stored them; here often also in another's, on purpose.
const readBack = { everyMs: 60, olderThanMs: 30 }
const sweepEveryMs = 150
const reloadEveryMs = 1_000

export interface ProcessContext {
  readonly wire: Wire
  readonly store: OrderStore
  readonly counters: CountersPort
  /** Connections of a thread; `epoch`: its keeper's, now. */
  readonly portsOf: (life: Life, epoch: () => number) => Ports
  readonly apis: (wire: Wire) => OrderApis
  readonly catalog: Catalog
  readonly divisions: Divisions
  /** How old a reservation has to be for the sweep to end it. */
  readonly heldMsMax: number
  readonly onBug: (what: string) => void
  /** Of this life alone. */
  readonly owner: string
}

export class SimulatedProcess {
  readonly #context: ProcessContext
  readonly #clock: Clock
  readonly #catalog: MemoryCatalog
  readonly #threads: SimulatedThreads
  readonly keeper: CounterKeeper
  readonly stages: Stages
  #ids = 0
  /** Another life has another owner: its ids are never the same. */
  readonly #newId = (): string => `${this.#context.owner}.${++this.#ids}`

  constructor(context: ProcessContext) {
    const { wire, store, catalog, owner, counters, apis } = context
    this.#context = context
    this.#clock = lifeClock(wire)
    this.#catalog = new MemoryCatalog(catalog, store)
    this.keeper = new CounterKeeper(store, counters, owner, (node, rows) => this.#catalog.setAvailability(node, rows))
    this.#threads = new SimulatedThreads(config.threads, (name) => this.#startThread(name), context.onBug)
    this.stages = openStages({
      ...{ store, intakeStore: store, catalog: this.#catalog, clock: this.#clock, log, metrics },
      ...{ durability: { isBroken: false }, run: (batch) => this.#threads.decide(batch), apis: apis(wire) },
      ...{ config, readBack },
    })
  }

  #startThread(name: string): SimulatedThread {
    const { wire, portsOf, catalog, divisions, onBug, owner } = this.#context
    let epoch = (): number => -1
    const ports = portsOf(wire.life.thread(name), () => epoch())
    const shared = {
      ...{ catalog, divisions, availability: this.#catalog.availability },
      now: () => wire.scheduler.nowMs,
      logBug: (event: EventToDecide, error: unknown) =>
        onBug(`${event.eventId}: ${(error as Error).stack ?? String(error)}`),
    }
    const thread = new SimulatedThread(ports, shared, owner, (node, rows) => this.#catalog.setAvailability(node, rows))
    epoch = () => thread.keeper.epoch
    return thread
  }

  /** One of them dies alone, and another one takes its place. */
  endThread(random: Random): void {
    this.#context.wire.scheduler.note(`${this.#threads.end(random)} dies`)
  }

  get name(): string {
    return this.#context.wire.life.name
  }

  get alive(): boolean {
    return this.#context.wire.life.alive
  }

  /** Nothing is in its memory that is not done. */
  get idle(): boolean {
    const { dispatch, fetcher, intake } = this.stages
    return dispatch.size + fetcher.size + intake.waiting === 0
  }

  get store(): OrderStore {
    return this.#context.store
  }

  get fulfil(): FulfilContext {
    const { dispatch, reconciler } = this.stages
    const waiting = new Waiting(this.#clock)
    return { store: this.store, dispatch, reconciler, waiting, clock: this.#clock, isStopping: () => false }
  }

  start(): void {
    void this.#run()
  }

  /** As workers/foundation.ts opens what the stages stand on, and service.ts starts them. */
  async #run(): Promise<void> {
    const { wire, heldMsMax } = this.#context
    await this.#untilDone(() => this.keeper.open())
    await this.#untilDone(() => this.#catalog.fillAvailability())
    await this.#untilDone(() => this.stages.handOn.start())
    const context = { ...this.stages, store: this.store, keeper: this.keeper, catalog: this.#catalog }
    const options = { heldMsMax, reloadEveryMs }
    const clock = this.#clock
    const parts = orderSweepParts({ ...context, newId: this.#newId, clock, log, metrics }, options)
    new Sweep({ parts, everyMs: sweepEveryMs, clock, log, metrics }).start()
    wire.scheduler.note(`${this.name} is up`)
  }

  /** A start that fails is tried again, as whoever runs the service does. */
  async #untilDone(work: () => Promise<unknown>): Promise<void> {
    while (!(await this.#passes(work))) await this.#context.wire.sleep(retryMs, 'starts again')
  }

  spoilAvailability(units: number): void {
    this.#catalog.spoil(units)
  }

  /** As the platforms' door does it. Throws IntakeRefused. */
  async take(event: InboxEvent): Promise<Stored> {
    return await this.stages.intake.store(event)
  }

  async post(posting: Posting): Promise<void> {
    const { intake } = this.stages
    const { store, keeper } = this
    await postStock({ store, keeper, intake, newId: this.#newId, clock: this.#clock, log }, posting)
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
