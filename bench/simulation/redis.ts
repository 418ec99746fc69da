/** A Redis that can be restarted, emptied and rolled back, and one simulated process' connections to it. */
import type {
  ReleaseRequest,
  ReservationRef,
  ReserveRequest,
  SkuAtp,
  StockCounters,
  StockDelta,
} from '../../adapters/stock/counters.ts'
import { StockError } from '../../adapters/stock/errors.ts'
import { type MemoryImage, MemoryStock } from '../../adapters/stock/memory.ts'
import type { NodeStock, ReloadAllOutcome } from '../../adapters/stock/reload-all.ts'
import type { KeptCounters } from '../../workers/counters/kept-counters.ts'
import { lostRedis, type Wire } from './wire.ts'

export class SimulatedRedis {
  readonly stock = new MemoryStock()
  /** Scripts live in the memory of one process: see adapters/stock/client.ts. */
  scriptsLoaded = false
  generation = 0

  /** Another process, with what the dump holds; connections are gone. */
  restart(dump: MemoryImage | null): void {
    this.generation += 1
    this.scriptsLoaded = false
    if (dump === null) this.stock.forget()
    else this.stock.restore(dump)
  }
}

export class CountersPort implements KeptCounters {
  readonly #wire: Wire
  readonly #redis: SimulatedRedis
  readonly #counters: StockCounters

  /** `counters`: those of the Redis, or what stands before them. */
  constructor(wire: Wire, redis: SimulatedRedis, counters: StockCounters = redis.stock) {
    this.#wire = wire
    this.#redis = redis
    this.#counters = counters
  }

  /** What is under way when the process goes is lost with it. */
  #call<T>(name: string, effect: () => Promise<T>, generation = this.#redis.generation): Promise<T> {
    return this.#wire.call(`redis ${name}`, lostRedis, async () => {
      if (this.#redis.generation !== generation) throw lostRedis()
      return await effect()
    })
  }

  #script<T>(name: string, effect: () => Promise<T>): Promise<T> {
    return this.#call(name, async () => {
      if (!this.#redis.scriptsLoaded) throw new StockError('stock_doubted', 'NOSCRIPT')
      return await effect()
    })
  }

  /** Requests of one node are one call, as on a cluster; when one fails, all have to be asked again. */
  async #byNode<Request extends ReservationRef, Outcome>(
    name: string,
    requests: readonly Request[],
    ask: (ofNode: readonly Request[]) => Promise<Outcome[]>,
  ): Promise<Outcome[]> {
    const nodes = [...new Set(requests.map((r) => r.node))]
    const outcomes: Outcome[] = []
    const calls = nodes.map(async (node) => {
      const places = requests.flatMap((r, i) => (r.node === node ? [i] : []))
      const ofNode = places.map((i) => requests[i]!)
      const answers = await this.#script(`${name} ${node}: ${ofNode.map((r) => r.reservationId).join(' ')}`, () =>
        ask(ofNode),
      )
      places.forEach((place, i) => {
        outcomes[place] = answers[i]!
      })
    })
    const failed = (await Promise.allSettled(calls)).find((c) => c.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return outcomes
  }

  connect() {
    return this.#call('connect', async () => undefined)
  }

  scriptsLoaded() {
    return this.#call('scripts loaded?', async () => this.#redis.scriptsLoaded)
  }

  reserve(epoch: number, nowMs: number, requests: readonly ReserveRequest[]) {
    return this.#byNode(`reserve in ${epoch}`, requests, (some) => this.#counters.reserve(epoch, nowMs, some))
  }

  confirm(epoch: number, requests: readonly ReservationRef[]) {
    return this.#byNode(`confirm in ${epoch}`, requests, (some) => this.#counters.confirm(epoch, some))
  }

  release(epoch: number, requests: readonly ReleaseRequest[]) {
    return this.#byNode(`release in ${epoch}`, requests, (some) => this.#counters.release(epoch, some))
  }

  apply(epoch: number, node: string, fromSeq: number, deltas: readonly StockDelta[]) {
    return this.#script(`apply in ${epoch} ${node} from ${fromSeq}`, () =>
      this.#counters.apply(epoch, node, fromSeq, deltas),
    )
  }

  reload(epoch: number, node: string, seq: number, rows: Iterable<SkuAtp> | AsyncIterable<SkuAtp>) {
    return this.#call(`reload ${node} in ${epoch} at ${seq}`, () => this.#counters.reload(epoch, node, seq, rows))
  }

  inspect(epoch: number, node: string, skus?: readonly string[]) {
    return this.#script(`inspect ${node}`, () => this.#counters.inspect(epoch, node, skus))
  }

  /** As adapters/stock/reload-all.ts: on one connection, which ends with the process at its other end. */
  async reloadAll(epoch: number, nodes: AsyncIterable<NodeStock>): Promise<ReloadAllOutcome> {
    const { generation } = this.#redis
    let nodeCount = 0
    let rowCount = 0
    for await (const { node, seq, rows } of nodes) {
      const done = await this.#call(
        `reload ${node} in ${epoch} at ${seq}`,
        () => this.#counters.reload(epoch, node, seq, rows),
        generation,
      )
      if (done.outcome !== 'reloaded') return { ...done, node }
      nodeCount += 1
      rowCount += done.rows
    }
    const vouch = async (): Promise<void> => {
      this.#redis.scriptsLoaded = true
    }
    await this.#call('load scripts', vouch, generation)
    return { outcome: 'reloaded', nodes: nodeCount, rows: rowCount }
  }

  /** A message may always be lost: here every one is, and the rest has to hold without. */
  tellOthers(): void {}

  close(): void {}
}
