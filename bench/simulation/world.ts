/**
 * A whole world from one seed: two processes, a Postgres, a Redis, platforms that tell their orders' stories badly,
 * warehouses, deliveries, and faults (./troubles.ts). First with faults, then without: then everything has to come to
 * rest.
 */

import { type Random, randomFrom } from '../../adapters/shared/seeded-random.ts'
import { MemoryStore } from '../../adapters/store/memory/store.ts'
import type { Log } from '../../workers/process/log.ts'
import type { Metrics } from '../../workers/process/metrics.ts'
import { leftInFlight, restBreach } from './at-rest.ts'
import { deliverGoods } from './deliveries.ts'
import { openBills, openCarriers } from './finance.ts'
import { type Observed, StepInvariants } from './invariants.ts'
import { Ledger } from './ledger.ts'
import { nodes, type Place, safetyOf, skus } from './network.ts'
import { notifiedBreach } from './notified-at-rest.ts'
import type { OutsideContext } from './outside.ts'
import { openPlatform, type Stories } from './platform.ts'
import { SimulatedProcess } from './process.ts'
import { CountersPort, SimulatedRedis } from './redis.ts'
import { endOf, inOrder } from './reference.ts'
import { Scheduler } from './scheduler.ts'
import { SimulatedShop } from './shop-api.ts'
import { storePort } from './store-port.ts'
import { type Counts, countingMetrics, logOf } from './telemetry.ts'
import { tellStories } from './tell-stories.ts'
import { faultsOf, paceOf, type Temper, temperOf } from './temper.ts'
import type { Ports } from './thread.ts'
import { openTroubles } from './troubles.ts'
import { openWarehouse } from './warehouse.ts'
import { watched } from './watched-store.ts'
import { type Faults, Life, noFaults, Wire } from './wire.ts'
import type { Wiring } from './wiring.ts'

const startMs = Date.UTC(2026, 10, 11, 4)
const stormStepsMin = 300
const stormStepsMax = 1_200
// Some times what the slowest seed needs: beyond it the world does not come to rest.
const calmStepsMax = 12_000
// Longer than whatever a stage waits before it tries again: a doubted answer ten minutes, a backorder in vain an hour.
const jumpMs = 3_700_000
// By then every sweep was round at least twice.
const sweepsMs = 6_000
const scarce = 6
const plenty = 200

export class World {
  readonly trace: string[] = []
  readonly counts: Counts = new Map()
  readonly scheduler: Scheduler
  readonly random: Random
  readonly ledger = new Ledger()
  readonly store: MemoryStore
  readonly redis = new SimulatedRedis()
  readonly #place: Place
  readonly #wiring: Wiring
  readonly #seen: ReturnType<typeof watched>
  readonly #faults: Faults
  readonly #shop: SimulatedShop
  readonly #log: Log
  readonly #metrics: Metrics
  readonly #processes: SimulatedProcess[] = []
  readonly #lives: Life[] = []
  readonly #invariants: StepInvariants
  /** Plenty of everything and nobody who pulls: then every order ends as if nothing had happened. */
  readonly #comparable: boolean
  readonly temper: Temper
  #troubles: { readonly doubtedEpoch: number } = { doubtedEpoch: -1 }
  #started = 0
  #bug: string | null = null
  calm = false

  constructor(seed: number, place: Place, wiring: Wiring, traced: boolean) {
    this.random = randomFrom(seed)
    const note = (text: string): void => {
      this.trace.push(`${String(this.scheduler.nowMs - startMs).padStart(6)} ${text}`)
    }
    this.scheduler = new Scheduler(randomFrom(seed, 1), startMs, traced ? note : undefined)
    this.#place = place
    this.#wiring = wiring
    this.store = new MemoryStore({ nodes: nodes.map((node) => ({ node, safety: safetyOf[node]! })) }, () => this.nowMs)
    this.#seen = watched(wiring.store(this.store), this.store.tables, this.ledger, () => this.nowMs)
    this.#comparable = this.random.chance(0.3)
    this.temper = temperOf(this.random)
    this.#faults = faultsOf(this.temper, this.random)
    this.#shop = new SimulatedShop(
      this.random,
      () => this.nowMs,
      () => this.calm,
    )
    const onBug = (what: string): void => this.#breaks(`a bug: ${what}`)
    this.#log = logOf(onBug, () => this.temper === 'quiet' && this.#breaks('Redis and Postgres differ'))
    this.#metrics = countingMetrics(this.counts)
    this.#invariants = new StepInvariants(this.#observed())
  }

  get nowMs(): number {
    return this.scheduler.nowMs
  }

  #breaks(what: string): void {
    this.#bug ??= what
  }

  #observed(): Observed {
    const world = this
    return {
      tables: this.store.tables,
      redis: this.redis,
      ledger: this.ledger,
      get locked() {
        return world.store.locked
      },
      get doubtedEpoch() {
        return world.#troubles.doubtedEpoch
      },
      waitingBytes: () => this.#processes.map((p) => p.up?.intake.waitingBytes ?? 0),
    }
  }

  async run(): Promise<string | null> {
    const { random } = this
    await this.#stock()
    this.#startProcess(0)
    this.#startProcess(1)
    const stories = tellStories(random, startMs)
    const context: OutsideContext = {
      ...{ scheduler: this.scheduler, random, ledger: this.ledger },
      process: () => this.#anyProcess(),
      isCalm: () => this.calm,
    }
    const { acksEarly, noticesRestarts } = this.#wiring
    const busy = [
      openPlatform({ ...context, shop: this.#shop, acksEarly }, stories),
      openCarriers(context),
      openBills(context, [...stories.told, ...stories.notified], startMs),
      ...(this.#comparable ? [] : nodes.map((node) => openWarehouse(context, node))),
    ]
    deliverGoods(context, !this.#comparable)
    this.#troubles = openTroubles({
      ...{ ...context, redis: this.redis, store: this.store, lives: this.#lives, noticesRestarts },
      ...{ faults: this.#faults, temper: this.temper, restart: (index) => this.#startProcess(index) },
    })
    const stormSteps = random.between(stormStepsMin, stormStepsMax)
    for (let i = 0; i < stormSteps; i++) {
      const breach = await this.#step()
      if (breach !== null) return breach
    }
    const breach = await this.#rest(() => busy.every(({ isDone }) => isDone()))
    return breach ?? notifiedBreach(this.store.tables, stories.notified) ?? (await this.#differences(stories))
  }

  async #stock(): Promise<void> {
    for (const node of nodes) {
      const lines = skus.map((sku) => {
        return { sku, quantity: this.#comparable ? plenty : this.random.below(scarce) }
      })
      await this.store.postStock({ node, ref: 'first', kind: 'set', lines, bodyHash: Buffer.alloc(0) })
    }
  }

  async #step(): Promise<string | null> {
    if (!(await this.scheduler.step())) return 'nothing is left to happen'
    return this.#bug ?? this.#invariants.breach()
  }

  async #rest(isDone: () => boolean): Promise<string | null> {
    this.calm = true
    this.scheduler.note('— calm —')
    const { silentUntilMs } = this.#faults
    Object.assign(this.#faults, { ...noFaults, silentUntilMs })
    this.#lives.forEach((life, i) => {
      life.freeze(0)
      if (!life.alive) this.#startProcess(i)
    })
    let restFromMs = Number.POSITIVE_INFINITY
    for (let i = 0; i < calmStepsMax; i++) {
      const breach = await this.#step()
      if (breach !== null) return breach
      if (i % 16 !== 0 || !isDone() || !this.#processes.every((p) => p.idle)) continue
      if (restFromMs === Number.POSITIVE_INFINITY) {
        const isQuiet = this.temper === 'quiet'
        const left = isQuiet && this.store.tables.pending.size === 0 ? leftInFlight(this.#observed()) : null
        if (left !== null) return left
        // Whatever is held or leased by now has nobody behind it, and whatever waits is due.
        this.scheduler.nowMs += jumpMs
        restFromMs = this.nowMs + sweepsMs
      } else if (this.nowMs >= restFromMs && restBreach(this.#observed()) === null) return null
    }
    if (!isDone()) return 'those outside are never answered'
    return restBreach(this.#observed()) ?? 'no rest'
  }

  async #differences(stories: Stories): Promise<string | null> {
    if (!this.#comparable) return null
    const { catalog, divisions } = this.#place
    const expected = await inOrder(stories, catalog, divisions, startMs)
    for (const order of this.store.tables.orders.values()) {
      const end = endOf(order)
      const should = expected.get(order.orderId)!
      if (end !== should) return `order ${order.orderId} ended as ${end}, in order as ${should}`
    }
    return null
  }

  #startProcess(index: number): void {
    const life = new Life(`p${index + 1}`)
    const lifeNumber = ++this.#started
    this.#lives[index] = life
    const process = new SimulatedProcess({
      ...this.#portsOf(life, () => this.#processes[index]!.keeper.epoch),
      ...{ ...this.#place, ...paceOf(this.temper), shop: this.#shop, log: this.#log, metrics: this.#metrics },
      portsOf: (of, epoch) => this.#portsOf(of, epoch),
      wiring: this.#wiring,
      owner: this.#wiring.owner(lifeNumber),
      lifeNumber,
      onBug: (what) => this.#breaks(`a bug: ${what}`),
      onEnd: () => this.#startLater(index, life),
    })
    this.#processes[index] = process
    process.start()
  }

  /** What cannot start is started again by its supervisor. */
  #startLater(index: number, life: Life): void {
    if (!life.alive) return
    life.end()
    this.scheduler.after(this.random.between(50, 500), `${life.name} starts again`, () => {
      if (this.#lives[index] === life) this.#startProcess(index)
    })
  }

  /** `epoch`: of the keeper behind them, now. */
  #portsOf(life: Life, epoch: () => number): Ports {
    const wire = new Wire(life, this.scheduler, this.random, this.#faults)
    const counters = new CountersPort(wire, this.redis, this.#wiring.counters(this.redis.stock))
    const store = storePort(wire, this.#wiring.perProcess(this.#seen, epoch))
    return { wire, store, counters: this.#wiring.port(counters) }
  }

  #anyProcess(): SimulatedProcess | null {
    const up = this.#processes.filter((p) => p.alive)
    return up.length === 0 ? null : this.random.pick(up)
  }
}
