/**
 * What a reason for which a task comes back says about the node, about its stock and about the order. Rules as data:
 * one row a reason.
 */
import type { SkuQuantity } from './types.ts'

export const rejectReasons = ['out_of_stock', 'damaged', 'closed', 'overloaded'] as const
export type RejectReason = (typeof rejectReasons)[number]
/** node_closed: the node was switched off before it pulled the task. */
export type TakeBackReason = RejectReason | 'intercepted' | 'shortage' | 'node_closed'

export interface ReasonRule {
  /**
   * excluded: this order is never sourced at the node again; avoided: not in this decision, since another delivery may
   * come; asked_again: the reason says nothing about the node.
   */
  readonly node: 'excluded' | 'avoided' | 'asked_again'
  /**
   * as_counted: the stock is what Postgres says. units_gone: the named units are not there. nothing_left: a node that
   * looked for three units and did not find them has, most likely, not two either: nothing more of the SKU is promised
   * there until a count.
   */
  readonly stock: 'as_counted' | 'units_gone' | 'nothing_left'
  /** The state in which the task has to be: a command with this reason changes no task that is in another state. */
  readonly taskState: 'rejected' | 'intercepted' | 'ready'
}

export const reasonRules: Readonly<Record<TakeBackReason, ReasonRule>> = {
  out_of_stock: { node: 'avoided', stock: 'nothing_left', taskState: 'rejected' },
  damaged: { node: 'avoided', stock: 'units_gone', taskState: 'rejected' },
  closed: { node: 'excluded', stock: 'as_counted', taskState: 'rejected' },
  overloaded: { node: 'excluded', stock: 'as_counted', taskState: 'rejected' },
  intercepted: { node: 'asked_again', stock: 'as_counted', taskState: 'intercepted' },
  shortage: { node: 'asked_again', stock: 'as_counted', taskState: 'ready' },
  node_closed: { node: 'asked_again', stock: 'as_counted', taskState: 'ready' },
}

/** What is wrong with the stock of one SKU at the node. */
export interface StockCorrection {
  readonly sku: string
  /** Units that are not there. */
  readonly missing: number
  /** Nothing may be promised from here until the next count. */
  readonly believeNothingLeft: boolean
}

/** `named`: the units that the node named as wrong; when it named none, all units that are released count as wrong. */
export function correctionsOf(
  why: TakeBackReason,
  named: readonly SkuQuantity[],
  released: readonly SkuQuantity[],
): StockCorrection[] {
  const { stock } = reasonRules[why]
  if (stock === 'as_counted') return []
  const wrong = named.length > 0 ? named : released
  return wrong.map(({ sku, quantity }) => ({ sku, missing: quantity, believeNothingLeft: stock === 'nothing_left' }))
}
