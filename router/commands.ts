/**
 * Commands: how they are stored in the inbox, who gave them and why, and what each does to an order. What becomes of
 * the order's units follows in the decision (./decide.ts).
 */
import type { Catalog } from './bundle.ts'
import { areLinesKnown, overrulableRules } from './check.ts'
import { overrulableDesireRules } from './desire.ts'
import { toldUnits } from './line-units.ts'
import type { TakeBackReason } from './reasons.ts'
import type { LineWord } from './said-of-units.ts'
import type { Order, OrderSnapshot, OrderState, SkuQuantity, SnapshotLine } from './types.ts'

/** Who gave a command (操作人). */
export interface Actor {
  /**
   * operator: a person or a program with the operator's token; node: a warehouse or a store; stage: a part of the
   * service.
   */
  readonly kind: 'operator' | 'node' | 'stage' | 'unknown'
  /** The name that the operator gave, the node, or the stage. */
  readonly name: string
}

interface Given {
  readonly actor: Actor
  /** Why, in the actor's own words; may be empty. Shown in the order's history, never logged. */
  readonly note: string
}

/** What people and other stages ask of one order; takes the same way as a platform's event. */
export type Command =
  /** Lets a held order go (放行): the rules that hold it now are overruled, where a person may. */
  | (Given & { readonly type: 'approve' })
  | (Given & { readonly type: 'cancel' })
  /** Says how many units of a line ship, wait and are not wanted any more. A later word of the same line replaces it. */
  | (Given & LineWord & { readonly type: 'line' })
  /** A warehouse gave the task back, an intercept was accepted, or a count shows that its goods are not there. */
  | (Given & {
      readonly type: 'take_back'
      readonly taskId: string
      readonly why: TakeBackReason
      readonly lines: readonly SkuQuantity[]
    })
  /** A parcel that was told by mistake is voided: its units are in the task again, and may not be wanted any more. */
  | (Given & { readonly type: 'parcel_voided'; readonly waybill: string })
  /** A parcel left outside of any task and is booked: what is left of the order is decided anew. */
  | (Given & { readonly type: 'shipped_outside'; readonly waybill: string })
  /** Stock came in for a backordered order. */
  | (Given & { readonly type: 'restock' })
  /** Settings were mended: what no catalog knew is looked up again. Overrules nothing. */
  | (Given & { readonly type: 'recheck' })

/** A stage of the service itself that asks something of an order. */
export function stage(name: string): Actor {
  return { kind: 'stage', name }
}

/** A warehouse or a store that says something about a task. */
export function nodeActor(node: string): Actor {
  return { kind: 'node', name: node }
}

/** Up to version 0.1.0 a command named no actor, and an approval was called a release. */
type StoredCommand = Omit<Command, 'type' | 'actor' | 'note'> & {
  readonly type: Command['type'] | 'release'
  readonly actor?: Actor
  readonly note?: string
}

const unnamed: Actor = { kind: 'unknown', name: '' }

/** From the JSON of an event of kind `command`. */
export function readCommand(stored: unknown): Command {
  const { type, actor = unnamed, note = '', ...rest } = stored as StoredCommand
  return { ...rest, type: type === 'release' ? 'approve' : type, actor, note } as Command
}

/** States in which a cancellation comes too late: all units have left. */
const leftTheHouse: readonly OrderState[] = ['shipped', 'closed']

/**
 * Why a person's command would come to nothing; null: it may be asked. What is asked may still come too late: the order
 * goes on until the command is taken.
 */
export function refusedCommand(
  type: PersonsCommand['type'],
  { state, isHeld }: { readonly state: OrderState; readonly isHeld: boolean },
): 'order_not_held' | 'order_already_shipped' | null {
  if (type === 'approve') return isHeld ? null : 'order_not_held'
  return leftTheHouse.includes(state) ? 'order_already_shipped' : null
}

/** What a person asks of an order. */
export type PersonsCommand = Extract<Command, { type: 'approve' | 'cancel' | 'line' }>

/**
 * Why a person's word of a line's units cannot be taken; null: it can. Words of another line, or of more or fewer units
 * than the line has, are of another state of the order than the present one.
 */
export function refusedLineWord(
  snapshot: Pick<OrderSnapshot, 'lines'> | null,
  word: LineWord,
): 'unknown_line' | 'units_do_not_add_up' | null {
  const line = snapshot?.lines.find((l) => l.lineId === word.lineId)
  if (line === undefined) return 'unknown_line'
  return word.ship + word.hold + word.cancel === toldUnits(line) ? null : 'units_do_not_add_up'
}

export type TakeBack = Extract<Command, { type: 'take_back' }>

export interface TakenCommand {
  readonly order: Order
  readonly outcome:
    | 'approved'
    | 'nothing_to_approve'
    | 'cancelled'
    | 'unchanged'
    | 'units_set'
    | 'unknown_line'
    | 'units_do_not_add_up'
    | 'taken_back'
    | 'parcel_voided'
    | 'shipped_outside'
    | 'restocked'
    | 'rechecked'
  /** Whether the order has to be decided anew. */
  readonly moves: boolean
  /** For the history; never personal data. */
  readonly reason?: string
  readonly takeBack?: TakeBack
}

export interface CommandCatalog {
  readonly sku: Catalog
  /** The shop's map from platform SKU to ours; may have learned codes since the order came. */
  readonly skuMap: Readonly<Record<string, string>>
}

const mayBeOverruled: ReadonlySet<string> = new Set([...overrulableRules, ...overrulableDesireRules])

export function takeCommand(order: Order, command: Command, catalog: CommandCatalog): TakenCommand {
  switch (command.type) {
    case 'approve': {
      if (order.holds.length === 0) return { order, outcome: 'nothing_to_approve', moves: false }
      // A person lets go what was found wrong now, not what may be found later. What no person may let go is looked at
      // again: the SKU may be known by now.
      const found = order.holds.map((h) => h.rule).filter((rule) => mayBeOverruled.has(rule))
      const overruled = [...new Set([...order.overruled, ...found])].sort()
      return {
        order: { ...order, overruled, snapshot: mapAgain(order.snapshot, catalog) },
        outcome: found.length > 0 ? 'approved' : 'nothing_to_approve',
        moves: true,
      }
    }
    case 'cancel':
      if (order.cancelledBy !== null) return { order, outcome: 'unchanged', moves: false }
      return { order: { ...order, cancelledBy: 'operator' }, outcome: 'cancelled', moves: true }
    case 'line':
      return takeLineWord(order, command)
    case 'take_back':
      return { order, outcome: 'taken_back', moves: true, reason: command.why, takeBack: command }
    case 'parcel_voided':
    case 'shipped_outside':
      return { order, outcome: command.type, moves: true, reason: command.waybill }
    case 'restock':
      return { order, outcome: 'restocked', moves: order.allocations.some((a) => a.place === 'backordered') }
    case 'recheck': {
      const isHeld = order.holds.some((h) => h.rule === 'unknown_sku')
      const snapshot = isHeld ? mapAgain(order.snapshot, catalog) : order.snapshot
      return { order: isHeld ? { ...order, snapshot } : order, outcome: 'rechecked', moves: isHeld }
    }
  }
}

function takeLineWord(order: Order, { lineId, ship, hold, cancel }: LineWord): TakenCommand {
  const word = { lineId, ship, hold, cancel }
  const why = refusedLineWord(order.snapshot, word)
  if (why !== null) return { order, outcome: why, moves: false }
  const others = order.lineWords.filter((w) => w.lineId !== lineId)
  // Sorted, so that two sequences of words about two lines give the same list. What all ship is no word.
  const words = hold + cancel === 0 && !isInPart(order, lineId) ? others : [...others, word]
  const lineWords = words.sort((a, b) => (a.lineId < b.lineId ? -1 : 1))
  return { order: { ...order, lineWords }, outcome: 'units_set', moves: true }
}

/** A refund tells an amount and no units: a word that all ship is then an answer. */
function isInPart(order: Order, lineId: string): boolean {
  return order.refunds.some((refund) => refund.lineId === lineId)
}

/** Whether a recheck would find every code of an order that is held for them. */
export function areCodesKnown(
  lines: readonly Pick<SnapshotLine, 'sku' | 'platformSku' | 'refund'>[],
  catalog: CommandCatalog,
): boolean {
  return areLinesKnown(linesMappedAgain(lines, catalog), catalog.sku)
}

function mapAgain(snapshot: OrderSnapshot | null, catalog: CommandCatalog): OrderSnapshot | null {
  return snapshot === null ? null : { ...snapshot, lines: linesMappedAgain(snapshot.lines, catalog) }
}

function linesMappedAgain<Line extends Pick<SnapshotLine, 'sku' | 'platformSku'>>(
  lines: readonly Line[],
  { sku, skuMap }: CommandCatalog,
): Line[] {
  // By its own names only: a code may be called like what every object has.
  const mapped = (code: string) => (Object.hasOwn(skuMap, code) ? skuMap[code] : undefined)
  return lines.map((line) => {
    if (sku(line.sku) !== undefined) return line
    return { ...line, sku: mapped(line.sku) ?? mapped(line.platformSku) ?? line.sku }
  })
}
