/** What an operator does with an order: approve it, cancel it, say what becomes of a line's units. Each is a command in the inbox, decided like any event. */

import { orderFromRow } from '../../adapters/store/orders/order-row.ts'
import { findOrder } from '../../adapters/store/orders/view.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { type Actor, type PersonsCommand, refusedCommand, refusedLineWord } from '../../router/commands.ts'
import { toldUnits } from '../../router/line-units.ts'
import type { LineWord } from '../../router/said-of-units.ts'
import type { Hold, OrderKey, OrderState } from '../../router/types.ts'
import type { Dispatch } from '../decide/dispatch.ts'
import { commandEvent } from '../intake/commands.ts'
import type { Intake } from '../intake/intake.ts'
import type { Clock } from '../process/clock.ts'
import { type Refused, refused } from '../process/refused.ts'

export interface OrderCommandContext {
  readonly sql: Sql
  readonly intake: Pick<Intake, 'storeOwn'>
  readonly dispatch: Pick<Dispatch, 'decided'>
  readonly clock: Clock
  /** Never gives the same twice. */
  readonly newId: () => string
}

export type Commanded =
  | {
      readonly outcome: 'commanded'
      readonly state: OrderState
      readonly version: number
      /** Those that remain. */
      readonly holds: readonly Hold[]
    }
  | Refused

const decisionWaitMs = 10_000

/** Who asks, and why. */
export interface Given {
  readonly actor: Actor
  readonly note: string
}

/** The rules that hold the order now are overruled, where a person may. */
export async function approveOrder(context: OrderCommandContext, key: OrderKey, given: Given): Promise<Commanded> {
  return await command(context, key, { type: 'approve', ...given })
}

export async function cancelOrder(context: OrderCommandContext, key: OrderKey, given: Given): Promise<Commanded> {
  return await command(context, key, { type: 'cancel', ...given })
}

/** How many units of a line ship, wait and are not wanted any more. Together they are all that the line has. */
export async function setLineUnits(
  context: OrderCommandContext,
  key: OrderKey,
  word: LineWord,
  given: Given,
): Promise<Commanded> {
  return await command(context, key, { type: 'line', ...word, ...given })
}

async function command(
  { sql, intake, dispatch, clock, newId }: OrderCommandContext,
  key: OrderKey,
  asked: PersonsCommand,
): Promise<Commanded> {
  const known = await findOrder(sql, key)
  if (known === null) return refused('not_found', 'No such order.')
  const isHeld = (known.body.holds ?? []).length > 0
  const why = refusedCommand(asked.type, { state: known.state as OrderState, isHeld })
  if (why !== null) return refused(why)
  if (asked.type === 'line') {
    const { snapshot } = orderFromRow(known)
    const fault = refusedLineWord(snapshot, asked)
    if (fault === 'unknown_line')
      return refused('not_found', 'The order has no such line. Read the order for its lines.')
    if (fault !== null) {
      const units = toldUnits(snapshot!.lines.find((line) => line.lineId === asked.lineId)!)
      return refused(
        'units_do_not_add_up',
        `The line has ${units} units: ship, hold and cancel have to add up to them.`,
      )
    }
  }
  const stored = await intake.storeOwn(commandEvent(key, asked, clock.now(), newId()))
  if (stored.outcome === 'new') {
    const decided = await dispatch.decided(stored.seq, decisionWaitMs)
    if (decided?.done !== true)
      return refused('try_again', 'The command is taken and will be carried out; look again shortly.')
  }
  const row = (await findOrder(sql, key))!
  const { holds = [] } = row.body
  return { outcome: 'commanded', state: row.state as OrderState, version: row.version, holds }
}
