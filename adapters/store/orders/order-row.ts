/**
 * An order as a row: what is asked for in SQL has its own column, the rest of router/types `Order` is one json body.
 *
 * The body is written for every order and read for few, so what says nothing is left out of it: fields that hold what
 * they nearly always hold, and what the columns say already. Reading puts them back.
 */
import type {
  Allocation,
  ChannelName,
  Item,
  Order,
  OrderSnapshot,
  OrderState,
  Receiver,
  SnapshotLine,
} from '../../../router/types.ts'

export interface OrderRow {
  readonly id: string
  readonly channel: string
  readonly shop: string
  readonly order_id: string
  readonly version: number
  readonly state: string
  readonly body: OrderBody
  readonly items: readonly Item[]
  readonly allocations: readonly Allocation[]
}

const usualOrder = {
  snapshot: null,
  refunds: [],
  holds: [],
  overruled: [],
  cancelledBy: null,
  lineWords: [],
  excludedNodes: [],
  taskCount: 0,
  attempt: 0,
} satisfies Partial<Order>

const usualSnapshot = {
  paidAt: null,
  fetchNumber: 0,
  shipBy: null,
  freightFen: 0,
  buyerId: '',
  buyerMessage: '',
  sellerMemo: '',
  sellerFlag: 0,
  addressUnderReview: false,
  presale: null,
  transactionId: null,
} satisfies Partial<OrderSnapshot>

const usualLine = { gift: false, giftOf: null, refund: 'none', readyAt: null } satisfies Partial<SnapshotLine>

const usualReceiver = {
  name: '',
  phone: '',
  province: '',
  city: '',
  district: '',
  town: '',
  street: '',
  postalCode: '',
  oaid: '',
  adcode: null,
  point: null,
} satisfies Receiver

type Lean<T, Usual> = Omit<T, keyof Usual> & Partial<Pick<T, keyof Usual & keyof T>>

export type ReceiverBody = Partial<Receiver>
type LineBody = Lean<SnapshotLine, typeof usualLine>
type SnapshotBody = Omit<
  Lean<OrderSnapshot, typeof usualSnapshot>,
  'type' | 'channel' | 'shop' | 'orderId' | 'lines' | 'receiver'
> & { readonly lines: readonly LineBody[]; readonly receiver: ReceiverBody }
export type OrderBody = Omit<Partial<Pick<Order, keyof typeof usualOrder>>, 'snapshot'> & {
  readonly snapshot?: SnapshotBody
}

/** The columns that `orderFromRow` reads. */
export const orderColumns = [
  'id',
  'channel',
  'shop',
  'order_id',
  'version',
  'state',
  'body',
  'items',
  'allocations',
] as const

export function orderFromRow(row: OrderRow): Order {
  const { snapshot, ...body } = row.body
  const key = { channel: row.channel as ChannelName, shop: row.shop, orderId: row.order_id }
  return {
    ...usualOrder,
    ...body,
    snapshot: snapshot === undefined ? null : snapshotOf(key, snapshot),
    ...key,
    id: row.id,
    version: row.version,
    state: row.state as OrderState,
    items: row.items,
    allocations: row.allocations,
  }
}

function snapshotOf(
  key: Pick<OrderSnapshot, 'channel' | 'shop' | 'orderId'>,
  { lines, receiver, ...rest }: SnapshotBody,
): OrderSnapshot {
  return {
    type: 'order',
    ...key,
    ...usualSnapshot,
    ...('pull' in rest ? withFetchNumber(rest) : rest),
    lines: lines.map((line) => ({ ...usualLine, ...line })),
    receiver: receiverOf(receiver),
  }
}

/** Up to version 0.1.0 the number of the fetch was stored under the name `pull`. */
function withFetchNumber<Body extends object>(body: Body): Body {
  const { pull, ...rest } = body as Body & { readonly pull: unknown }
  return { fetchNumber: pull, ...rest } as unknown as Body
}

export function receiverOf(body: ReceiverBody): Receiver {
  return { ...usualReceiver, ...body }
}

export function orderBody(order: Order): OrderBody {
  const { snapshot, refunds, holds, overruled, cancelledBy, lineWords, excludedNodes, taskCount, attempt } = order
  const body = { refunds, holds, overruled, cancelledBy, lineWords, excludedNodes, taskCount, attempt }
  return lean({ snapshot: snapshot === null ? null : snapshotBody(snapshot), ...body }, usualOrder) as OrderBody
}

function snapshotBody({ type, channel, shop, orderId, lines, receiver, ...rest }: OrderSnapshot): SnapshotBody {
  return {
    ...(lean(rest, usualSnapshot) as Omit<SnapshotBody, 'lines' | 'receiver'>),
    lines: lines.map((line) => lean(line, usualLine) as LineBody),
    receiver: lean(receiver, usualReceiver) as ReceiverBody,
  }
}

/** Without the fields that hold what they usually hold. */
function lean(full: object, usual: Readonly<Record<string, unknown>>): object {
  const kept: Record<string, unknown> = {}
  const values = full as Readonly<Record<string, unknown>>
  for (const name in values) {
    const value = values[name]
    const usually = usual[name]
    if (value === usually || (Array.isArray(usually) && (value as readonly unknown[]).length === 0)) continue
    kept[name] = value
  }
  return kept
}
