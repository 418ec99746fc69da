/** Last chapter: what came in, what became of it, who did what, what wants a person, and whether the stock adds up. */
import { yuan } from '../traffic/amounts.ts'
import type { OrderView } from './client.ts'
import { decisionTable, type ShownSourcing } from './decisions.ts'
import { allOrders, claim, look, nodeName, type Play } from './play.ts'
import type { LeftOpen } from './settling.ts'
import { balance, plainSkus, readStock, type StockLine, sum } from './stock-book.ts'
import type { Shipped } from './warehouses.ts'

export interface Summary {
  readonly states: Readonly<Record<string, number>>
  readonly exceptions: readonly { readonly kind: string; readonly orderId: string }[]
  readonly stock: readonly StockLine[]
}

export async function summary(
  play: Play,
  shipped: Shipped,
  open: readonly LeftOpen[],
  othersCame: () => Promise<boolean>,
): Promise<Summary> {
  const { paper } = play
  const views = await Promise.all(allOrders(play.orders).map((order) => look(play, order)))
  await whereAndWhy(play)
  paper.chapter('What the warehouses did', '仓店汇总')
  houses(play, shipped)
  paper.chapter('What became of the orders', '订单汇总')
  const states = orders(play, views)
  paper.chapter('What wants a person', '差异')
  const exceptions = await wantsAPerson(play, open)
  paper.chapter('The goods that the story touched', '库存核对')
  const stock = await goods(play, views, othersCame)
  return { states, exceptions, stock }
}

/** The candidates of a decision, as the order itself tells them. */
async function whereAndWhy(play: Play): Promise<void> {
  const { paper, orders } = play
  paper.chapter('Where orders were sourced, and why', '寻源')
  const shown = [
    [orders.samples.tmall, 'tmall’s sample order'],
    [orders.parts.overTwoNodes, 'the three lamps'],
    [orders.parts.rejected, 'the kettle, before and after it was refused'],
  ] as const
  for (const [at, [order, name]] of shown.entries()) {
    const view = await look(play, order)
    if (at > 0) paper.gap()
    paper.say(`${order.channel} ${order.orderId}: ${name}.`)
    const sourcings = view.trace as unknown as readonly ShownSourcing[]
    const earlier = new Set<string>()
    for (const { groups } of sourcings) {
      for (const group of groups) {
        decisionTable(paper, group, earlier, (node) => nodeName(play, node))
        for (const parcel of group.plan.parcels) earlier.add(parcel.node)
      }
    }
  }
}

const right = 'right' as const

function houses(play: Play, { work }: Shipped): void {
  const rows = [...work].sort(([a, x], [b, y]) => y.pulled - x.pulled || (a < b ? -1 : 1))
  const shown = 12
  const cells = ([node, { pulled, parcels, units, rejected, intercepted }]: (typeof rows)[number]) => [
    node,
    nodeName(play, node),
    ...[pulled, parcels, units, rejected, intercepted].map((n) => (n === 0 ? '' : String(n))),
  ]
  const rest = rows.slice(shown)
  const more = (key: 'pulled' | 'parcels' | 'units' | 'rejected' | 'intercepted') => sum(rest.map(([, w]) => w[key]))
  play.paper.table(
    [
      { head: 'node' },
      { head: 'name', max: 24 },
      ...['pulled', 'parcels', 'units', 'refused', 'intercepted'].map((head) => ({ head, align: right })),
    ],
    [
      ...rows.slice(0, shown).map(cells),
      ...(rest.length === 0
        ? []
        : [
            [
              '…',
              `${rest.length} others`,
              ...(['pulled', 'parcels', 'units', 'rejected', 'intercepted'] as const).map((key) =>
                String(more(key) || ''),
              ),
            ],
          ]),
    ],
  )
}

function orders(play: Play, views: readonly OrderView[]): Record<string, number> {
  const states = [...new Set(views.map((view) => view.state))].sort()
  const channels = ['tmall', 'jd', 'wechat'] as const
  const count = (state: string, channel?: string) =>
    views.filter((view) => view.state === state && (channel === undefined || view.channel === channel)).length
  const paid = (state: string) => sum(views.filter((view) => view.state === state).map((view) => view.paidFen ?? 0))
  play.paper.table(
    [{ head: 'state' }, ...[...channels, 'all', 'paid'].map((head) => ({ head, align: right }))],
    states.map((state) => [
      state,
      ...channels.map((channel) => String(count(state, channel) || '')),
      String(count(state)),
      `¥${yuan(paid(state))}`,
    ]),
  )
  return Object.fromEntries(states.map((state) => [state, count(state)]))
}

interface ListedException {
  readonly kind: string
  readonly order: { readonly orderId: string } | null
  readonly ageSeconds: number
  readonly detail: Readonly<Record<string, unknown>>
}

const pagesMax = 100

async function wantsAPerson(play: Play, open: readonly LeftOpen[]): Promise<Summary['exceptions']> {
  const mine = new Set(open.map(({ order }) => order.orderId))
  const wrong = open.filter(({ inTime }) => !inTime)
  const listed: ListedException[] = []
  let others = 0
  let cursor = ''
  for (let page = 0; page < pagesMax; page++) {
    const path = `/v1/exceptions?limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`
    const { exceptions, nextCursor } = await play.client.operate<{
      exceptions: ListedException[]
      nextCursor: string | null
    }>('GET', path)
    for (const exception of exceptions) {
      if (exception.order !== null && mine.has(exception.order.orderId)) listed.push(exception)
      else others += 1
    }
    if (nextCursor === null) break
    cursor = nextCursor
  }
  play.paper.table(
    [
      { head: 'exception' },
      { head: 'order', max: 19 },
      { head: 'age', align: right },
      { head: 'what is known', max: 44 },
    ],
    listed.map(({ kind, order, ageSeconds, detail }) => [kind, order?.orderId ?? '', age(ageSeconds), details(detail)]),
  )
  claim(
    play,
    listed.length === wrong.length &&
      wrong.every(({ order, kind }) => listed.some((e) => e.kind === kind && e.order?.orderId === order.orderId)),
    `${wrong.length} orders do not agree, and each has exactly one exception with a name and an age; ` +
      `${open.length - wrong.length} wait for what is still in time, and that is no exception.`,
    listed.map((e) => e.kind).join(', '),
  )
  if (others > 0) play.paper.say(`(${others} more are open on this service, from earlier runs or others.)`, 2)
  return listed.map(({ kind, order }) => ({ kind, orderId: order?.orderId ?? '' }))
}

function age(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  return seconds < 7_200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3_600)} h`
}

function details(detail: Readonly<Record<string, unknown>>): string {
  const isIdentity = (key: string) => ['channel', 'shop', 'orderId', 'of', 'carrier'].includes(key)
  return Object.entries(detail)
    .filter(([key]) => !isIdentity(key))
    .map(([key, value]) => (key.endsWith('Fen') ? `${key.slice(0, -3)} ¥${yuan(Number(value))}` : `${key} ${value}`))
    .join(', ')
}

async function goods(
  play: Play,
  views: readonly OrderView[],
  othersCame: () => Promise<boolean>,
): Promise<readonly StockLine[]> {
  const own = new Set(Object.values(play.limited.sku))
  const after = await readStock(play.client, [...play.stock.before.keys()])
  const lines = balance(play.stock, after, views)
  const rows: (readonly [string, readonly StockLine[]])[] = [
    ...lines.filter((line) => own.has(line.sku)).map((line) => [line.sku, [line]] as const),
    ['all others', lines.filter((line) => !own.has(line.sku))],
    ['all together', lines],
  ]
  play.paper.table(
    [
      { head: 'SKU' },
      ...['on hand', '+ came', '− broken', '− shipped', '= on hand', 'reserved', '= reserved'].map((head) => ({
        head,
        align: right,
      })),
    ],
    rows.map(([name, of]) => [
      of.length > 1 ? `${name} (${of.length})` : name,
      ...[
        sum(of.map((line) => line.before.onHand)),
        sum(of.map((line) => line.posted)),
        sum(of.map((line) => line.writtenOff)),
        sum(of.map((line) => line.shipped)),
        sum(of.map((line) => line.after.onHand)),
        sum(of.map((line) => line.before.reserved)),
        sum(of.map((line) => line.after.reserved)),
      ].map(String),
    ]),
  )
  const wrong = lines.filter((line) => !line.addsUp)
  const wrongOwn = wrong.filter((line) => own.has(line.sku))
  if (wrong.length > wrongOwn.length && (await othersCame())) {
    claim(
      play,
      wrongOwn.length === 0,
      'Before and after add up for the limited editions, unit by unit.',
      listOf(wrongOwn),
    )
    play.paper.say('(Others sold from this service meanwhile, so the other SKUs are theirs too.)', 2)
    return lines
  }
  claim(
    play,
    wrong.length === 0,
    `Before and after add up for each of ${lines.length} SKUs, unit by unit, and nothing is left reserved for nobody.`,
    listOf(wrong),
  )
  return lines
}

function listOf(wrong: readonly StockLine[]): string {
  return `it does not for ${wrong
    .slice(0, 5)
    .map((line) => line.sku)
    .join(', ')}${wrong.length > 5 ? ', …' : ''}`
}

/** What the story will touch. */
export function touchedSkus(play: Pick<Play, 'orders' | 'stage'>): string[] {
  const ordered = allOrders(play.orders)
    .filter((order) => order !== play.orders.parts.unknownSku)
    .flatMap((order) => order.skus)
  return plainSkus(play.stage.network.skus, ordered)
}
