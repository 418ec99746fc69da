/**
 * A count found less than is promised. It is believed: the shortage is raised, and tasks that are not pulled yet are sourced
 * elsewhere, newest first. All of it is read from the database, so that after a crash the next call does the rest.
 */

import { refOf } from '../../adapters/store/exception-refs.ts'
import type { ExceptionStore, StockStore } from '../../adapters/store/order-store.ts'
import type { UnpulledTask } from '../../adapters/store/stock/shortages.ts'
import { stage } from '../../router/commands.ts'
import { type Shortage, tasksToCallBack } from '../../router/shortage.ts'
import type { ChannelName, StockKey } from '../../router/types.ts'
import { commandEvent } from '../intake/commands.ts'
import type { EventToStore, Intake } from '../intake/intake.ts'
import type { Clock } from '../process/clock.ts'

const given = { actor: stage('shortages'), note: 'a count found fewer units than are promised' }

export interface ShortageContext {
  readonly store: StockStore & Pick<ExceptionStore, 'raise'>
  readonly intake: Pick<Intake, 'storeOwn'>
  readonly clock: Clock
}

/** Of one posting's SKUs, or all there are. Repeating it does nothing. Gives the shortages that it found. */
export async function answerShortages(
  context: ShortageContext,
  of: { readonly node: string; readonly skus: readonly string[] } | null,
): Promise<readonly Shortage[]> {
  return await answerShort(context, await context.store.shortRows(of))
}

/** The same of places that were found short: by now another call may have answered for them. */
export async function answerShort(context: ShortageContext, places: readonly StockKey[]): Promise<readonly Shortage[]> {
  if (places.length === 0) return []
  const { store, intake } = context
  const commands = new Map<string, EventToStore>()
  const commandOf = (task: UnpulledTask): EventToStore => {
    const command = commands.get(task.taskId) ?? recallOf(context, task)
    commands.set(task.taskId, command)
    return command
  }
  const { short, tasks, recalled } = await store.readShortages(places, (task) => commandOf(task).eventId)
  if (short.length === 0) return []
  await store.raise(
    short.map(({ node, sku, missing }) => ({
      kind: 'shortage',
      ref: refOf(node, sku),
      detail: { node, sku, missing },
    })),
  )
  const isRecalled = (task: UnpulledTask): boolean => recalled.has(commandOf(task).eventId)
  const wanted = tasksToCallBack(short, tasks, isRecalled)
  await Promise.all(wanted.map((task) => intake.storeOwn(commandOf(task))))
  return short.map(({ sku, missing }) => ({ sku, missing }))
}

/** Its id is the task's alone: a task is called back for a shortage once, however many calls find it. */
function recallOf({ clock }: ShortageContext, { taskId, channel, shop, orderId }: UnpulledTask): EventToStore {
  const key = { channel: channel as ChannelName, shop, orderId }
  const command = { type: 'take_back', taskId, why: 'shortage', lines: [], ...given } as const
  return commandEvent(key, command, clock.now(), `${taskId}.shortage`)
}
