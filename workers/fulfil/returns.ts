/**
 * What people and nodes do with returns. Each verb is one transaction under the order's lock; then Redis is told of the
 * goods, orders that wait for them are sourced again, and the order is matched.
 */
import { createHash } from 'node:crypto'
import type { BackorderStore, ReturnStore } from '../../adapters/store/order-store.ts'
import type { ReturnOf } from '../../adapters/store/returns/returns.ts'
import type { Actor } from '../../router/commands.ts'
import {
  type Agreement,
  type AskedReturn,
  agree,
  endUnreceived,
  type GivenReceipt,
  type ReturnDone,
  type ReturnRefused,
  receive,
  requestReturn,
  type Said,
  settle,
} from '../../router/returns/return.ts'
import type { Return, ReturnWorld } from '../../router/returns/types.ts'
import type { OrderKey } from '../../router/types.ts'
import type { CounterKeeper } from '../counters/counter-keeper.ts'
import { tellLater } from '../counters/tell-later.ts'
import type { Intake } from '../intake/intake.ts'
import type { Clock } from '../process/clock.ts'
import type { Log } from '../process/log.ts'
import type { Reconciler } from '../settle/reconciler.ts'
import { restock } from '../stock/restock.ts'

export interface ReturnVerbContext {
  readonly store: ReturnStore & BackorderStore
  readonly keeper: Pick<CounterKeeper, 'tell'>
  readonly intake: Pick<Intake, 'storeOwn'>
  readonly reconciler: Pick<Reconciler, 'now'>
  readonly clock: Clock
  /** Never gives the same twice. */
  readonly newId: () => string
  readonly log: Log
}

export interface SaidBy {
  readonly actor: Actor
  readonly note: string
}

export type ReturnTold =
  | { readonly outcome: 'done'; readonly known: Return }
  | { readonly outcome: 'not_found' }
  | ReturnRefused

export async function openReturn(
  context: ReturnVerbContext,
  key: OrderKey,
  asked: Omit<AskedReturn, 'hash'>,
  said: SaidBy,
): Promise<ReturnTold> {
  const request = { ...asked, hash: hashOf(asked) }
  return await change(context, key, said, (world, _, at) => requestReturn(world, request, at))
}

export async function agreeToReturn(
  context: ReturnVerbContext,
  returnId: string,
  agreement: Agreement,
  said: SaidBy,
): Promise<ReturnTold> {
  return await change(context, { returnId }, said, (_, known, at) => agree(known!, agreement, at))
}

/** Refused by the shop, or withdrawn by the buyer. */
export async function endReturn(
  context: ReturnVerbContext,
  returnId: string,
  end: 'refused' | 'withdrawn',
  said: SaidBy,
): Promise<ReturnTold> {
  return await change(context, { returnId }, said, (_, known, at) => endUnreceived(known!, end, at))
}

export async function settleReturn(context: ReturnVerbContext, returnId: string, said: SaidBy): Promise<ReturnTold> {
  return await change(context, { returnId }, said, (_, known, at) => settle(known!, at))
}

/** `given.node` has to be known. */
export async function receiveReturn(
  context: ReturnVerbContext,
  returnId: string,
  given: Omit<GivenReceipt, 'hash'>,
  said: SaidBy,
): Promise<ReturnTold> {
  const receipt = { ...given, hash: hashOf([given.node, given.lines]) }
  return await change(context, { returnId }, said, (_, known, at) => receive(known!, receipt, at))
}

async function change(
  { store, keeper, reconciler, clock, log, ...context }: ReturnVerbContext,
  of: ReturnOf,
  { actor, note }: SaidBy,
  work: (world: ReturnWorld, known: Return | null, said: Said) => ReturnDone,
): Promise<ReturnTold> {
  const said = { actor, note, at: clock.now() }
  const told = await store.changeReturn(of, (world, known) => work(world, known, said))
  switch (told.outcome) {
    case 'written': {
      const { delta, written } = told
      if (delta !== null) {
        await tellLater(log, () => keeper.tell([delta]))
        const came = delta.lines.filter((line) => line.delta > 0).map((line) => line.sku)
        await restock({ ...context, store, clock }, came)
      }
      await reconciler.now([written.orderId])
      return { outcome: 'done', known: written }
    }
    case 'unchanged':
      return { outcome: 'done', known: told.known }
    default:
      return told
  }
}

function hashOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}
