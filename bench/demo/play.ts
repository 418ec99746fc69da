/** What every chapter of the demo works with: the players, the clients, and which claims held so far. */
import type { OrderKey } from '../../router/types.ts'
import type { EventName } from '../traffic/events.ts'
import type { Part } from './cast.ts'
import { type Answer, type Client, DemoStopped, type OrderView, orderPath } from './client.ts'
import type { Limited } from './limited.ts'
import type { Paper } from './paper.ts'
import type { Stage } from './stage.ts'
import type { StockBook } from './stock-book.ts'
import type { StoryOrder } from './story-order.ts'
import type { WechatShop } from './wechat-process.ts'

export interface Play {
  readonly stage: Stage
  readonly client: Client
  readonly wechat: WechatShop
  readonly paper: Paper
  readonly orders: Orders
  readonly limited: Limited
  readonly stock: StockBook
  readonly counts: Counts
  readonly broken: string[]
}

export interface Orders {
  readonly parts: Readonly<Record<Part, StoryOrder>>
  readonly samples: Readonly<Record<'tmall' | 'jd' | 'wechat' | 'presale', StoryOrder>>
  readonly plain: readonly StoryOrder[]
}

export interface Counts {
  /** Requests to the platforms' doors, refused ones included. */
  webhooks: number
  tracks: number
  claims: number
  pulled: number
  parcels: number
}

/** Every order that the service is to know: all but the one whose signature is forged. */
export function allOrders({ parts, samples, plain }: Orders): StoryOrder[] {
  const { forged: _, ...known } = parts
  return [...Object.values(samples), ...plain, ...Object.values(known)]
}

export function claim(play: Play, kept: boolean, sentence: string, found?: string): void {
  play.counts.claims += 1
  if (!kept) play.broken.push(found === undefined ? sentence : `${sentence}, but ${found}`)
  play.paper.claim(kept, sentence, found)
}

/** As the platform sends it, signed now. WeChat's API is told first: a push only says that there is something to fetch. */
export async function send(play: Play, order: StoryOrder, event: EventName): Promise<Answer> {
  if (order.channel === 'wechat' && order !== play.orders.samples.wechat)
    await play.wechat.advance(order.orderId, event)
  play.counts.webhooks += 1
  return await play.client.send(order.request(event, Date.now()))
}

const acknowledgements: Readonly<Record<OrderKey['channel'], RegExp>> = {
  tmall: /^\{"success":true\}$/,
  jd: /^\{"code":"0"/,
  wechat: /^success$/,
}

/** Sends, and does not go on when the platform's own word of acknowledgement does not come back. */
export async function sendAcknowledged(play: Play, order: StoryOrder, event: EventName): Promise<void> {
  const { status, text } = await send(play, order, event)
  if (status === 200 && acknowledgements[order.channel].test(text)) return
  throw new DemoStopped(
    `${event} of ${nameOf(order)} was not acknowledged: ${status} ${text.slice(0, 200)}. ` +
      'Is this the demo network? DATA_DIR=/tmp/paidan-demo npm start begins with a fresh one.',
  )
}

export function nameOf({ channel, orderId }: Pick<StoryOrder, 'channel' | 'orderId'>): string {
  return `${channel} ${orderId}`
}

export function keyOf({ channel, shop, orderId }: StoryOrder): OrderKey {
  return { channel, shop: shop.shop, orderId }
}

export async function look(play: Play, order: StoryOrder): Promise<OrderView> {
  return await play.client.operate<OrderView>('GET', orderPath(keyOf(order)))
}

// A decision takes milliseconds, a change in the sweep seconds; a machine that is busy with tests takes its time.
const patienceMs = 20_000
// A view costs more than the decision that it waits for, so the looks grow rarer.
const lookAgainMs = 30
const lookAgainMsMax = 400

/** Looks until the order is so. Stops the demo when it does not become so. */
export async function until(
  play: Play,
  order: StoryOrder,
  what: string,
  isSo: (view: OrderView) => boolean,
): Promise<OrderView> {
  const { client } = play
  let last = 'it was never seen'
  let pauseMs = lookAgainMs
  for (const end = Date.now() + patienceMs; Date.now() < end; ) {
    // 404 until the first event is decided.
    const view = await lookOrNull(client, order)
    if (view !== null && isSo(view)) return view
    if (view !== null) last = describe(view)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    pauseMs = Math.min(pauseMs * 1.6, lookAgainMsMax)
  }
  throw new DemoStopped(`${nameOf(order)} was to be ${what} within ${patienceMs / 1000} s, but ${last}.`)
}

/** null: the service knows no such order (yet). */
export async function lookOrNull(client: Client, order: StoryOrder): Promise<OrderView | null> {
  try {
    return await client.operate<OrderView>('GET', orderPath(keyOf(order)))
  } catch (error) {
    if (error instanceof DemoStopped && error.status === 404) return null
    throw error
  }
}

function describe(view: OrderView): string {
  const holds = view.holds.map((hold) => hold.rule)
  const tasks = view.tasks.map((task) => `${task.node} ${task.state}`)
  const exceptions = view.reconciliation?.exceptions.map((exception) => exception.kind) ?? []
  return [`it is ${view.state}`, ...holds, ...tasks, ...exceptions].join(', ')
}

const liveStates: readonly string[] = ['ready', 'pulled', 'accepted']

export function liveTasks(view: OrderView) {
  return view.tasks.filter((task) => liveStates.includes(task.state))
}

export function nodeName(play: Play, node: string): string {
  return play.stage.network.nodes.find((known) => known.node === node)?.name ?? node
}

/** Where the order's live tasks are, in the order of their numbers. */
export function places(play: Play, view: OrderView, between = ' + '): string {
  return liveTasks(view)
    .map((task) => nodeName(play, task.node))
    .join(between)
}
