/** What a match found of some orders, as exceptions: raised, and ended when it is found no more. */
import { endedByAgreement } from '../../../router/exceptions.ts'
import {
  type ReconcileException,
  type Reconciliation,
  reconcileExceptionKinds,
} from '../../../router/reconcile/types.ts'
import { over } from '../exception-over.ts'
import { type ExceptionEntry, raise } from '../exceptions.ts'
import type { Transaction } from '../postgres/connect.ts'

/** What a match said of one order. */
export interface Found {
  readonly orderId: string
  readonly reconciliation: Reconciliation
}

/** In order of id. */
export async function writeExceptions(tx: Transaction, sorted: readonly Found[]): Promise<void> {
  const found = sorted.flatMap(exceptionsOf)
  await raise(tx, found)
  const lasting = [...found, ...sorted.flatMap(acceptedOf)]
  // By order first: an index on what is open would be read whole, and there may be a million open ones.
  await tx`
    with own as materialized (
      select id, order_id, kind, ref, resolved_at, accepted from exception
      where order_id = any(${sorted.map((result) => result.orderId)}::bigint[])
    )
    update exception set ${over(tx)} from own
    where exception.id = own.id and (own.resolved_at is null or own.accepted) and (
      (own.kind = any(${reconcileExceptionKinds as unknown as string[]}::text[])
        and (own.kind, own.ref) not in (
          select * from unnest(${lasting.map((entry) => entry.kind)}::text[], ${lasting.map((entry) => entry.ref)}::text[])))
      or (own.kind = any(${endedByAgreement as string[]}::text[])
        and own.order_id = any(${agreeingOf(sorted)}::bigint[])))`
}

export function exceptionsOf({ orderId, reconciliation }: Found): readonly ExceptionEntry[] {
  return entriesOf(orderId, reconciliation.exceptions)
}

/** What a person settled and what is there still: his word goes on. */
export function acceptedOf({ orderId, reconciliation }: Found): readonly ExceptionEntry[] {
  return entriesOf(orderId, reconciliation.accepted ?? [])
}

/** Orders whose flows agree: what a decision wanted to be looked at is over as well. */
export function agreeingOf(results: readonly Found[]): string[] {
  return results.filter(({ reconciliation }) => reconciliation.state === 'closed').map(({ orderId }) => orderId)
}

function entriesOf(orderId: string, exceptions: readonly ReconcileException[]): readonly ExceptionEntry[] {
  return exceptions.map(({ kind, of, since, detail }) => ({
    kind,
    ref: of === '' ? orderId : `${orderId}/${of}`,
    orderId,
    detail,
    since,
  }))
}
