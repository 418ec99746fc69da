/**
 * What platforms and warehouses know for sure: which events were acknowledged, who was given which task, what left a
 * node.
 */

import type { InboxEvent } from '../../adapters/store/inbox/event.ts'
import type { PulledTask } from '../../adapters/store/tasks/tasks.ts'
import type { Package } from '../../router/task.ts'

export interface Lease {
  readonly fence: number
  readonly untilMs: number
}

export class Ledger {
  readonly acknowledged = new Map<string, InboxEvent>()
  readonly sent = new Set<string>()
  readonly #leases = new Map<string, Lease>()
  /** Task → waybill → package, of answers that said it is taken. */
  readonly shipped = new Map<string, Map<string, Package>>()
  /** Node and SKU of which a count found fewer than were promised. */
  readonly short = new Set<string>()
  /** Units that the last look found missing, by node and SKU, and the tasks that it had to call back. */
  readonly mayBeRecalled = new Set<string>()
  onLeft: (packages: readonly Package[]) => void = () => undefined
  /** What went wrong before anybody looked. */
  readonly broken: string[] = []

  /** When it happens in the store, whether or not anybody hears of it. */
  leased(tasks: readonly PulledTask[], nowMs: number): void {
    for (const { taskId, fence, leaseUntil, intercepted, change } of tasks) {
      const before = this.#leases.get(taskId)
      // Its owner is told of news, and has the lease already.
      if (before !== undefined && (intercepted || change !== null) && before.fence === fence) continue
      if (before !== undefined && before.untilMs > nowMs) this.broken.push(`two owners at a time: ${taskId}`)
      if (before !== undefined && fence <= before.fence) this.broken.push(`a fence that does not rise: ${taskId}`)
      this.#leases.set(taskId, { fence, untilMs: leaseUntil.getTime() })
    }
  }

  extended(taskId: string, fence: number, untilMs: number, nowMs: number): void {
    this.acted('extend', taskId, fence, nowMs)
    this.#leases.set(taskId, { fence, untilMs })
  }

  /** Who pulled never heard of it. */
  unheard(tasks: readonly PulledTask[], nowMs: number): void {
    for (const { taskId, fence } of tasks)
      if (this.#leases.get(taskId)?.fence === fence) this.#leases.set(taskId, { fence, untilMs: nowMs })
  }

  /** An owner's verb took effect: while the lease lasted, after it, or either. */
  acted(
    verb: string,
    taskId: string,
    fence: number,
    nowMs: number,
    when: 'during' | 'after' | 'either' = 'during',
  ): void {
    const lease = this.#leases.get(taskId)
    if (lease === undefined || lease.fence !== fence) this.broken.push(`${verb} of a lost lease took effect: ${taskId}`)
    else if (when !== 'either' && lease.untilMs > nowMs !== (when === 'during'))
      this.broken.push(`${verb} after the lease took effect: ${taskId}`)
  }

  left(taskId: string, packages: readonly Package[]): void {
    const known = this.shipped.get(taskId) ?? new Map<string, Package>()
    const fresh = packages.filter((p) => !known.has(p.waybill))
    for (const p of packages) known.set(p.waybill, p)
    this.shipped.set(taskId, known)
    this.onLeft(fresh)
  }
}
