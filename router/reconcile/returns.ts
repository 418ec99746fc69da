/** What returns are expected to bring back: the units, and the money that the buyer gets for them. */
import { isAwaited, isLive, type Return } from '../returns/types.ts'
import { openUnits, placesBack } from '../returns/units.ts'
import type { RefundRange } from './refunds.ts'
import type { ReconcileException, ReconcileInput } from './types.ts'

/** A return that is not over is due at some time; what nobody found has a name until a person ends it. */
export function matchReturns({ returns = [] }: ReconcileInput, exceptions: ReconcileException[]): void {
  for (const known of returns) {
    if (isAwaited(known) && (known.kind !== 'refund_only' || known.state === 'requested')) {
      const units = openUnits(known).reduce((sum, { quantity }) => sum + quantity, 0)
      exceptions.push({ kind: 'return_overdue', of: known.id, since: askedAt(known), detail: { units } })
    }
    const missing = [...placesBack([known]).missing.values()].reduce((sum, units) => sum + units, 0)
    if (missing > 0) {
      const since = known.receipts.at(-1)!.at
      exceptions.push({ kind: 'return_units_missing', of: known.id, since, detail: { units: missing } })
    }
  }
}

/** Whether nothing of a parcel is on its way any more: a node unpacked it. */
export function isParcelBack({ returns = [] }: ReconcileInput, waybill: string): boolean {
  return returns.some((known) => known.kind === 'rejected' && known.waybill === waybill && isReceived(known))
}

/**
 * A refund that the platform told and one that a return promises are one and the same, so the greater counts. What a
 * return promises may be paid from the beginning, and is owed when its goods are there.
 */
export function withReturns({ leastFen, mostFen }: RefundRange, returns: readonly Return[] = []): RefundRange {
  const sum = (of: readonly Return[]): number => of.reduce((all, { refundFen }) => all + refundFen, 0)
  return {
    leastFen: Math.max(leastFen, sum(returns.filter(isOwed))),
    mostFen: Math.max(mostFen, sum(returns.filter(isLive))),
  }
}

/** Since when the last of what returns promise is owed; null: nothing is. */
export function owedSince(returns: readonly Return[] = []): number | null {
  const owed = returns.filter((known) => isOwed(known) && known.refundFen > 0)
  return owed.length === 0 ? null : Math.max(...owed.map((known) => known.receipts.at(-1)?.at ?? askedAt(known)))
}

function isOwed(known: Return): boolean {
  return (
    isReceived(known) || (known.kind === 'refund_only' && (known.state === 'agreed' || known.state === 'on_its_way'))
  )
}

function isReceived({ state }: Return): boolean {
  return state === 'received' || state === 'settled'
}

function askedAt({ acts }: Return): number {
  return acts[0]?.at ?? 0
}
