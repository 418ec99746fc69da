/**
 * A return (售后单): what a buyer gives back of an order, or is paid back without goods.
 *
 *   requested ──agree──▶ agreed ──waybill──▶ on_its_way
 *       │                  │                    │  receive a part: the state stays, the units are counted
 *       │                  └──────receive───────┤
 *       │                                       ▼ receive the last unit
 *       ├─refuse───▶ refused                 received ──settle──▶ settled
 *       └─withdraw─▶ withdrawn                                       ▲
 *                    refund_only: agreed ──────────settle────────────┘
 *
 * Refused and withdrawn can be whatever has no receipt yet. Goods that come before anybody agreed are received all the
 * same: they are there. `rejected` is the kind of a parcel that the buyer did not take, or that came back: it is on its
 * way from the beginning, under the waybill that it left with.
 */
import type { Actor } from '../commands.ts'
import type { SkuQuantity } from '../types.ts'
import {
  isAwaited,
  isLive,
  type ReceiptLine,
  type Return,
  type ReturnAct,
  type ReturnKind,
  type ReturnLine,
  type ReturnState,
  type ReturnWorld,
  type SkuFindings,
} from './types.ts'
import { openUnits, returnable, spread, unitsOfParcel } from './units.ts'

export interface Said {
  readonly actor: Actor
  readonly note: string
  /** Epoch milliseconds. */
  readonly at: number
}

export interface AskedReturn {
  readonly ref: string
  readonly hash: string
  readonly kind: ReturnKind
  readonly node: string | null
  readonly carrier: string | null
  readonly waybill: string | null
  readonly refundFen: number
  /** null: whichever line has the SKU. */
  readonly lines: readonly (SkuQuantity & { readonly lineId: string | null })[]
  /** Whoever asks agrees at once. */
  readonly agreed: boolean
}

export type ReturnRefused =
  | { readonly outcome: 'ref_used_for_other' }
  | { readonly outcome: 'wrong_state'; readonly state: ReturnState }
  /** More than the order sent of it and has not back, or than this return still expects. */
  | { readonly outcome: 'units_do_not_fit'; readonly sku: string }
  /** The order has sent no parcel under this waybill, or it is back. */
  | { readonly outcome: 'no_such_parcel' }
  | { readonly outcome: 'refund_above_paid' }

export interface ReturnChanged {
  readonly outcome: 'changed'
  readonly after: Return
  /** Units that become stock of a node; null: none. */
  readonly goods: { readonly node: string; readonly ref: string; readonly lines: readonly SkuQuantity[] } | null
}

export type ReturnDone = ReturnChanged | { readonly outcome: 'unchanged'; readonly known: Return } | ReturnRefused

export function requestReturn(world: ReturnWorld, asked: AskedReturn, said: Said): ReturnDone {
  const { order, returns } = world
  const known = returns.find(({ ref }) => ref === asked.ref)
  if (known !== undefined) {
    return known.hash === asked.hash ? { outcome: 'unchanged', known } : { outcome: 'ref_used_for_other' }
  }
  const owed = returns.filter(isLive).reduce((sum, { refundFen }) => sum + refundFen, asked.refundFen)
  if (owed > (order.snapshot?.paidFen ?? 0)) return { outcome: 'refund_above_paid' }
  const { kind, ref, hash, node, carrier, waybill, refundFen } = asked
  const wanted = kind === 'rejected' ? unitsOfParcel(world, waybill ?? '') : asked.lines
  if (wanted === null) return { outcome: 'no_such_parcel' }
  const found = spread(returnable(world), wanted)
  if ('misfit' in found) return { outcome: 'units_do_not_fit', sku: found.misfit }
  const state = kind === 'rejected' ? 'on_its_way' : asked.agreed ? agreedState(waybill) : 'requested'
  const acts = [actOf('request', said), ...(state === 'agreed' && asked.agreed ? [actOf('agree', said)] : [])]
  const after = { id: '', orderId: order.id, ref, hash, kind, state, node, carrier, waybill, refundFen, receipts: [] }
  return { outcome: 'changed', after: { ...after, lines: found.lines, acts }, goods: null }
}

function agreedState(waybill: string | null): ReturnState {
  return waybill === null ? 'agreed' : 'on_its_way'
}

/** Also the way to say under which waybill it comes, and where to. */
export interface Agreement {
  readonly node?: string | null
  readonly carrier?: string | null
  readonly waybill?: string | null
}

export function agree(known: Return, agreement: Agreement, said: Said): ReturnDone {
  const { node, carrier, waybill } = { node: known.node, carrier: known.carrier, waybill: known.waybill, ...agreement }
  if (!isAwaited(known)) return { outcome: 'wrong_state', state: known.state }
  const isSame = node === known.node && carrier === known.carrier && waybill === known.waybill
  if (isSame && known.state !== 'requested') return { outcome: 'unchanged', known }
  return act(known, 'agree', { state: agreedState(waybill), node, carrier, waybill }, said)
}

/** `end`: what the shop says, or what the buyer does. */
export function endUnreceived(known: Return, end: 'refused' | 'withdrawn', said: Said): ReturnDone {
  if (known.state === end) return { outcome: 'unchanged', known }
  if (!isAwaited(known) || known.receipts.length > 0) return { outcome: 'wrong_state', state: known.state }
  return act(known, end === 'refused' ? 'refuse' : 'withdraw', { state: end }, said)
}

export function settle(known: Return, said: Said): ReturnDone {
  if (known.state === 'settled') return { outcome: 'unchanged', known }
  const isDone = known.state === 'received' || (known.kind === 'refund_only' && known.state === 'agreed')
  return isDone ? act(known, 'settle', { state: 'settled' }, said) : { outcome: 'wrong_state', state: known.state }
}

export interface GivenReceipt {
  readonly ref: string
  readonly hash: string
  readonly node: string
  readonly lines: readonly SkuFindings[]
}

/** A node unpacked some units of it, wherever they were sent to. */
export function receive(known: Return, given: GivenReceipt, said: Said): ReturnDone {
  const { ref, hash, node } = given
  const before = known.receipts.find((receipt) => receipt.ref === ref)
  if (before !== undefined) {
    return before.hash === hash ? { outcome: 'unchanged', known } : { outcome: 'ref_used_for_other' }
  }
  if (!isAwaited(known) || known.kind === 'refund_only') return { outcome: 'wrong_state', state: known.state }
  const lines: ReceiptLine[] = []
  let open: readonly ReturnLine[] = openUnits(known)
  for (const { sku, ...findings } of given.lines) {
    for (const found of ['good', 'damaged', 'missing'] as const) {
      const taken = spread(open, [{ lineId: null, sku, quantity: findings[found] }])
      if ('misfit' in taken) return { outcome: 'units_do_not_fit', sku }
      open = taken.left
      for (const { quantity, ...of } of taken.lines) {
        lines.push({ ...of, ...{ good: 0, damaged: 0, missing: 0 }, [found]: quantity })
      }
    }
  }
  const receipt = { ref, hash, node, at: said.at, lines: joined(lines) }
  const change = {
    receipts: [...known.receipts, receipt],
    ...(open.length === 0 ? { state: 'received' as const } : {}),
  }
  const good = new Map<string, number>()
  for (const line of lines) if (line.good > 0) good.set(line.sku, (good.get(line.sku) ?? 0) + line.good)
  const goods = [...good].map(([sku, quantity]) => ({ sku, quantity }))
  const done = act(known, 'receive', change, said)
  return goods.length === 0
    ? done
    : { ...done, goods: { node, ref: `${known.id}#${known.receipts.length}`, lines: goods } }
}

/** One a line and SKU. */
function joined(lines: readonly ReceiptLine[]): ReceiptLine[] {
  const byLine = new Map<string, ReceiptLine>()
  for (const line of lines) {
    const key = `${line.lineId}\n${line.sku}`
    const { good, damaged, missing } = byLine.get(key) ?? { good: 0, damaged: 0, missing: 0 }
    byLine.set(key, {
      ...line,
      ...{ good: good + line.good, damaged: damaged + line.damaged, missing: missing + line.missing },
    })
  }
  return [...byLine.values()]
}

function act(known: Return, verb: ReturnAct['verb'], change: Partial<Return>, said: Said): ReturnChanged {
  return { outcome: 'changed', after: { ...known, ...change, acts: [...known.acts, actOf(verb, said)] }, goods: null }
}

function actOf(verb: ReturnAct['verb'], { at, actor, note }: Said): ReturnAct {
  return { verb, at, actor, note }
}
