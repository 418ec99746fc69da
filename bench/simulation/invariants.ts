/** What must hold after every step. Each gives the first breach, or null. */

import type { MemoryImage } from '../../adapters/stock/memory.ts'
import { pairKey, type Tables } from '../../adapters/store/memory/tables.ts'
import { availableOf } from '../../router/stock.ts'
import type { Ledger } from './ledger.ts'
import type { SimulatedRedis } from './redis.ts'

export interface Observed {
  readonly tables: Tables
  readonly redis: SimulatedRedis
  readonly ledger: Ledger
  /** While the epoch lock is held Redis is being loaded. */
  readonly locked: boolean
  /** The epoch in which Redis was emptied or spoilt: its counters may be off until they are made anew. */
  readonly doubtedEpoch: number
  /** Of each process that is up. */
  readonly waitingBytes: () => readonly number[]
}

export class StepInvariants {
  readonly #observed: Observed
  #movements = 0
  #decisions = 0
  /** What the movements add up to, by node and SKU. */
  readonly #moved = new Map<string, { onHand: number; reserved: number; safety: number }>()
  readonly #settled = new Set<string>()
  readonly #stateOf = new Map<string, string>()
  #checked = ''
  /** Redis' records, as of the step before. */
  #held: ReadonlySet<string> = new Set()
  readonly #epochOf = new Map<string, number>()
  /** Units taken a second time for what is committed, by node and SKU. */
  readonly #twice = new Map<string, number>()

  constructor(observed: Observed) {
    this.#observed = observed
  }

  breach(): string | null {
    const { ledger } = this.#observed
    if (this.#observed.waitingBytes().some((bytes) => bytes < 0)) return 'less than nothing waits at an intake'
    return ledger.broken[0] ?? this.#history() ?? this.#books() ?? this.#counters()
  }

  #history(): string | null {
    const { tables } = this.#observed
    for (; this.#movements < tables.movements.length; this.#movements++) {
      const { node, lines } = tables.movements[this.#movements]!
      for (const { sku, onHand, reserved, safety } of lines) {
        const sum = this.#moved.get(pairKey(node, sku)) ?? { onHand: 0, reserved: 0, safety: 0 }
        sum.onHand += onHand
        sum.reserved += reserved
        sum.safety += safety
        this.#moved.set(pairKey(node, sku), sum)
      }
    }
    for (; this.#decisions < tables.decisions.length; this.#decisions++) {
      const { seq } = tables.decisions[this.#decisions]!
      if (seq === '0') continue
      if (this.#settled.has(seq)) return `an event is settled twice: ${seq}`
      if (tables.pending.has(seq)) return `an event is decided and still pending: ${seq}`
      this.#settled.add(seq)
    }
    return null
  }

  /** Only after something changed: the number of what was written says so. */
  #books(): string | null {
    const { tables, ledger } = this.#observed
    const version = `${tables.movements.length} ${tables.decisions.length} ${tables.orders.size}`
    if (version === this.#checked) {
      this.#noteStates()
      return null
    }
    this.#checked = version
    if (tables.orders.size !== tables.idByKey.size) return 'two orders of one key'
    const live = new Map<string, number>()
    for (const { task } of tables.tasks.values()) {
      const before = this.#stateOf.get(task.taskId)
      if (task.state === 'cancelled' && (before === 'pulled' || before === 'accepted'))
        return `cancelled while somebody has it: ${task.taskId}`
      if (task.state === 'cancelled') continue
      for (const { sku, quantity, shipped } of task.lines) {
        const key = pairKey(task.node, sku)
        live.set(key, (live.get(key) ?? 0) + quantity - shipped)
      }
    }
    for (const [node, rows] of tables.stock) {
      for (const [sku, { onHand, reserved, safety }] of rows) {
        const key = pairKey(node, sku)
        const moved = this.#moved.get(key)
        if (moved?.onHand !== onHand || moved.reserved !== reserved || moved.safety !== safety)
          return `stock is not what its movements add up to: ${sku} at ${node}`
        if (reserved !== (live.get(key) ?? 0)) return `reserved is not what live tasks hold: ${sku} at ${node}`
        if (onHand < 0 || (reserved > onHand && !ledger.short.has(key)))
          return `reserved more than there is: ${sku} at ${node}`
      }
    }
    this.#noteStates()
    return unitsBreach(tables)
  }

  #noteStates(): void {
    for (const { task } of this.#observed.tables.tasks.values()) this.#stateOf.set(task.taskId, task.state)
  }

  /** atp + what is held and not committed = what Postgres can promise, as of the change that Redis has heard last. */
  #counters(): string | null {
    const { tables, redis, locked, doubtedEpoch } = this.#observed
    if (!redis.scriptsLoaded || locked || doubtedEpoch === tables.epoch) return null
    const image = redis.stock.image()
    this.#noteTwice(image)
    return countersBreach(tables, image, this.#twice)
  }

  /**
   * A request to reserve that lands when its repetition is committed and confirmed already takes the units once more. Nobody is
   * promised too much by that; the sweep finds it, and raises the epoch.
   */
  #noteTwice(image: MemoryImage): void {
    const { tables } = this.#observed
    const held = new Set<string>()
    for (const [node, { epoch, held: records }] of image) {
      if (epoch !== this.#epochOf.get(node)) {
        this.#epochOf.set(node, epoch)
        for (const sku of tables.stock.get(node)?.keys() ?? []) this.#twice.delete(pairKey(node, sku))
      }
      for (const { reservationId, lines } of records.values()) {
        // Of another epoch it is another record: it went with its node's counters, and was made anew before anybody looked.
        const record = pairKey(node, `${reservationId} ${epoch}`)
        held.add(record)
        if (this.#held.has(record) || !tables.reserved.has(pairKey(node, reservationId))) continue
        for (const { sku, quantity } of lines) {
          const key = pairKey(node, sku)
          this.#twice.set(key, (this.#twice.get(key) ?? 0) + quantity)
        }
      }
    }
    this.#held = held
  }
}

/** Every unit of every item is in one place, and what is in a task is in that task. */
function unitsBreach(tables: Tables): string | null {
  for (const order of tables.orders.values()) {
    const placed = order.items.map(() => 0)
    const inTasks = new Map<string, number>()
    for (const { item, quantity, place, taskId } of order.allocations) {
      placed[item]! += quantity
      if (place !== 'task') continue
      const key = pairKey(taskId!, order.items[item]!.sku)
      inTasks.set(key, (inTasks.get(key) ?? 0) + quantity)
    }
    if (placed.some((quantity, i) => quantity !== order.items[i]!.quantity))
      return `units of order ${order.orderId} are lost or doubled`
    for (const { task } of tables.tasksOf.get(order.id) ?? []) {
      if (task.state === 'cancelled') continue
      for (const { sku, quantity } of task.lines) {
        const key = pairKey(task.taskId, sku)
        if (inTasks.get(key) !== quantity) return `task ${task.taskId} does not hold what its order says`
        inTasks.delete(key)
      }
    }
    if (inTasks.size > 0) return `order ${order.orderId} has units in a task that does not hold them`
  }
  return null
}

const never: ReadonlyMap<string, number> = new Map()

export function countersBreach(tables: Tables, image: MemoryImage, twice = never): string | null {
  for (const [node, { epoch, seq, atp, held }] of image) {
    if (epoch !== tables.epoch) continue
    const expected = new Map<string, number>()
    for (const [sku, row] of tables.stock.get(node)!) expected.set(sku, availableOf(row))
    if (seq > tables.nodes.get(node)!.seq) return `Redis knows of changes at ${node} that Postgres never made`
    if (seq < tables.nodes.get(node)!.seq) {
      for (const change of tables.movements) {
        if (change.node !== node || change.seq === null || change.seq <= seq) continue
        for (const l of change.lines) expected.set(l.sku, expected.get(l.sku)! - availableOf(l))
      }
    }
    for (const { reservationId, lines } of held.values()) {
      if (tables.reserved.has(pairKey(node, reservationId))) continue
      for (const l of lines) expected.set(l.sku, (expected.get(l.sku) ?? 0) - l.quantity)
    }
    for (const [sku, units] of expected) {
      const now = atp.get(sku) ?? 0
      if (now > units || now < units - (twice.get(pairKey(node, sku)) ?? 0))
        return `Redis promises ${now} ${sku} at ${node} and Postgres ${units}`
    }
  }
  return null
}
