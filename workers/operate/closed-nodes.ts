/**
 * A node that is switched off gives back what it has not pulled: its unpulled tasks are called back and sourced
 * elsewhere. What it has pulled it ships, or hands back itself.
 *
 * The setting asks for the first of them at once; the sweep finds the rest, what a process that knew the settings before
 * sourced there, and what a process left that died in between. What has no other place waits, and is sourced again when
 * the node opens.
 */
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { type UnpulledOfNode, unpulledAt } from '../../adapters/store/tasks/unpulled.ts'
import { stage } from '../../router/commands.ts'
import type { ChannelName } from '../../router/types.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Backlog } from '../intake/backlog.ts'
import { commandEvent } from '../intake/commands.ts'
import type { Intake } from '../intake/intake.ts'
import type { Clock } from '../process/clock.ts'
import { codeOf } from '../process/error-code.ts'
import type { Log } from '../process/log.ts'

// Tasks that one setting, or one round of the sweep, calls back.
const tasksPerRound = 500
// A backlog goes first: tasks at closed nodes wait for a later round.
const busyEvents = 5_000

const given = { actor: stage('settings'), note: 'the node is switched off' }

export interface ClosedNodesContext {
  readonly sql: Sql
  readonly catalog: { readonly current: Pick<Catalog, 'nodes'> }
  readonly intake: Pick<Intake, 'storeOwn'>
  readonly backlog: Pick<Backlog, 'size'>
  readonly clock: Clock
  readonly log: Log
}

/** After a node's settings are in force. What fails here, and what is more, the sweep does. */
export async function callBackAfterClosing(context: ClosedNodesContext): Promise<void> {
  try {
    await callBackFromClosed(context)
  } catch (error) {
    context.log.warn(
      { code: codeOf(error) },
      'tasks of a node that is switched off wait for the next round of the sweep',
    )
  }
}

/** Gives how many tasks it asked for; asked for twice, each is called back once. */
export async function callBackFromClosed({
  sql,
  catalog,
  intake,
  backlog,
  clock,
}: ClosedNodesContext): Promise<number> {
  if (backlog.size > busyEvents) return 0
  const closed = catalog.current.nodes.flatMap(({ node, open }) => (open ? [] : [node]))
  const tasks = await unpulledAt(sql, closed, tasksPerRound)
  await Promise.all(tasks.map((task) => intake.storeOwn(recallOf(task, clock.now()))))
  return tasks.length
}

/** Its id is the task's alone. */
function recallOf({ taskId, channel, shop, orderId }: UnpulledOfNode, nowMs: number) {
  const key = { channel: channel as ChannelName, shop, orderId }
  const command = { type: 'take_back', taskId, why: 'node_closed', lines: [], ...given } as const
  return commandEvent(key, command, nowMs, `${taskId}.node_closed`)
}
