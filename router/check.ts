/**
 * Check (审单): may this order be routed as it is? A list of named rules; each is asked, none hides another, so that
 * a person sees at once everything that is wrong with an order.
 *
 * A rule passes, holds (挂起: a person can put it right, or approve it) or refuses (nothing can put it right: the order
 * is to be cancelled).
 * Reasons say what to do. They are stored and shown, so they never quote the buyer or the address.
 *
 * Here are the holds that the order's own content asks for. Holds that follow from what the platform said later (a
 * refund, a shipment that is not ours) are in ./desire.ts; ./decide.ts keeps holds only while units are held.
 *
 * Not here: fraud scores, blacklists, credit. They would be rules of this list, fed through the context.
 */
import { type Catalog, countItems, countUnits, orderItemsMax, orderUnitsMax, unitsOf } from './bundle.ts'
import { ruleSets } from './rule-sets.ts'
import type { Hold, OrderSnapshot, SnapshotLine } from './types.ts'

export interface CheckLimits {
  /** Units of one line, a bundle taken apart. */
  readonly lineQuantityMax: number
  /** Units of the whole order, bundles taken apart. */
  readonly orderQuantityMax: number
  /** A note that holds one of these asks for a person. Plain: NFKC, lower case, without spaces. */
  readonly humanWords: readonly string[]
}

export interface CheckInput {
  readonly snapshot: OrderSnapshot
  readonly catalog: Catalog
  /** Names of rules that a person has overruled for this order. Ignored for rules that no person may overrule. */
  readonly overruled: readonly string[]
  readonly limits: CheckLimits
  /** Units of the order are in tasks: what it comes to was decided before, and stays (decide.ts). */
  readonly keepsItems: boolean
}

export type Verdict =
  | { readonly verdict: 'pass' }
  | { readonly verdict: 'hold'; readonly reason: string }
  | { readonly verdict: 'refuse'; readonly reason: string }

export interface Rule {
  readonly name: string
  /** False where letting the order go would ship goods that are not paid, not ours to ship yet, or not known. */
  readonly overrulable: boolean
  readonly examine: (input: CheckInput) => Verdict
}

export interface CheckResult {
  readonly holds: readonly Hold[]
  readonly refusals: readonly Hold[]
  /** Names of the rules that passed, overruled ones among them, in the order of `rules`. */
  readonly passed: readonly string[]
}

const pass: Verdict = { verdict: 'pass' }

export const rules: readonly Rule[] = [
  { name: 'unpaid', overrulable: false, examine: unpaid },
  { name: 'platform_hold', overrulable: false, examine: platformHold },
  { name: 'presale_balance', overrulable: false, examine: presaleBalance },
  { name: 'unknown_sku', overrulable: false, examine: unknownSku },
  { name: 'too_many_items', overrulable: false, examine: tooManyItems },
  { name: 'too_many_units', overrulable: false, examine: tooManyUnits },
  { name: 'amount_mismatch', overrulable: true, examine: amountMismatch },
  { name: 'unresolvable_address', overrulable: true, examine: unresolvableAddress },
  { name: 'address_under_review', overrulable: true, examine: addressUnderReview },
  { name: 'human_wanted', overrulable: true, examine: humanWanted },
  { name: 'risky_quantity', overrulable: true, examine: riskyQuantity },
]

/** What a trace keeps of the rules that passed: the number of the set, from 1, when it was all of the present one. */
export function describePassed(passed: readonly string[]): number | readonly string[] {
  return passed.length === rules.length ? ruleSets.length : passed
}

/** Names of the rules that an approval overrules. */
export const overrulableRules: readonly string[] = rules.filter((rule) => rule.overrulable).map((rule) => rule.name)

export function check(input: CheckInput): CheckResult {
  const holds: Hold[] = []
  const refusals: Hold[] = []
  const passed: string[] = []
  for (const rule of rules) {
    const result = rule.examine(input)
    if (result.verdict === 'refuse') refusals.push({ rule: rule.name, reason: result.reason })
    else if (result.verdict === 'pass' || (rule.overrulable && input.overruled.includes(rule.name))) {
      passed.push(rule.name)
    } else holds.push({ rule: rule.name, reason: result.reason })
  }
  return { holds, refusals, passed }
}

/** The platform's state decides, not paidAt: cash on delivery is ready to ship without ever having a payment time. */
function unpaid({ snapshot }: CheckInput): Verdict {
  if (snapshot.platformState !== 'unpaid') return pass
  return hold('the platform reports no payment yet: wait for it, the order goes on when it is paid')
}

function platformHold({ snapshot }: CheckInput): Verdict {
  if (snapshot.platformState !== 'on_hold') return pass
  return hold(
    `the platform holds the order back (group buy, risk control, cooling-off, or a state that is not known here: ${snapshot.platformStateRaw}): wait until it lets it go`,
  )
}

function presaleBalance({ snapshot }: CheckInput): Verdict {
  switch (snapshot.presale?.step) {
    case undefined:
    case 'balance_paid':
      return pass
    case 'forfeited':
      return { verdict: 'refuse', reason: 'the balance was not paid in time and the deposit is forfeited: cancel' }
    default:
      return hold('presale, the balance is not paid: wait for it, the order goes on when it is paid')
  }
}

function unknownSku({ snapshot, catalog }: CheckInput): Verdict {
  let unknown = ''
  let count = 0
  for (let index = 0; index < snapshot.lines.length; index++) {
    const line = snapshot.lines[index]!
    if (isLineKnown(line, catalog)) continue
    if (count++ === 0) unknown = line.sku === '' ? `line ${index + 1} has no merchant code` : `SKU ${line.sku}`
  }
  if (count === 0) return pass
  const others = count === 1 ? '' : ` and ${count - 1} more`
  return hold(`not in the catalog: ${unknown}${others}; add it, or map it in the shop's skuMap: the order goes on then`)
}

type CodedLine = Pick<SnapshotLine, 'sku' | 'refund'>

/** What `unknown_sku` asks for. */
export function areLinesKnown(lines: readonly CodedLine[], catalog: Catalog): boolean {
  return lines.every((line) => isLineKnown(line, catalog))
}

function isLineKnown(line: CodedLine, catalog: Catalog): boolean {
  return !isLive(line) || (line.sku !== '' && isKnown(line.sku, catalog))
}

/** A bundle is known when its components are, and are plain. */
function isKnown(code: string, catalog: Catalog): boolean {
  const sku = catalog(code)
  if (sku === undefined) return false
  for (let index = 0; index < sku.bundle.length; index++) {
    const component = catalog(sku.bundle[index]!.sku)
    if (component === undefined || component.bundle.length > 0) return false
  }
  return true
}

/** No person may overrule it: its bundles are not taken apart, so there is nothing that could be picked. */
function tooManyItems({ snapshot, catalog, keepsItems }: CheckInput): Verdict {
  if (keepsItems) return pass
  const count = countItems(snapshot.lines, catalog)
  if (count <= orderItemsMax) return pass
  return hold(
    `lines and components of bundles come to ${count} items (limit ${orderItemsMax}): have the order split on the platform, or cancel it`,
  )
}

/** The same; a figure of so many units is a broken import, and nobody could pick them. */
function tooManyUnits({ snapshot, catalog, keepsItems }: CheckInput): Verdict {
  if (keepsItems) return pass
  const count = countUnits(snapshot.lines, catalog)
  if (count <= orderUnitsMax) return pass
  return hold(
    `lines and components of bundles come to ${count} units (limit ${orderUnitsMax}): correct the bundles, have the order split on the platform, or cancel it`,
  )
}

function amountMismatch({ snapshot }: CheckInput): Verdict {
  let sumFen = snapshot.freightFen + (snapshot.serviceFen ?? 0)
  for (let index = 0; index < snapshot.lines.length; index++) sumFen += snapshot.lines[index]!.paidFen
  if (sumFen === snapshot.paidFen) return pass
  return hold(
    `lines, freight and services sum to ${sumFen} fen, the order says ${snapshot.paidFen}: compare with the platform, then approve`,
  )
}

/** Overruled, the order is sourced as if it went to the middle of the country (source/network). */
function unresolvableAddress({ snapshot }: CheckInput): Verdict {
  if (snapshot.receiver.adcode !== null && snapshot.receiver.point !== null) return pass
  return hold('province, city and district are not recognised: have the address corrected on the platform, or approve')
}

function addressUnderReview({ snapshot }: CheckInput): Verdict {
  if (!snapshot.addressUnderReview) return pass
  return hold('the buyer asked for another address: settle it on the platform, or approve to ship to the present one')
}

function humanWanted({ snapshot, limits: { humanWords } }: CheckInput): Verdict {
  const byBuyer = asksForHuman(snapshot.buyerMessage, humanWords)
  if (!byBuyer && !asksForHuman(snapshot.sellerMemo, humanWords)) return pass
  return hold(
    `the ${byBuyer ? "buyer's note" : 'seller memo'} asks for a person: read it on the platform, then approve`,
  )
}

function asksForHuman(text: string, words: readonly string[]): boolean {
  if (text === '') return false
  // Full-width letters, spaces between characters and capitals must not hide a word.
  const plain = text.normalize('NFKC').toLowerCase().replace(/\s+/g, '')
  for (let index = 0; index < words.length; index++) if (plain.includes(words[index]!)) return true
  return false
}

/**
 * Counts what would leave the warehouse, not articles: a bundle whose import made a thousand of a component is as wrong
 * as a line of a thousand. What is in tasks was counted before they were made.
 */
function riskyQuantity({ snapshot, catalog, limits, keepsItems }: CheckInput): Verdict {
  if (keepsItems) return pass
  let total = 0
  let lineMax = 0
  for (let index = 0; index < snapshot.lines.length; index++) {
    const line = snapshot.lines[index]!
    if (!isLive(line)) continue
    const units = unitsOf(line, catalog)
    total += units
    if (units > lineMax) lineMax = units
  }
  if (lineMax > limits.lineQuantityMax) {
    return hold(`a line of ${lineMax} units (limit ${limits.lineQuantityMax}): confirm with the buyer, then approve`)
  }
  if (total > limits.orderQuantityMax) {
    return hold(`${total} units in all (limit ${limits.orderQuantityMax}): confirm with the buyer, then approve`)
  }
  return pass
}

/** A line that is refunded will not be shipped: nothing about it can hold the others back. */
function isLive(line: Pick<SnapshotLine, 'refund'>): boolean {
  return line.refund !== 'refunded'
}

function hold(reason: string): Verdict {
  return { verdict: 'hold', reason }
}
