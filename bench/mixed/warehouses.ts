/**
 * Warehouses and stores at work: each pulls what it has, hands some of it back, ships the rest, and its carrier reports
 * the parcel. Some buyers cancel while the task is in hand: then it is intercepted.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { DemoNetwork, DemoNode } from '../../workers/process/demo-network/network.ts'
import type { Client, PulledTask } from '../demo/client.ts'
import { encode } from '../traffic/encode.ts'
import { orderAt } from '../traffic/generator.ts'
import { kuaidi100Push } from '../traffic/kuaidi100.ts'
import type { TrafficPlan } from '../traffic/plan.ts'
import { indexOfOrder } from './order-index.ts'

export interface Shift {
  readonly client: Client
  readonly network: DemoNetwork
  readonly plan: TrafficPlan
  /** Told of every order of which a parcel left. */
  readonly shipped: (index: number) => void
  /** Told of every call: what was asked, how it was answered, how long that took. */
  readonly observe: (verb: string, status: number, ms: number) => void
}

// People that work at once, each going from node to node; the client has as many connections.
const hands = 16
const pullLimit = 20
// Longer than a task is ever in hand here.
const leaseSeconds = 120
const idleMs = 100
const pickingMs = 500
// One task in `rejectedEvery` is rejected; of one in `cancelledEvery` the buyer cancels the order while it is in hand.
const rejectedEvery = 50
const cancelledEvery = 10

/** Works until `signal`; what is in hand is finished. */
export async function work(shift: Shift, signal: AbortSignal): Promise<void> {
  let next = 0
  let idle = 0
  let handled = 0
  const { nodes } = shift.network
  const oneHand = async (): Promise<void> => {
    while (!signal.aborted) {
      const done = await visit(shift, nodes[next++ % nodes.length]!, () => handled++)
      idle = done === 0 ? idle + 1 : 0
      // Once around and nothing anywhere: the next order is on its way.
      if (idle >= nodes.length) await delay(idleMs, undefined, { signal }).catch(() => undefined)
    }
  }
  await Promise.all(Array.from({ length: hands }, oneHand))
}

async function visit(shift: Shift, node: DemoNode, count: () => number): Promise<number> {
  const path = `/v1/nodes/${encodeURIComponent(node.node)}/tasks/pull`
  const pulled = await ask(shift, 'pull', node, path, { limit: pullLimit, leaseSeconds })
  if (pulled.status !== 200) return 0
  const { tasks } = JSON.parse(pulled.text) as { readonly tasks: readonly PulledTask[] }
  for (const task of tasks) await handle(shift, node, task, count())
  return tasks.length
}

async function handle(shift: Shift, node: DemoNode, task: PulledTask, count: number): Promise<void> {
  const { fence } = task
  if (task.intercepted === true) {
    await verb(shift, 'intercept', node, task, { fence })
    return
  }
  if (count % rejectedEvery === rejectedEvery - 1) {
    await verb(shift, 'reject', node, task, {
      fence,
      reason: count % (2 * rejectedEvery) < rejectedEvery ? 'damaged' : 'overloaded',
    })
    return
  }
  if (count % cancelledEvery === 0) await cancelByBuyer(shift, task)
  const accepted = await verb(shift, 'accept', node, task, { fence })
  const parcel = parcelOf(task)
  const left = accepted === 200 ? await verb(shift, 'ship', node, task, { fence, packages: [parcel] }) : accepted
  // The buyer was faster: the parcel is stopped.
  if (left === 409) await verb(shift, 'intercept', node, task, { fence })
  if (left !== 200) return
  const index = indexOfOrder(task.channel, task.orderId)
  if (index !== null) shift.shipped(index)
  await track(shift, parcel, 'collected', Date.now() - 60_000)
  await track(shift, parcel, 'signed', Date.now())
}

async function cancelByBuyer({ client, plan, observe }: Shift, task: PulledTask): Promise<void> {
  const index = indexOfOrder(task.channel, task.orderId)
  // WeChat's stand-in shows every order as its story leaves it.
  if (index === null || task.channel === 'wechat') return
  const started = performance.now()
  const { status } = await client.send(encode(orderAt(plan, index), 'closed', Date.now()))
  observe('cancel', status, performance.now() - started)
  // It is decided while the goods are still being picked.
  await delay(pickingMs)
}

async function verb(shift: Shift, name: string, node: DemoNode, task: PulledTask, body: unknown): Promise<number> {
  return (await ask(shift, name, node, `/v1/tasks/${encodeURIComponent(task.taskId)}/${name}`, body)).status
}

async function ask({ client, observe }: Shift, name: string, node: DemoNode, path: string, body: unknown) {
  const started = performance.now()
  const answer = await client.asNode(node.apiKey, path, body)
  observe(name, answer.status, performance.now() - started)
  return answer
}

interface Parcel {
  readonly carrier: string
  readonly waybill: string
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
}

function parcelOf({ taskId, lines }: PulledTask): Parcel {
  const waybill = `SF${taskId.padStart(14, '0')}`
  return { carrier: 'SF', waybill, lines: lines.map(({ sku, quantity }) => ({ sku, quantity })) }
}

async function track(
  { client, network, observe }: Shift,
  { waybill }: Parcel,
  state: 'collected' | 'signed',
  atMs: number,
): Promise<void> {
  const { account, salt } = network.kuaidi100
  const started = performance.now()
  const { status } = await client.send(kuaidi100Push({ account, salt, carrier: 'shunfeng', waybill, state, atMs }))
  observe('track', status, performance.now() - started)
}
