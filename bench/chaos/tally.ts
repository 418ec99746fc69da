/** What a run counts, kind by kind. */
import type { Violation } from '../../adapters/store/audit/audit.ts'
import type { Surroundings } from '../load/machine.ts'
import type { Fault } from './faults/fault.ts'
import { type Promised, promiseOf, promises } from './findings.ts'
import { type Seconds, Spend } from './spend.ts'

export interface KindResult {
  readonly kind: string
  points: number
  /** Broken promises by column, in checks that covered this kind. */
  readonly broken: Record<Promised, number>
  /** From the end of the fault until a new order is acknowledged and decided. */
  readonly recoveryMs: number[]
}

export interface Failure {
  /** Worlds are numbered from 1 in the order of the schedule. */
  readonly world: number
  /** The faults since the check before, in their order. */
  readonly kinds: readonly string[]
  readonly violation: Violation
}

export interface Totals {
  worlds: number
  checks: number
  acknowledged: number
  refused: number
  unanswered: number
  orders: number
  shipments: number
  /** Counters of Redis that the sweep found to differ for longer than a moment, raised, and made anew. */
  driftsMended: number
}

export interface Skipped {
  readonly kind: string
  readonly points: number
  readonly why: string
}

export interface ChaosReport {
  readonly seed: number
  readonly planned: number
  /** Worlds at a time. */
  readonly sideBySide: number
  readonly seconds: number
  readonly surroundings: Surroundings | null
  readonly kinds: readonly KindResult[]
  readonly totals: Totals
  /** Of all worlds together: more than the run took, where they ran side by side. */
  readonly spent: Seconds
  readonly failures: readonly Failure[]
  /** Kinds that this machine does not allow, with the reason. */
  readonly skipped: readonly Skipped[]
}

export class Tally {
  readonly #kinds = new Map<string, KindResult>()
  readonly spend = new Spend()
  readonly failures: Failure[] = []
  readonly totals: Totals = {
    worlds: 0,
    checks: 0,
    acknowledged: 0,
    refused: 0,
    unanswered: 0,
    orders: 0,
    shipments: 0,
    driftsMended: 0,
  }

  get kinds(): readonly KindResult[] {
    return [...this.#kinds.values()].sort((a, b) => b.points - a.points || (a.kind < b.kind ? -1 : 1))
  }

  get points(): number {
    return this.kinds.reduce((sum, kind) => sum + kind.points, 0)
  }

  of({ name }: Fault): KindResult {
    const known = this.#kinds.get(name)
    if (known !== undefined) return known
    const broken = Object.fromEntries(promises.map((name) => [name, 0])) as Record<Promised, number>
    const fresh = { kind: name, points: 0, broken, recoveryMs: [] }
    this.#kinds.set(name, fresh)
    return fresh
  }

  recovered(fault: Fault, ms: number): void {
    const kind = this.of(fault)
    kind.points += 1
    kind.recoveryMs.push(Math.round(ms))
  }

  /** Which fault of a group caused a failure is not known: each of its kinds is charged. */
  failed(world: number, faults: readonly Fault[], violations: readonly Violation[]): void {
    for (const violation of violations) {
      this.failures.push({ world, kinds: faults.map((fault) => fault.name), violation })
      for (const fault of new Set(faults)) this.of(fault).broken[promiseOf(violation.invariant)] += violation.count
    }
  }
}

/** The value below which the share of them lies; null of none. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null
}
