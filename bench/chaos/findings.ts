/** What can be wrong, by the promise that it breaks: the columns of the table. */
import type { Violation } from '../../adapters/store/audit/audit.ts'

export const promises = ['lost', 'duplicated', 'oversold', 'leaked', 'other'] as const
export type Promised = (typeof promises)[number]

/** The book's own; those of the audits are below. */
const findings = {
  acknowledged_orders_are_there: 'lost',
  acknowledged_events_are_kept: 'lost',
  conflicting_bodies_are_kept: 'lost',
  confirmed_shipments_are_kept: 'lost',
  one_platform_order_is_one_order: 'duplicated',
  no_unit_is_in_two_tasks: 'duplicated',
  shipments_happen_once: 'duplicated',
  what_was_stopped_did_not_leave: 'duplicated',
  shelves_hold_what_was_put_there: 'oversold',
  orders_say_what_was_sent: 'other',
  cancelled_orders_are_cancelled: 'other',
  unpaid_orders_are_not_sent: 'other',
  paid_orders_are_on_their_way: 'other',
} as const satisfies Record<string, Promised>
export type Finding = keyof typeof findings
export const findingNames = Object.keys(findings) as readonly Finding[]

const audited: Readonly<Record<string, Promised>> = {
  every_order_event_is_decided: 'lost',
  nothing_is_oversold: 'oversold',
  reserved_is_what_live_tasks_hold: 'leaked',
  redis_counts_what_postgres_counts: 'leaked',
  nothing_is_reserved_for_nobody: 'leaked',
  goods_are_not_kept_from_who_waits: 'leaked',
  what_was_given_back_is_being_decided: 'leaked',
  every_unit_is_in_one_place: 'duplicated',
  tasks_hold_what_their_orders_say: 'duplicated',
  shipped_is_what_packages_hold: 'duplicated',
}

export function promiseOf(invariant: string): Promised {
  return (findings as Readonly<Record<string, Promised>>)[invariant] ?? audited[invariant] ?? 'other'
}

const examplesMax = 5

export class Findings {
  readonly #found = new Map<Finding, { count: number; examples: Record<string, unknown>[] }>()

  add(finding: Finding, example: Record<string, unknown>): void {
    const known = this.#found.get(finding) ?? { count: 0, examples: [] }
    this.#found.set(finding, known)
    known.count += 1
    if (known.examples.length < examplesMax) known.examples.push(example)
  }

  violations(): Violation[] {
    return [...this.#found].map(([invariant, found]) => ({ invariant, ...found }))
  }
}
