/**
 * The warehouses: pull, accept, ship, in one package or two; some reject, some fall silent, all confirm what is to be
 * stopped. A warehouse that ships asks again until it knows whether the shipment counts, as a person with the parcel in
 * hand does.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../../adapters/shared/seeded-random.ts'
import type { SkuQuantity } from '../../router/types.ts'
import { apiKeyOf } from '../../workers/faults/testing/network.ts'
import type { Book } from './book.ts'
import { type Clients, jsonRequest } from './clients.ts'

export interface WarehouseWorld {
  readonly clients: Clients
  readonly book: Book
}

interface Pulled {
  readonly taskId: string
  readonly fence: number
  readonly channel: string
  readonly shop: string
  readonly orderId: string
  readonly lines: readonly SkuQuantity[]
  readonly intercepted?: boolean
}

// Each pulls ten times a second, twenty times as often as tasks come: no task waits long, and the cores stay free.
const idleMs = 100
const againMs = 25
const pullersPerNode = 2
// The shortest lease that the API takes: another puller gets the task of a silent one within the run.
const leaseSecondsMin = 5
const leaseSecondsMax = 9

/** `careful`: no warehouse rejects or falls silent, so that all work comes to its end. */
export async function workShelves(
  world: WarehouseWorld,
  nodes: readonly string[],
  random: Random,
  { goOn, careful }: { readonly goOn: () => boolean; readonly careful: boolean },
): Promise<void> {
  const work = async (node: string): Promise<void> => {
    while (goOn()) {
      const tasks = await pull(world, node, random)
      world.book.pulled += tasks.length
      await Promise.all(tasks.map((task) => handle(world, node, task, careful ? 'ship' : habit(random), random)))
      await delay(idleMs)
    }
  }
  await Promise.all(nodes.flatMap((node) => Array.from({ length: pullersPerNode }, () => work(node))))
}

type Habit = 'ship' | 'ship_at_once' | 'ship_in_two' | 'reject' | 'fall_silent'
const habits: readonly (readonly [Habit, number])[] = [
  ['ship', 84],
  ['ship_at_once', 6],
  ['ship_in_two', 5],
  ['reject', 2],
  ['fall_silent', 3],
]
const habitDeck = habits.flatMap(([habit, share]) => Array.from({ length: share }, () => habit))
const habit = (random: Random): Habit => random.pick(habitDeck)

async function pull({ clients, book }: WarehouseWorld, node: string, random: Random): Promise<readonly Pulled[]> {
  const wish = { limit: random.between(1, 8), leaseSeconds: random.between(leaseSecondsMin, leaseSecondsMax) }
  const answer = await clients.ask(jsonRequest(`/v1/nodes/${node}/tasks/pull`, wish), apiKeyOf(node))
  if (answer === null) return []
  if (answer.status === 200) return (JSON.parse(answer.body) as { tasks: Pulled[] }).tasks
  if (answer.status !== 503) book.wonder(`pull at ${node}`, answer)
  return []
}

async function handle(world: WarehouseWorld, node: string, task: Pulled, how: Habit, random: Random): Promise<void> {
  const { book } = world
  const { taskId, fence, lines } = task
  const orderKey = `${task.channel}/${task.shop}/${task.orderId}`
  const ask = (verb: string, body: object) => insist(world, node, `/v1/tasks/${taskId}/${verb}`, { fence, ...body })
  if (task.intercepted === true) {
    if (await ask('intercept', {})) book.intercepted.add(taskId)
    return
  }
  if (how === 'fall_silent') return
  if (how === 'reject') {
    const entry = book.orders.get(orderKey)
    // Before it is known: an answer that is lost has counted all the same.
    if (entry !== undefined) entry.rejected = true
    await ask('reject', { reason: 'overloaded' })
    return
  }
  if (how !== 'ship_at_once' && !(await ask('accept', {}))) return
  const parts = how === 'ship_in_two' && lines.length > 1 ? [lines.slice(0, 1), lines.slice(1)] : [lines]
  for (const [i, part] of parts.entries()) {
    const waybill = `${taskId}-${fence}-${i}`
    const packed = part.map(({ sku, quantity }) => ({ sku, quantity }))
    if (!(await ask('ship', { packages: [{ carrier: 'SF', waybill, lines: packed }] }))) return
    book.ship({ taskId, orderKey, node }, waybill, packed)
    await delay(random.below(idleMs))
  }
}

// What a warehouse may be told: it was too late, or the buyer was quicker.
const refusals = new Set([
  'not_found',
  'stale_fence',
  'lease_lapsed',
  'wrong_task_state',
  'intercept_requested',
  'task_changed',
])

/** Asks until it is told yes or no. */
async function insist({ clients, book }: WarehouseWorld, node: string, path: string, body: object): Promise<boolean> {
  for (;;) {
    const answer = await clients.ask(jsonRequest(path, body), apiKeyOf(node))
    if (answer?.status === 200) return true
    if (answer !== null && answer.status !== 503) {
      const { error } = JSON.parse(answer.body) as { error?: { code?: string } }
      if (!refusals.has(error?.code ?? '')) book.wonder(`${path.split('/').at(-1)} at ${node}`, answer)
      return false
    }
    await delay(againMs)
  }
}
