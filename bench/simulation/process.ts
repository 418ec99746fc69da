/**
 * One life of a service process: the product's own stages and sweep, on stores over the wire, in virtual time. What stands
 * here is wiring. All of it is gone when the life ends.
 */
import type { Random } from '../../adapters/shared/seeded-random.ts'
import type { SkuAtp } from '../../adapters/stock/counters.ts'
import type { OrderStore } from '../../adapters/store/order-store.ts'
import type { Divisions } from '../../router/address.ts'
import type { Catalog } from '../../workers/catalog/catalog.ts'
import { CounterKeeper } from '../../workers/counters/counter-keeper.ts'
import type { FulfilContext } from '../../workers/fulfil/verbs.ts'
import { Waiting } from '../../workers/fulfil/waiting.ts'
import { Sweep } from '../../workers/operate/sweep.ts'
import { type OrderSweepContext, orderSweepParts } from '../../workers/operate/sweep-parts.ts'
import type { Clock } from '../../workers/process/clock.ts'
import type { Log } from '../../workers/process/log.ts'
import type { Metrics } from '../../workers/process/metrics.ts'
import { openStages, type Stages } from '../../workers/stages.ts'
import { clockOf } from './clock.ts'
import { type SettingsView, settingsOf } from './settings.ts'
import type { SimulatedShop } from './shop-api.ts'
import type { Ports } from './thread.ts'
import { SimulatedThreads, threadCount } from './threads.ts'
import type { Life } from './wire.ts'
import type { Wiring } from './wiring.ts'

const config = { batchMax: 4, threads: threadCount, threadConcurrency: 2, drainSeconds: 5, backlogMax: 10_000 }
// Younger events are in the memory of the process that stored them; here often also in another's, on purpose.
const readBack = { everyMs: 600, olderThanMs: 300 }
const waitingLimits = { waitingMax: 2, lookAgainMs: 150, looksPerSecondMax: 300 }

export interface ProcessContext extends Ports {
  /** Connections of a thread; `epoch`: its keeper's, now. */
  readonly portsOf: (life: Life, epoch: () => number) => Ports
  readonly catalog: Catalog
  readonly divisions: Divisions
  readonly shop: SimulatedShop
  /** How old a reservation has to be for the sweep to end it. */
  readonly heldMsMax: number
  readonly sweepEveryMs: number
  readonly log: Log
  readonly metrics: Metrics
  readonly onBug: (what: string) => void
  /** It could not start. */
  readonly onEnd: () => void
  readonly wiring: Pick<Wiring, 'outlivesThreads'>
  readonly owner: string
  /** Of all lives of all processes. */
  readonly lifeNumber: number
}

/** A process that has started, as its callers see it. */
export interface Up extends Stages, Omit<FulfilContext, keyof Stages | 'store'> {
  readonly store: OrderStore
  readonly keeper: CounterKeeper
  readonly clock: Clock
  readonly log: Log
  readonly newId: () => string
}

export class SimulatedProcess {
  readonly #context: ProcessContext
  readonly keeper: CounterKeeper
  readonly settings: SettingsView
  readonly #clock: Clock
  readonly #threads: SimulatedThreads
  #up: Up | null = null
  #ids = 0

  constructor(context: ProcessContext) {
    this.#context = context
    const { wire, store, counters, portsOf, catalog, divisions, owner, onBug, wiring } = context
    this.#clock = clockOf(wire.life, wire.scheduler)
    this.settings = settingsOf(catalog, store)
    const learn = (node: string, rows: readonly SkuAtp[]): void => this.settings.setAvailability(node, rows)
    this.keeper = new CounterKeeper(store, counters, owner, learn)
    const { settings } = this
    const shared = {
      ...{ catalog, divisions, now: () => wire.scheduler.nowMs },
      get availability() {
        return settings.availability
      },
      logBug: (event: { readonly eventId: string }, error: unknown) =>
        onBug(`${event.eventId}: ${(error as Error).stack ?? String(error)}`),
    }
    const { outlivesThreads } = wiring
    this.#threads = new SimulatedThreads({ wire, portsOf, shared, owner, learn, onBug, outlivesThreads })
  }

  get name(): string {
    return this.#context.wire.life.name
  }

  get alive(): boolean {
    return this.#context.wire.life.alive
  }

  /** null: it is dead, or has not started yet. */
  get up(): Up | null {
    return this.alive ? this.#up : null
  }

  /** Nothing is in its memory that is to be decided. */
  get idle(): boolean {
    const { up } = this
    return up !== null && up.dispatch.size + up.fetcher.size + up.intake.waiting + this.#threads.running === 0
  }

  endThread(random: Random): void {
    this.#threads.endOne(random)
  }

  /** As workers/service.ts: what cannot start ends, and is started again by its supervisor. */
  start(): void {
    this.#start().catch((error: unknown) => {
      if (typeof (error as { code?: unknown }).code !== 'string') this.#context.onBug((error as Error).stack ?? '')
      this.#context.onEnd()
    })
  }

  async #start(): Promise<void> {
    const { store, wire, shop, log, metrics, lifeNumber } = this.#context
    await this.keeper.open()
    await this.settings.fillAvailability()
    const stages = openStages({
      ...{ config, clock: this.#clock, log, metrics, store, intakeStore: store, catalog: this.settings, readBack },
      ...{ durability: { isBroken: false }, run: (events) => this.#threads.run(events), apis: shop.apis(wire) },
    })
    const up: Up = {
      ...stages,
      ...{ store, keeper: this.keeper, clock: this.#clock, log, isStopping: () => false },
      waiting: new Waiting(this.#clock, waitingLimits),
      newId: () => `${lifeNumber}.${++this.#ids}`,
    }
    await stages.handOn.start()
    this.#sweepOf(up).start()
    this.#up = up
  }

  #sweepOf(up: Up): Sweep {
    const { heldMsMax, sweepEveryMs, metrics } = this.#context
    const context: OrderSweepContext = { ...up, catalog: this.settings, metrics }
    const parts = orderSweepParts(context, { heldMsMax, reloadEveryMs: heldMsMax, ordersPerRound: 1 })
    return new Sweep({ parts, everyMs: sweepEveryMs, clock: this.#clock, log: up.log, metrics })
  }
}
