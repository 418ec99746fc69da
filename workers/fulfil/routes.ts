/** A warehouse's verbs as HTTP endpoints. */

import { ApiError } from '../../adapters/http/errors.ts'
import { implement, type JsonRoute, ok } from '../../adapters/http/route.ts'
import { contract } from '../../adapters/http/v1/contract.ts'
import type { PulledTask } from '../../adapters/store/tasks/tasks.ts'
import type { TaskRefusal } from '../../router/task.ts'
import type { Receiver, Sku } from '../../router/types.ts'
import {
  accept,
  type Claim,
  confirmIntercept,
  extend,
  type FulfilContext,
  pull,
  reject,
  ship,
  type UnitsInHand,
} from './verbs.ts'

export interface WarehouseContext extends FulfilContext {
  readonly skuOf: (sku: string) => Sku | undefined
}

export function warehouseRoutes(context: WarehouseContext): JsonRoute[] {
  return [
    implement(contract.pullTasks, async ({ params, body, signal }) => {
      const tasks = await pull(context, params.node, body, signal)
      return ok({ tasks: tasks.map((t) => shown(context, t)) })
    }),
    implement(contract.acceptTask, async ({ params, body, caller }) => {
      const claim = claimOf(caller.node, params, body)
      const done = await accept(context, claim, body.change)
      if (done.outcome !== 'accepted' && done.outcome !== 'already_accepted') throw refusal(done)
      return ok({ ...answerTo(claim), state: 'accepted', leaseUntil: done.leaseUntil.getTime() })
    }),
    implement(contract.extendTask, async ({ params, body, caller }) => {
      const claim = claimOf(caller.node, params, body)
      const done = await extend(context, claim, body.leaseSeconds)
      if (done.outcome !== 'extended') throw refusal(done)
      const { leaseUntil, intercepted, change, state } = done
      const news = change === null ? {} : { change }
      return ok({ ...answerTo(claim), state, leaseUntil: leaseUntil.getTime(), intercepted, ...news })
    }),
    implement(contract.shipTask, async ({ params, body, caller }) => {
      const claim = claimOf(caller.node, params, body)
      const done = await ship(context, claim, body.packages, wordsOf(body))
      switch (done.outcome) {
        case 'shipped':
          return ok({ ...answerTo(claim), state: 'shipped' })
        case 'partly_shipped':
          return ok({ ...answerTo(claim), state: 'accepted', leaseUntil: done.leaseUntil?.getTime() ?? null })
        case 'already_shipped':
          return ok({ ...answerTo(claim), state: done.state, leaseUntil: done.leaseUntil?.getTime() ?? null })
        default:
          throw refusal(done)
      }
    }),
    implement(contract.rejectTask, async ({ params, body, caller }) => {
      const claim = claimOf(caller.node, params, body)
      const done = await reject(context, claim, body.reason, body.lines ?? [], body.note ?? '')
      if (done.outcome !== 'given_back' && done.outcome !== 'already_given_back') throw refusal(done)
      return ok({ ...answerTo(claim), state: 'rejected' })
    }),
    implement(contract.interceptTask, async ({ params, body, caller }) => {
      const done = await confirmIntercept(context, claimOf(caller.node, params, body), body.note ?? '')
      if (done.outcome !== 'given_back' && done.outcome !== 'already_given_back') throw refusal(done)
      return ok({ ok: true })
    }),
  ]
}

function claimOf(node: string, params: { readonly taskId: string }, body: { readonly fence: number }): Claim {
  return { node, taskId: params.taskId, fence: body.fence }
}

function wordsOf({ alreadyGone = false, change }: { alreadyGone?: boolean | undefined; change?: number | undefined }) {
  return { alreadyGone, ...(change === undefined ? {} : { change }) }
}

function answerTo({ taskId, fence }: Claim) {
  return { taskId, fence, leaseUntil: null, intercepted: false }
}

function shown({ skuOf }: WarehouseContext, task: PulledTask) {
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
        const name = skuOf(sku)?.name
        return { sku, quantity: quantity - shipped, ...(name === undefined ? {} : { name }) }
      }),
    receiver: addressee(task.receiver),
    ...(task.buyerMessage ? { buyerMessage: task.buyerMessage } : {}),
    shipBy: task.shipBy === null ? null : Number(task.shipBy),
    ...(task.intercepted ? { intercepted: true } : {}),
    ...(task.change === null ? {} : { change: task.change }),
  }
}

/** What a parcel's label needs. */
function addressee(receiver: Receiver | null) {
  const { name = '', phone = '', province = '', city = '', district = '', town = '' } = receiver ?? {}
  const { street = '', postalCode = '', oaid = '' } = receiver ?? {}
  return { name, phone, province, city, district, town, street, postalCode, oaid }
}

function refusal(refused: TaskRefusal | UnitsInHand): ApiError {
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
    case 'changed':
      return new ApiError(
        'task_changed',
        `The receiver changed after the pull. Pull again for the new label, and send "change": ${refused.change} with accept or ship; or reject the task.`,
      )
    case 'not_intercepted':
      return new ApiError('nothing_to_intercept')
    case 'lines_do_not_match':
      return new ApiError(
        'lines_do_not_match',
        `SKU ${refused.sku} or its quantity does not fit the task. Send at most what it holds.`,
      )
    case 'units_in_hand':
      return new ApiError('units_in_hand')
    case 'waybill_used_for_other_lines':
      return new ApiError(
        'conflict',
        `Waybill ${refused.waybill} was told before with other lines. Use one waybill a package.`,
      )
  }
}
