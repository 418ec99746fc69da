/**
 * A whole world from one seed: two processes, a Postgres, a Redis, platforms that tell their orders' stories badly, warehouses,
 * deliveries, and somebody who breaks things. First the storm, then calm: no more faults, and everything has to come to rest.
 */

import type { OrderApis } from '../../adapters/channels/order-apis.ts'
import { type Random, randomFrom } from '../../adapters/shared/seeded-random.ts'
import { MemoryStore } from '../../adapters/store/memory/store.ts'
import type { Divisions } from '../../router/address.ts'
import type { Catalog } from '../../workers/catalog/catalog.ts'
import { deliverGoods } from './deliveries.ts'
import { type Observed, restBreach, StepInvariants } from './invariants.ts'
import { Ledger } from './ledger.ts'
import { nodes, safetyOf, skus } from './network.ts'
import { openPlatform } from './platform.ts'
import { SimulatedProcess } from './process.ts'
import { CountersPort, SimulatedRedis } from './redis.ts'
import { endOf, inOrder } from './reference.ts'
import { Scheduler } from './scheduler.ts'
import { storePort } from './store-port.ts'
import { type Story, tellStory } from './story.ts'
import type { Ports } from './thread.ts'
import { openTroubles } from './troubles.ts'
import { openWarehouse } from './warehouse.ts'
import { watched } from './watched-store.ts'
import { type Faults, Life, noFaults, Wire } from './wire.ts'
import { unbroken, type Wiring } from './wiring.ts'

/** No order of this world is fetched yet. */
const noApis = (): OrderApis => ({ of: () => null, close: async () => undefined })

const startMs = Date.UTC(2026, 10, 11, 4)
const stormStepsMin = 300
const stormStepsMax = 800
// Some five times what the slowest seed needs: beyond it the world does not come to rest.
const calmStepsMax = 6_000
const heldMsMax = 2_000
// By then every sweep was round at least twice.
const sweepsMs = 400
const losses = [
  [0, 0],
  [0.01, 0.01],
  [0.06, 0],
  [0.01, 0.04],
] as const
const scarce = 6
const plenty = 200

export interface Outcome {
  readonly seed: number
  /** The invariant that broke, and how. */
  readonly breach: string | null
  readonly steps: number
  /** Of all steps: equal for equal runs. */
  readonly hash: number
  readonly trace: readonly string[]
}

export interface Place {
  readonly catalog: Catalog
  readonly divisions: Divisions
}

export async function simulate(
  seed: number,
  place: Place,
  wiring: Wiring = unbroken,
  traced = false,
): Promise<Outcome> {
  const world = new World(seed, place, wiring, traced)
  const breach = await world.run()
  const { steps, hash } = world.scheduler
  return { seed, breach, steps, hash: hash >>> 0, trace: world.trace }
}

export class World {
  readonly trace: string[] = []
  readonly scheduler: Scheduler
  readonly random: Random
  readonly ledger = new Ledger()
  readonly store: MemoryStore
  readonly redis = new SimulatedRedis()
  readonly #place: Place
  readonly #wiring: Wiring
  readonly #seen: ReturnType<typeof watched>
  readonly #faults: { -readonly [K in keyof Faults]: Faults[K] }
  readonly #processes: SimulatedProcess[] = []
  readonly #lives: Life[] = []
  readonly #invariants: StepInvariants
  /** Plenty of everything and nobody who pulls: then every order ends as if nothing had happened. */
  readonly #comparable: boolean
  readonly #stories: Story[] = []
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
    // A few that are very late let the world change under their callers; many that are a little late shuffle it.
    const lateness = this.random.pick([noFaults, { slow: 0.04, slowMsMax: 250 }, { slow: 0.3, slowMsMax: 15 }])
    const [lostByRedis, lostByPostgres] = this.random.pick(losses)
    this.#faults = { ...noFaults, ...lateness, lostByRedis, lostByPostgres }
    this.#invariants = new StepInvariants(this.#observed())
  }

  get nowMs(): number {
    return this.scheduler.nowMs
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
    }
  }

  async run(): Promise<string | null> {
    const { random } = this
    await this.#stock()
    this.#startProcess(0)
    this.#startProcess(1)
    const orders = random.between(4, 10)
    for (let i = 0; i < orders; i++) this.#stories.push(tellStory(random, `${100 + i}`, startMs - 600_000))
    const context = {
      ...{ scheduler: this.scheduler, random, ledger: this.ledger },
      process: () => this.#anyProcess(),
      isCalm: () => this.calm,
      acksEarly: this.#wiring.acksEarly,
    }
    const platform = openPlatform(context, this.#stories)
    if (!this.#comparable) for (const node of nodes) openWarehouse(context, node)
    deliverGoods(context, !this.#comparable)
    this.#troubles = openTroubles({
      ...context,
      ...{ redis: this.redis, store: this.store, lives: this.#lives },
      restart: (index) => this.#startProcess(index),
      noticesRestarts: this.#wiring.noticesRestarts,
    })
    const stormSteps = random.between(stormStepsMin, stormStepsMax)
    for (let i = 0; i < stormSteps; i++) {
      const breach = await this.#step()
      if (breach !== null) return breach
    }
    return await this.#rest(platform.isDone)
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
    Object.assign(this.#faults, noFaults)
    this.#lives.forEach((life, i) => {
      life.freeze(0)
      if (!life.alive) this.#startProcess(i)
    })
    let jumped = false
    let restFromMs = Number.POSITIVE_INFINITY
    for (let i = 0; i < calmStepsMax; i++) {
      const breach = await this.#step()
      if (breach !== null) return breach
      if (i % 16 !== 0 || !isDone() || !this.#processes.every((p) => p.idle)) continue
      if (!jumped) {
        jumped = true
        // Whatever is held or leased by now has nobody behind it.
        this.scheduler.nowMs += heldMsMax + 1
        restFromMs = this.nowMs + sweepsMs
      } else if (this.nowMs >= restFromMs && restBreach(this.#observed()) === null) return await this.#differences()
    }
    if (!isDone()) return 'the platforms are never answered'
    return restBreach(this.#observed()) ?? 'no rest'
  }

  async #differences(): Promise<string | null> {
    if (!this.#comparable) return null
    const { catalog, divisions } = this.#place
    const expected = await inOrder(this.#stories, catalog, divisions, startMs)
    for (const order of this.store.tables.orders.values()) {
      const end = endOf(order)
      const should = expected.get(order.orderId)!
      if (end !== should) return `order ${order.orderId} ended as ${end}, in order as ${should}`
    }
    return null
  }

  #startProcess(index: number): void {
    const life = new Life(`p${index + 1}`)
    this.#lives[index] = life
    const process = new SimulatedProcess({
      ...this.#portsOf(life, () => this.#processes[index]!.keeper.epoch),
      portsOf: (of, epoch) => this.#portsOf(of, epoch),
      ...{ ...this.#place, heldMsMax },
      apis: noApis,
      owner: this.#wiring.owner(++this.#started),
      onBug: (what) => {
        this.#bug ??= `a bug: ${what}`
      },
    })
    this.#processes[index] = process
    process.start()
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
