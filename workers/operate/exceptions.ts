/** What a person does with an exception: assign it, end it. HTTP and a command line call the same verbs. */
import { assignException, isOfMatch, writtenOffOf } from '../../adapters/store/exception-acts.ts'
import { type ExceptionView, findException } from '../../adapters/store/exceptions.ts'
import type { ExceptionStore } from '../../adapters/store/order-store.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import type { SettledAs } from '../../router/exceptions.ts'
import { type Refused, refused } from '../process/refused.ts'
import type { Reconciler } from '../settle/reconciler.ts'

export interface ExceptionContext {
  readonly sql: Sql
  readonly store: Pick<ExceptionStore, 'settleException'>
  readonly reconciler: Pick<Reconciler, 'now'>
}

/** Who says so, and why; both may be empty. */
export interface SaidBy {
  readonly actor: string
  readonly note: string
}

export type Acted =
  | { readonly outcome: 'acted'; readonly exception: ExceptionView; readonly writtenOffFen: number | null }
  | Refused

const notFound = 'No such exception.'
const notOpen = 'It is not open any more: it ended by itself, or a person ended it. Read it first.'

/**
 * Ends an open exception by a person's word. The order that it is about is matched again before this returns: it may
 * close. Asked again with the same word, it changes nothing.
 */
export async function resolveException(
  { sql, store, reconciler }: ExceptionContext,
  id: string,
  as: SettledAs,
  { actor, note }: SaidBy,
): Promise<Acted> {
  const known = await findException(sql, id)
  if (known === null) return refused('not_found', notFound)
  if (known.resolvedAs === as) {
    return { outcome: 'acted', exception: known, writtenOffFen: await writtenOffOf(sql, id) }
  }
  if (known.resolvedAt !== null) return refused('conflict', notOpen)
  const settled = await store.settleException(known.kind, known.ref, { as, actor, note })
  if (settled.outcome === 'not_open') return refused('conflict', notOpen)
  if (isOfMatch(known.kind) && settled.orderId !== null) await reconciler.now([settled.orderId])
  const exception = (await findException(sql, id))!
  return { outcome: 'acted', exception, writtenOffFen: settled.writeOff?.amountFen ?? null }
}

/** `to`: null takes it from whom it was assigned to. */
export async function assign(
  { sql }: Pick<ExceptionContext, 'sql'>,
  id: string,
  to: string | null,
  { actor, note }: SaidBy,
): Promise<Acted> {
  const isOpen = await assignException(sql, id, to, actor, note)
  const exception = await findException(sql, id)
  if (exception === null) return refused('not_found', notFound)
  return isOpen ? { outcome: 'acted', exception, writtenOffFen: null } : refused('conflict', notOpen)
}
