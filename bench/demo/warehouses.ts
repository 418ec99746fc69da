/** Third chapter: every warehouse and store asks for its work with its own key, refuses some, and ships the rest. */
import { type Answer, DemoStopped, type OrderView, type PulledTask } from './client.ts'
import { allOrders, claim, liveTasks, look, nodeName, type Play, sendAcknowledged, until } from './play.ts'
import { enter, rowAt } from './stock-book.ts'
import type { StoryOrder } from './story-order.ts'

/** How much each node did. */
export interface Work {
  pulled: number
  parcels: number
  units: number
  rejected: number
  intercepted: number
}

export interface Parcel {
  readonly order: StoryOrder
  readonly carrier: string
  readonly waybill: string
}

export interface Shipped {
  readonly work: ReadonlyMap<string, Work>
  readonly parcels: readonly Parcel[]
}

interface Held {
  readonly node: string
  readonly task: PulledTask
}

// Longer than any demo; what else was pulled on the way is offered again after it.
const leaseSeconds = 90
const pullLimit = 500
/** Pulls at one node: 100,000 tasks of others that wait before ours. */
const pullsMax = 200
const lookAgainMs = 150

export async function warehouses(play: Play): Promise<Shipped> {
  const { paper, orders } = play
  paper.chapter('Warehouses and stores pull their work', '仓店作业')
  const work = new Map<string, Work>()
  const held = await pullAll(play, work, allOrders(orders))
  const nodes = new Set([...held.values()].map(({ node }) => node))
  claim(
    play,
    held.size > 0,
    `${nodes.size} warehouses and stores pulled ${held.size} tasks (领取), each with its own key, lease and fence.`,
  )
  await foreignKey(play, [...held.values()][0]!)
  await interceptOne(play, work, held)
  await rejectOne(play, work, held)
  const parcels = await shipAll(play, work, held)
  claim(play, parcels.length === held.size, `${parcels.length} parcels left, each under a waybill of its own (发货).`)
  return { work, parcels }
}

function workOf(work: Map<string, Work>, node: string): Work {
  const known = work.get(node) ?? { pulled: 0, parcels: 0, units: 0, rejected: 0, intercepted: 0 }
  work.set(node, known)
  return known
}

function keyOf(play: Play, node: string): string {
  return play.stage.network.nodes.find((known) => known.node === node)!.apiKey
}

/** All live tasks of these orders, by task id. */
async function pullAll(play: Play, work: Map<string, Work>, orders: readonly StoryOrder[]): Promise<Map<string, Held>> {
  const views = await Promise.all(orders.map((order) => look(play, order)))
  const wanted = new Map<string, Set<string>>()
  for (const task of views.flatMap(liveTasks)) {
    wanted.set(task.node, (wanted.get(task.node) ?? new Set()).add(task.taskId))
  }
  const held = new Map<string, Held>()
  await Promise.all(
    [...wanted].map(async ([node, taskIds]) => {
      for (const task of await pullUntil(play, node, taskIds)) held.set(task.taskId, { node, task })
      workOf(work, node).pulled += taskIds.size
      play.counts.pulled += taskIds.size
    }),
  )
  return held
}

/** Pulls until all of these have come; work of others that comes before them is left to lapse. */
async function pullUntil(play: Play, node: string, taskIds: ReadonlySet<string>): Promise<PulledTask[]> {
  const mine: PulledTask[] = []
  for (let pulls = 0; pulls < pullsMax; pulls++) {
    const body = { limit: pullLimit, leaseSeconds }
    const answer = await asNode(play, node, `/v1/nodes/${encodeURIComponent(node)}/tasks/pull`, body)
    const { tasks } = expect200<{ tasks: PulledTask[] }>(answer, `the pull of ${node}`)
    mine.push(...tasks.filter((task) => taskIds.has(task.taskId)))
    if (mine.length === taskIds.size) return mine
    if (tasks.length === 0) await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
  }
  throw new DemoStopped(`${node} was not offered ${taskIds.size - mine.length} of its ${taskIds.size} tasks.`)
}

async function asNode(play: Play, node: string, path: string, body: unknown): Promise<Answer> {
  return await play.client.asNode(keyOf(play, node), path, body)
}

function expect200<T>({ status, text }: Answer, what: string): T {
  if (status !== 200) throw new DemoStopped(`${what} was answered with ${status}: ${text.slice(0, 200)}`)
  return JSON.parse(text) as T
}

function verb(taskId: string, name: string): string {
  return `/v1/tasks/${encodeURIComponent(taskId)}/${name}`
}

async function foreignKey(play: Play, { node, task }: Held): Promise<void> {
  const other = play.stage.network.nodes.find((known) => known.node !== node)!
  const body = { fence: task.fence }
  const { status } = await play.client.asNode(other.apiKey, verb(task.taskId, 'accept'), body)
  claim(
    play,
    status === 404,
    `${other.name} asks about a task of ${nodeName(play, node)}: 404, it is not theirs to know.`,
  )
}

/** The buyer wants the money back while the warehouse has the task in hand. */
async function interceptOne(play: Play, work: Map<string, Work>, held: Map<string, Held>): Promise<void> {
  const order = play.orders.parts.pulledRefund
  const { node, task } = ofOrder(held, await look(play, order))
  const { sku, quantity } = task.lines[0]!
  const before = await rowAt(play.client, node, sku)
  await sendAcknowledged(play, order, 'refund_requested')
  await sendAcknowledged(play, order, 'refund_success')
  await until(play, order, 'flagged for intercept', (view) => view.tasks.some((t) => t.interceptRequested === true))
  const [flagged] = await pullUntil(play, node, new Set([task.taskId]))
  const parcel = packageOf(play, flagged!)
  const refused = await asNode(play, node, verb(task.taskId, 'ship'), { fence: task.fence, packages: [parcel] })
  claim(
    play,
    flagged!.intercepted === true && refused.status === 409 && refused.text.includes('intercept_requested'),
    `A refund comes while ${nodeName(play, node)} has the task: its next call says intercept (拦截), and ship is refused with 409.`,
    `${refused.status} ${refused.text}`,
  )
  expect200(await asNode(play, node, verb(task.taskId, 'intercept'), { fence: task.fence }), 'the intercept')
  await until(play, order, 'cancelled', (view) => view.state === 'cancelled')
  const after = await rowAt(play.client, node, sku)
  claim(
    play,
    before !== undefined && after?.reserved === before.reserved - quantity && after.onHand === before.onHand,
    `It puts the goods back and says so: ${before?.reserved} → ${after?.reserved} reserved, nothing left the house.`,
  )
  held.delete(task.taskId)
  workOf(work, node).intercepted += 1
}

/** The house that was to ship the kettle finds it broken. */
async function rejectOne(play: Play, work: Map<string, Work>, held: Map<string, Held>): Promise<void> {
  const order = play.orders.parts.rejected
  const { node, task } = ofOrder(held, await look(play, order))
  const answer = await asNode(play, node, verb(task.taskId, 'reject'), { fence: task.fence, reason: 'damaged' })
  expect200(answer, 'the reject')
  enter(play.stock.writtenOff, play.limited.sku.kettle, 1)
  held.delete(task.taskId)
  workOf(work, node).rejected += 1
  const view = await until(play, order, 'sourced elsewhere', (v) => liveTasks(v).some((t) => t.node !== node))
  const elsewhere = liveTasks(view)[0]!.node
  const left = await rowAt(play.client, node, play.limited.sku.kettle)
  claim(
    play,
    left?.onHand === 0 && liveTasks(view).length === 1,
    `${nodeName(play, node)} finds the kettle broken and refuses (拒单): written off there, re-sourced to ${nodeName(play, elsewhere)} (转单).`,
  )
  for (const [taskId, more] of await pullAll(play, work, [order])) held.set(taskId, more)
}

function ofOrder(held: ReadonlyMap<string, Held>, view: OrderView): Held {
  const mine = liveTasks(view).map((task) => held.get(task.taskId))[0]
  if (mine === undefined) throw new DemoStopped(`${view.channel} ${view.orderId} has no task that was pulled.`)
  return mine
}

async function shipAll(play: Play, work: Map<string, Work>, held: ReadonlyMap<string, Held>): Promise<Parcel[]> {
  const byId = new Map(allOrders(play.orders).map((order) => [`${order.channel} ${order.orderId}`, order]))
  return await Promise.all(
    [...held.values()].map(async ({ node, task }) => {
      const { taskId, fence, channel, orderId } = task
      expect200(await asNode(play, node, verb(taskId, 'accept'), { fence }), 'the accept')
      const parcel = packageOf(play, task)
      expect200(await asNode(play, node, verb(taskId, 'ship'), { fence, packages: [parcel] }), 'the ship')
      const done = workOf(work, node)
      done.parcels += 1
      for (const line of task.lines) done.units += line.quantity
      return { order: byId.get(`${channel} ${orderId}`)!, carrier: parcel.carrier, waybill: parcel.waybill }
    }),
  )
}

/** All of a task in one parcel. Warehouses write the carrier as they like; stores here send with ZTO. */
function packageOf(play: Play, task: PulledTask) {
  play.counts.parcels += 1
  const number = `${play.stage.run}${String(play.counts.parcels).padStart(4, '0')}`
  return {
    carrier: play.counts.parcels % 3 === 0 ? 'ZTO' : 'SF',
    waybill: `${play.counts.parcels % 3 === 0 ? 'ZT' : 'SF'}${number}`,
    lines: task.lines.map(({ sku, quantity }) => ({ sku, quantity })),
  }
}
