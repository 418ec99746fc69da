/** A warehouse's or store's side: pull, accept, ship, reject, extend, intercept. */
import { ApiError } from '../../adapters/http/errors.ts'
import { implement, type JsonRoute, ok } from '../../adapters/http/route.ts'
import { contract } from '../../adapters/http/v1/contract.ts'
import { dayOf } from '../../adapters/store/inbox/inbox.ts'
import { shipTask } from '../../adapters/store/tasks/ship.ts'
import {
  acceptTask,
  endLeases,
  extendLease,
  giveBack,
  type PulledTask,
  pullTasks,
  type TaskRefusal,
} from '../../adapters/store/tasks/tasks.ts'
import type { Receiver, RejectReason, SkuQuantity } from '../../router/types.ts'
import type { Service } from '../context.ts'
import { commandEvent, hashed, insertCommand } from '../intake/commands.ts'
import { Waiting } from './waiting.ts'

// How long a hand-back waits for its decision before it answers anyway.
const decisionWaitMs = 5_000

export function warehouseRoutes(service: Service): JsonRoute[] {
  const { sql, reconciler } = service
  const waiting = new Waiting()
  return [
    implement(contract.pullTasks, async ({ params, body, signal }) => {
      const until = Date.now() + body.waitSeconds * 1000
      for (;;) {
        // Nobody is there any more to do what would be leased now.
        if (signal.aborted || service.stopping) return ok({ tasks: [] })
        const tasks = await pullTasks(sql, params.node, body.limit, body.leaseSeconds)
        if (signal.aborted) await endLeases(sql, tasks)
        if (tasks.length > 0 || Date.now() >= until) return ok({ tasks: tasks.map((t) => shown(service, t)) })
        if (!(await waiting.pause(until - Date.now()))) return ok({ tasks: [] })
      }
    }),
    implement(contract.acceptTask, async ({ params, body, caller }) => {
      const done = await acceptTask(sql, caller.node, params.taskId, body.fence)
      if (done.outcome !== 'accepted' && done.outcome !== 'already_accepted') throw refusal(done)
      return ok({ taskId: params.taskId, state: 'accepted', fence: body.fence, leaseUntil: null, intercepted: false })
    }),
    implement(contract.extendTask, async ({ params, body, caller }) => {
      const done = await extendLease(sql, caller.node, params.taskId, body.fence, body.leaseSeconds)
      if (done.outcome !== 'extended') throw refusal(done)
      const { leaseUntil, intercepted, state } = done
      return ok({ taskId: params.taskId, state, fence: body.fence, leaseUntil: leaseUntil.getTime(), intercepted })
    }),
    implement(contract.shipTask, async ({ params, body, caller, nowMs }) => {
      const packages = body.packages.map((p) => ({ ...p, shippedAt: nowMs }))
      const done = await shipTask(sql, caller.node, params.taskId, body.fence, packages)
      if (done.outcome !== 'shipped' && done.outcome !== 'partly_shipped' && done.outcome !== 'already_shipped')
        throw refusal(done)
      await reconciler.now([done.orderId])
      const state =
        done.outcome === 'already_shipped' ? done.state : done.outcome === 'shipped' ? 'shipped' : 'accepted'
      return ok({ taskId: params.taskId, state, fence: body.fence, leaseUntil: null, intercepted: false })
    }),
    implement(contract.rejectTask, async ({ params, body, caller }) => {
      await giveBackTask(service, caller.node, params.taskId, body.fence, {
        state: 'rejected',
        reason: body.reason,
        lines: body.lines ?? [],
      })
      return ok({ taskId: params.taskId, state: 'rejected', fence: body.fence, leaseUntil: null, intercepted: false })
    }),
    implement(contract.interceptTask, async ({ params, body, caller }) => {
      await giveBackTask(service, caller.node, params.taskId, body.fence, { state: 'intercepted' })
      return ok({ ok: true })
    }),
  ]
}

export type HowGivenBack =
  | { readonly state: 'rejected'; readonly reason: RejectReason; readonly lines: readonly SkuQuantity[] }
  | { readonly state: 'intercepted'; readonly lapsed?: true }

/** Durable when it returns, and as a rule decided: the units are released and what is still wanted is sourced again. */
async function giveBackTask(
  service: Service,
  node: string,
  taskId: string,
  fence: number,
  how: HowGivenBack,
): Promise<void> {
  const seq = await handBack(service, node, taskId, fence, how)
  if (seq !== null) await service.dispatch.decided(seq, decisionWaitMs)
}

/** For a task that was to be stopped and whose owner let the lease lapse. Durable when it returns, decided later. */
export async function takeBackLapsed(service: Service, node: string, taskId: string, fence: number): Promise<void> {
  await handBack(service, node, taskId, fence, { state: 'intercepted', lapsed: true })
}

/** Gives the number of the command that will be decided; null when it was given back before. */
async function handBack(
  { sql, dispatch }: Service,
  node: string,
  taskId: string,
  fence: number,
  how: HowGivenBack,
): Promise<string | null> {
  const why = how.state === 'rejected' ? how.reason : 'intercepted'
  const lines = how.state === 'rejected' ? how.lines : []
  const done = await giveBack(sql, node, taskId, fence, how, async (tx, order) => {
    const nowMs = Date.now()
    const event = commandEvent(order, { type: 'take_back', taskId, why, lines }, nowMs, `${taskId}.${fence}`)
    return { event, seq: await insertCommand(tx, hashed(event), dayOf(nowMs)) }
  })
  if (done.outcome === 'already_given_back') return null
  if (done.outcome !== 'given_back') throw refusal(done)
  const { event, seq } = done.command
  dispatch.push([{ ...event, seq, storedAtMs: Date.now() }])
  return seq
}

function shown({ catalog }: Service, task: PulledTask) {
  return {
    taskId: task.taskId,
    fence: task.fence,
    leaseUntil: task.leaseUntil.getTime(),
    state: task.state as 'pulled' | 'accepted',
    channel: task.channel,
    shop: task.shop,
    orderId: task.orderId,
    lines: task.lines
      .filter((l) => l.quantity > l.shipped)
      .map(({ sku, quantity, shipped }) => {
        const name = catalog.current.sku(sku)?.name
        return { sku, quantity: quantity - shipped, ...(name === undefined ? {} : { name }) }
      }),
    receiver: addressee(task.receiver),
    ...(task.buyerMessage ? { buyerMessage: task.buyerMessage } : {}),
    shipBy: task.shipBy === null ? null : Number(task.shipBy),
    ...(task.intercepted ? { intercepted: true } : {}),
  }
}

/** What a parcel's label needs. */
function addressee(receiver: Receiver | null) {
  const { name = '', phone = '', province = '', city = '', district = '', town = '' } = receiver ?? {}
  const { street = '', postalCode = '', oaid = '' } = receiver ?? {}
  return { name, phone, province, city, district, town, street, postalCode, oaid }
}

function refusal(refused: TaskRefusal): ApiError {
  switch (refused.outcome) {
    case 'unknown_task':
      return new ApiError('not_found')
    case 'stale_fence':
      return new ApiError('stale_fence')
    case 'lease_lapsed':
      return new ApiError('lease_lapsed')
    case 'wrong_state':
      return new ApiError('wrong_task_state', `The task is ${refused.state}. Pull to see what is yours to do.`)
    case 'intercepted':
      return new ApiError('intercept_requested')
    case 'not_intercepted':
      return new ApiError('nothing_to_intercept')
    case 'lines_do_not_match':
      return new ApiError(
        'lines_do_not_match',
        `SKU ${refused.sku} or its quantity does not fit the task. Send at most what it holds.`,
      )
    case 'waybill_used_for_other_lines':
      return new ApiError(
        'conflict',
        `Waybill ${refused.waybill} was told before with other lines. Use one waybill a package.`,
      )
  }
}
