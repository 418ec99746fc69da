/**
 * What a business may want to set for itself: limits of the check and of clocks, prices. Rules take a policy as an
 * argument and import none, so that it can be versioned, tried beside another one, and named in a trace.
 * `defaultPolicy` is in force everywhere today.
 */
import type { CheckLimits } from './check.ts'
import { humanWords } from './check-words.ts'
import type { ClockPolicy } from './clock-rule.ts'
import type { ExceptionPolicy } from './exceptions.ts'
import type { Freight } from './node.ts'
import type { ExpectationPolicy } from './reconcile/expectations.ts'

export interface NodePolicy {
  /** What a parcel costs from a node whose own prices are not given. */
  readonly freight: Freight
  readonly handlingFen: number
  /** What one step of a node's priority is worth, per parcel. */
  readonly fenPerPriority: number
}

export interface Policy {
  readonly check: CheckLimits
  readonly clock: ClockPolicy
  readonly exceptions: ExceptionPolicy
  readonly expectations: ExpectationPolicy
  readonly nodes: NodePolicy
}

const dayMs = 24 * 3_600_000

export const defaultPolicy: Policy = {
  check: {
    // A household buys dozens, not hundreds; beyond that it is a typing error, a reseller or a wrong price.
    lineQuantityMax: 200,
    orderQuantityMax: 500,
    humanWords,
  },
  clock: { aheadMsMax: dayMs },
  // A buyer who waits is answered within the working day; books are looked at in the week in which they differ.
  exceptions: { dueMs: { high: 4 * 3_600_000, normal: 3 * dayMs, low: 7 * dayMs } },
  expectations: {
    // The longest way of a platform's money: ten days to the delivery, ten until the buyer's confirmation is taken as given.
    paymentMs: 20 * dayMs,
    // A bank card gets its money back within seven days; the bill tells it on the day after.
    refundMs: 8 * dayMs,
    // A courier collects on the day or on the next one.
    movingMs: 2 * dayMs,
    // The remotest counties take eight days by road; more is a lost parcel.
    deliveryMs: 10 * dayMs,
    // A buyer has seven days to send it, and the way takes as long as the way to him.
    returnMs: 17 * dayMs,
  },
  nodes: {
    // A common national tariff, in fen.
    freight: {
      bands: [
        { kmMax: 300, firstFen: 500, stepFen: 100 },
        { kmMax: 1000, firstFen: 700, stepFen: 200 },
        { kmMax: 2000, firstFen: 900, stepFen: 400 },
        { kmMax: 20_100, firstFen: 1200, stepFen: 800 },
      ],
      firstGrams: 1000,
      stepGrams: 1000,
    },
    handlingFen: 200,
    fenPerPriority: 10,
  },
}
