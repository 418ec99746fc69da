/** For tests: a warehouse or store that works on its tasks over HTTP. The answers are checked against the contract. */
import type { z } from 'zod'
import { contract } from '../../../adapters/http/v1/contract.ts'
import type { SkuQuantity } from '../../../router/types.ts'
import type { Client, Told } from './client.ts'
import { type NodeName, nodes } from './network.ts'
import type { TestOrder } from './orders.ts'

const pulledTasks = contract.pullTasks.answers[200]
export type PulledTask = z.infer<typeof pulledTasks>['tasks'][number]

export class Warehouse {
  readonly #client: Client
  readonly #node: NodeName

  constructor(client: Client, node: NodeName) {
    this.#client = client
    this.#node = node
  }

  async pull(leaseSeconds = 300): Promise<readonly PulledTask[]> {
    const told = await this.#ask(`/v1/nodes/${this.#node}/tasks/pull`, { limit: 500, leaseSeconds })
    if (told.status !== 200) throw new Error(`pull: ${told.status} ${told.text}`)
    return pulledTasks.parse(told.json).tasks
  }

  async pullAllOf(order: TestOrder, leaseSeconds?: number): Promise<readonly PulledTask[]> {
    return (await this.pull(leaseSeconds)).filter((t) => t.orderId === order.orderId)
  }

  /** The one task of an order that this pull gives. */
  async pullFor(order: TestOrder, leaseSeconds?: number): Promise<PulledTask> {
    const tasks = await this.pullAllOf(order, leaseSeconds)
    if (tasks.length !== 1) throw new Error(`${tasks.length} tasks of ${order.orderId} at ${this.#node}`)
    return tasks[0]!
  }

  /** `change`: what changed after the pull and is taken with this. */
  accept({ taskId, fence }: PulledTask, change?: number): Promise<Told> {
    return this.#ask(`/v1/tasks/${taskId}/accept`, { fence, ...(change === undefined ? {} : { change }) })
  }

  /** All that the task still asks for, in one package, unless `lines` says less. */
  ship(
    task: PulledTask,
    waybill: string,
    lines: readonly SkuQuantity[] = linesOf(task),
    words: { readonly alreadyGone?: boolean; readonly change?: number; readonly carrier?: string } = {},
  ): Promise<Told> {
    const { taskId, fence } = task
    const { carrier = 'SF', ...others } = words
    return this.#ask(`/v1/tasks/${taskId}/ship`, { fence, packages: [{ carrier, waybill, lines }], ...others })
  }

  correctParcel({ taskId }: PulledTask, waybill: string, right: string, carrier = 'SF'): Promise<Told> {
    const to = { carrier: 'SF', waybill: right }
    return this.#ask(`/v1/tasks/${taskId}/parcels/correct`, { carrier, waybill, to })
  }

  voidParcel({ taskId }: PulledTask, waybill: string): Promise<Told> {
    return this.#ask(`/v1/tasks/${taskId}/parcels/void`, { carrier: 'SF', waybill })
  }

  reject({ taskId, fence }: PulledTask, reason: string, lines?: readonly SkuQuantity[]): Promise<Told> {
    return this.#ask(`/v1/tasks/${taskId}/reject`, { fence, reason, ...(lines === undefined ? {} : { lines }) })
  }

  extend({ taskId, fence }: PulledTask, leaseSeconds: number): Promise<Told> {
    return this.#ask(`/v1/tasks/${taskId}/extend`, { fence, leaseSeconds })
  }

  intercept({ taskId, fence }: PulledTask): Promise<Told> {
    return this.#ask(`/v1/tasks/${taskId}/intercept`, { fence })
  }

  #ask(path: string, body: unknown): Promise<Told> {
    return this.#client.ask('POST', path, { token: nodes[this.#node].apiKey, body })
  }
}

export function linesOf(task: PulledTask): SkuQuantity[] {
  return task.lines.map(({ sku, quantity }) => ({ sku, quantity }))
}
