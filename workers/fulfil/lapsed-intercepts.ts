/**
 * The sweep's part for tasks that were to be stopped and whose owner fell silent: the lease has run out, the units are
 * free.
 */

import type { TaskStore } from '../../adapters/store/order-store.ts'
import { stage } from '../../router/commands.ts'
import type { Dispatch } from '../decide/dispatch.ts'
import type { Clock } from '../process/clock.ts'
import { handBack } from './verbs.ts'

export interface LapsedContext {
  readonly store: TaskStore
  readonly dispatch: Pick<Dispatch, 'push'>
  readonly clock: Clock
}

const interceptsPerRound = 200
// No more at once, since requests use the same connections.
const atOnce = 6
const given = { actor: stage('sweep'), note: 'the lease ran out before the intercept was confirmed' }

/**
 * A refusal is ignored: between the look and this call another process handed the task back, or the order wanted it
 * again. Durable when it returns, decided later.
 */
export async function takeBackLapsed(context: LapsedContext): Promise<void> {
  const lapsed = await context.store.lapsedIntercepts(interceptsPerRound)
  for (let at = 0; at < lapsed.length; at += atOnce) {
    const few = lapsed.slice(at, at + atOnce)
    await Promise.all(few.map((claim) => handBack(context, claim, { state: 'intercepted', lapsed: true }, given)))
  }
}
