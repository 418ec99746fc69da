/**
 * Receipts and counts: into Postgres, then to Redis. Then orders that wait for the goods are sourced again, and tasks
 * that hold goods which are not there are called back.
 */
import type { BackorderStore, ExceptionStore, StockStore } from '../../adapters/store/order-store.ts'
import type { Posted, Posting } from '../../adapters/store/stock/stock.ts'
import type { Shortage } from '../../router/shortage.ts'
import type { CounterKeeper } from '../counters/counter-keeper.ts'
import { tellLater } from '../counters/tell-later.ts'
import type { Intake } from '../intake/intake.ts'
import type { Clock } from '../process/clock.ts'
import type { Log } from '../process/log.ts'
import { restock } from './restock.ts'
import { answerShortages } from './shortages.ts'

export interface PostingContext {
  readonly store: StockStore & BackorderStore & Pick<ExceptionStore, 'raise'>
  readonly keeper: Pick<CounterKeeper, 'tell'>
  readonly intake: Pick<Intake, 'storeOwn'>
  readonly clock: Clock
  /** Never gives the same twice. */
  readonly newId: () => string
  readonly log: Log
}

export type StockPosted =
  | { readonly outcome: 'posted' | 'already_posted'; readonly shortages: readonly Shortage[] }
  /** Nothing was posted. */
  | Exclude<Posted, { outcome: 'posted' | 'already_posted' }>

/** `posting.node` has to be known. */
export async function postStock(context: PostingContext, posting: Posting): Promise<StockPosted> {
  const { store, keeper, log } = context
  const posted = await store.postStock(posting)
  const touched = { node: posting.node, skus: posting.lines.map((l) => l.sku) }
  switch (posted.outcome) {
    case 'already_posted':
      // The process that posted it may have died before it looked for shortages.
      return { outcome: 'already_posted', shortages: await answerShortages(context, touched) }
    case 'posted':
      break
    default:
      return posted
  }
  await tellLater(log, () => keeper.tell([posted.delta]))
  await answerShortages(context, touched)
  if (posted.shortages.length === 0) await store.endShortages()
  await restock(
    context,
    posted.delta.lines.filter((l) => l.delta > 0).map((l) => l.sku),
  )
  return { outcome: 'posted', shortages: posted.shortages }
}
