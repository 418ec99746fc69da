/** What a return is (./return.ts draws its life), and the order around it. */
import type { Actor } from '../commands.ts'
import type { UnitsOfLine } from '../shipped-units.ts'
import type { Package, TaskLine } from '../task.ts'
import type { Order } from '../types.ts'

export const returnKinds = ['refund_only', 'return', 'rejected'] as const
export type ReturnKind = (typeof returnKinds)[number]

export const returnStates = [
  ...(['requested', 'agreed', 'on_its_way', 'received', 'settled'] as const),
  ...(['refused', 'withdrawn'] as const),
] as const
export type ReturnState = (typeof returnStates)[number]

/** Units of one item of a line. */
export type ReturnLine = UnitsOfLine

/** What a node says of units that it unpacked, or should have found. */
export interface Findings {
  /** Fit to be sold again: stock of the node that received them. */
  readonly good: number
  /** There, and not to be sold. */
  readonly damaged: number
  /** Not there, and not expected any more. */
  readonly missing: number
}

export interface SkuFindings extends Findings {
  readonly sku: string
}

export interface ReceiptLine extends SkuFindings {
  readonly lineId: string
}

export interface Receipt {
  /** Its caller's, unique within the return; `hash` is of what it said. */
  readonly ref: string
  readonly hash: string
  readonly node: string
  /** Epoch milliseconds. */
  readonly at: number
  readonly lines: readonly ReceiptLine[]
}

export const returnVerbs = ['request', 'agree', 'refuse', 'withdraw', 'receive', 'settle'] as const

/** Somebody did it: kept for good. */
export interface ReturnAct {
  readonly verb: (typeof returnVerbs)[number]
  /** Epoch milliseconds. */
  readonly at: number
  readonly actor: Actor
  readonly note: string
}

export interface Return {
  /** The store's number; empty until it is stored. */
  readonly id: string
  /** The order's own id (router/types Order). */
  readonly orderId: string
  /** Its caller's, unique within the order; `hash` is of what was asked. */
  readonly ref: string
  readonly hash: string
  readonly kind: ReturnKind
  readonly state: ReturnState
  /** Where the goods are expected; null: anywhere. Any node may receive them. */
  readonly node: string | null
  readonly carrier: string | null
  readonly waybill: string | null
  /** What the buyer is to get back. */
  readonly refundFen: number
  /** Empty of one without goods. */
  readonly lines: readonly ReturnLine[]
  readonly receipts: readonly Receipt[]
  readonly acts: readonly ReturnAct[]
}

/** What left in a task. */
export interface SentTask {
  readonly taskId: string
  readonly lines: readonly TaskLine[]
  readonly packages: readonly Package[]
}

/** An order with all that left and all that is to come back. */
export interface ReturnWorld {
  readonly order: Order
  readonly tasks: readonly SentTask[]
  readonly returns: readonly Return[]
}

export function isLive({ state }: Pick<Return, 'state'>): boolean {
  return state !== 'refused' && state !== 'withdrawn'
}

/** Goods of it may still come. */
export function isAwaited({ state }: Pick<Return, 'state'>): boolean {
  return state === 'requested' || state === 'agreed' || state === 'on_its_way'
}
