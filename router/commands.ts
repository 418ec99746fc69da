/**
 * Commands: how they lie in the inbox, and what each does to an order before the decision. What becomes of the order's units the
 * decision says.
 */
import type { Catalog } from './bundle.ts'
import { overrulableRules } from './check.ts'
import { overrulableDesireRules } from './desire.ts'
import type { Actor, Command, Order, OrderSnapshot } from './types.ts'

/** A stage of the service itself that asks something of an order. */
export function stage(name: string): Actor {
  return { kind: 'stage', name }
}

/** A warehouse or a store that says something about a task. */
export function nodeActor(node: string): Actor {
  return { kind: 'node', name: node }
}

/** Up to version 0.1.0 nobody was named, and an approval was called a release. */
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

export type TakeBack = Extract<Command, { type: 'take_back' }>

export interface TakenCommand {
  readonly order: Order
  readonly outcome: 'approved' | 'nothing_to_approve' | 'cancelled' | 'unchanged' | 'taken_back' | 'restocked'
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
      // A person lets go what was found wrong now, not what may be found later. What no person may let go is looked at again:
      // the SKU may be known by now.
      const found = order.holds.map((h) => h.rule).filter((rule) => mayBeOverruled.has(rule))
      const overruled = [...new Set([...order.overruled, ...found])].sort()
      return {
        order: { ...order, overruled, snapshot: mapAgain(order.snapshot, catalog) },
        outcome: 'approved',
        moves: true,
      }
    }
    case 'cancel':
      if (order.cancelledBy !== null) return { order, outcome: 'unchanged', moves: false }
      return { order: { ...order, cancelledBy: 'operator' }, outcome: 'cancelled', moves: true }
    case 'take_back':
      return { order, outcome: 'taken_back', moves: true, reason: command.why, takeBack: command }
    case 'restock':
      return { order, outcome: 'restocked', moves: order.allocations.some((a) => a.place === 'backordered') }
  }
}

function mapAgain(snapshot: OrderSnapshot | null, { sku, skuMap }: CommandCatalog): OrderSnapshot | null {
  if (snapshot === null) return null
  const mapped = new Map(Object.entries(skuMap))
  const lines = snapshot.lines.map((line) => {
    if (sku(line.sku) !== undefined) return line
    return { ...line, sku: mapped.get(line.sku) ?? mapped.get(line.platformSku) ?? line.sku }
  })
  return { ...snapshot, lines }
}
