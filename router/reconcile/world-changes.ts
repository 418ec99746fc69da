/** For tests: one thing of an order's world changed. */
import type { TrackState } from '../track.ts'
import type { Order, OrderSnapshot, RefundStatus } from '../types.ts'
import type { ReconcileInput } from './types.ts'
import { billRow } from './world.ts'

export const withSnapshot = (input: ReconcileInput, change: Partial<OrderSnapshot>): ReconcileInput => ({
  ...input,
  order: { ...input.order, snapshot: { ...input.order.snapshot!, ...change } },
})
export const withOrder = (input: ReconcileInput, change: Partial<Order>): ReconcileInput => ({
  ...input,
  order: { ...input.order, ...change },
})
export const withTrack = (input: ReconcileInput, state: TrackState): ReconcileInput => ({
  ...input,
  tracks: input.tracks.map((track, i) => (i === 0 ? { ...track, state } : track)),
})
export const withBills = (input: ReconcileInput, change: (row: ReconcileInput['bills'][number]) => number | null) => ({
  ...input,
  bills: input.bills.flatMap((row) => {
    const amountFen = change(row)
    return amountFen === null ? [] : [{ ...row, amountFen }]
  }),
})
export const withLineRefund = (input: ReconcileInput, refund: RefundStatus): ReconcileInput =>
  withSnapshot(input, { lines: input.order.snapshot!.lines.map((told, i) => (i === 0 ? { ...told, refund } : told)) })

export function firstTask(
  input: ReconcileInput,
  change: (task: ReconcileInput['tasks'][number]) => ReconcileInput['tasks'][number],
): ReconcileInput {
  return { ...input, tasks: input.tasks.map((task, i) => (i === 0 ? change(task) : task)) }
}

export function shippedOff(lines: ReconcileInput['tasks'][number]['lines'], units: number) {
  return lines.map((line, i) => (i === 0 ? { ...line, shipped: line.shipped + units } : line))
}

export function withRefund(input: ReconcileInput, moreFen: number): ReconcileInput {
  const refunds = input.order.refunds.map((r, i) => (i === 0 ? { ...r, refundFen: r.refundFen + moreFen } : r))
  return withOrder(input, { refunds })
}

export function withoutRefunds(input: ReconcileInput): ReconcileInput {
  const lines = input.order.snapshot!.lines.map((told) => ({ ...told, refund: 'none' as const }))
  return withOrder(withSnapshot(input, { lines }), { refunds: [] })
}

export function place(input: ReconcileInput, where: 'held' | 'backordered' | 'returned'): ReconcileInput {
  const allocations = input.order.allocations.map((allocation) => ({ ...allocation, place: where, taskId: null }))
  const gone = where === 'returned' ? {} : { tasks: [], tracks: [] }
  return { ...withOrder(input, { allocations }), ...gone }
}

export function cancelled(input: ReconcileInput): ReconcileInput {
  const allocations = input.order.allocations.map((a) => ({ ...a, place: 'cancelled' as const, taskId: null }))
  return { ...withOrder(input, { allocations, state: 'cancelled' }), tasks: [], tracks: [] }
}

export function refundedInBill(input: ReconcileInput, amountFen: number): ReconcileInput {
  return { ...input, bills: [...input.bills, billRow('refund', 'refund', amountFen)] }
}
