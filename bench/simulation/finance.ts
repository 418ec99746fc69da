/** Carriers that tell where parcels are, and bills of what was paid: late, shuffled, twice, until they are taken. */
import type { BillRow } from '../../router/bill.ts'
import type { Package } from '../../router/task.ts'
import type { TrackState } from '../../router/track.ts'
import { reconcileBilled, recordTrack } from '../../workers/settle/verbs.ts'
import { ask, type OutsideContext } from './outside.ts'
import type { Story } from './story.ts'

const delayMsMax = 3_000
const billDelayMsMax = 5_000
const patience = { tries: Number.POSITIVE_INFINITY, patienceMs: 900, name: 'a carrier' }

export function openCarriers(context: OutsideContext): { isDone: () => boolean } {
  const { scheduler, random, ledger } = context
  let open = 0
  const tell = (waybill: string, state: TrackState, step: number): void => {
    open += 1
    const track = { carrier: 'c', waybill, state, occurredAt: scheduler.nowMs + step }
    scheduler.after(random.below(delayMsMax), `${waybill} is ${state}`, () => {
      void ask(context, patience, (up) => recordTrack(up, track, JSON.stringify(track))).then(() => {
        open -= 1
      })
    })
  }
  ledger.onLeft = (packages: readonly Package[]) => {
    for (const { waybill } of packages) {
      const states: readonly TrackState[] = ['collected', random.chance(0.9) ? 'delivered' : 'returned']
      for (const [step, state] of states.entries()) {
        tell(waybill, state, step)
        if (random.chance(0.2)) tell(waybill, state, step)
      }
    }
  }
  return { isDone: () => open === 0 }
}

/** Each order's rows, in one bill or in several, one of them perhaps before the order itself is known. */
export function openBills(
  context: OutsideContext,
  stories: readonly Story[],
  startMs: number,
): { isDone: () => boolean } {
  const { scheduler, random } = context
  let open = 0
  const send = (row: BillRow): void => {
    open += 1
    scheduler.after(random.below(billDelayMsMax), `a bill with ${row.ref}`, () => {
      const importing = ask(context, { ...patience, name: 'who bills' }, async (up) => {
        const { orderIds } = await up.store.importBill('generic', 'a', [row])
        await reconcileBilled(up.reconciler, orderIds)
        return true
      })
      void importing.then(() => {
        open -= 1
      })
    })
  }
  for (const { channel, shop, orderId, money } of stories) {
    for (const [i, { kind, amountFen }] of money.entries()) {
      const byPayment = random.chance(0.3)
      const named = byPayment
        ? { channel: null, shop: null, orderId: null, transactionId: `t${orderId}` }
        : { channel, shop, orderId, transactionId: null }
      const row = { ...named, ref: `${orderId}.${i}`, kind, amountFen, feeFen: 0, occurredAt: startMs }
      send(row)
      if (random.chance(0.2)) send(row)
    }
  }
  return { isDone: () => open === 0 }
}
