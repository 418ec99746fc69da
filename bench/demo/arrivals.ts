/** First chapter: what comes in from the platforms, and where each order goes. */
import { yuan } from '../traffic/amounts.ts'
import type { OrderView } from './client.ts'
import { fewGoods } from './few-goods.ts'
import { columns, isDecided, row } from './order-rows.ts'
import { claim, liveTasks, look, lookOrNull, nameOf, type Play, places, sendAcknowledged, until } from './play.ts'
import type { StoryOrder } from './story-order.ts'

export async function arrivals(play: Play): Promise<void> {
  await publishedSamples(play)
  await daysBusiness(play)
  await unusual(play)
  await fewGoods(play)
}

async function publishedSamples(play: Play): Promise<void> {
  const { paper, orders } = play
  const { tmall, jd, wechat, presale } = orders.samples
  paper.chapter('The platforms’ own sample orders, from files', '协议样例')
  paper.say(
    'Each is signed as its platform signs: tmall’s SPI signature over query and body, JD’s JOS form, WeChat’s ' +
      'encrypted push, after which Paidan fetches the order from the shop’s API.',
  )
  for (const order of [tmall, jd, wechat]) await sendAcknowledged(play, order, 'paid')
  await sendAcknowledged(play, presale, 'deposit_paid')
  const specials = ['jacket, socks, gift', 'jacket, socks', 'pushed, then fetched'] as const
  const rows: string[][] = []
  for (const [i, order] of [tmall, jd, wechat].entries()) {
    const view = await until(play, order, 'routed', (v) => v.state === 'routed')
    rows.push(row(play, order, view, specials[i]!))
  }
  const waiting = await until(play, presale, 'kept as unpaid', (v) => v.state === 'unpaid')
  rows.push(row(play, presale, waiting, 'presale 预售'))
  paper.table(columns, rows)
  const gift = (await look(play, tmall)).lines.find((line) => line.gift)
  const main = (await look(play, tmall)).lines.find((line) => line.sku === 'CF-SOCK-GRY')
  claim(
    play,
    gift !== undefined && gift.places?.[0]?.taskId === main?.places?.[0]?.taskId,
    'The gift (赠品) travels with the socks that earned it.',
  )
  claim(play, liveTasks(waiting).length === 0, 'The presale waits for its balance: kept, and nothing is reserved.')
}

async function daysBusiness(play: Play): Promise<void> {
  const { paper, orders } = play
  paper.chapter('A day’s business, from the seeded generator', '日常订单')
  await Promise.all(orders.plain.map((order) => sendAcknowledged(play, order, 'paid')))
  const views = await Promise.all(
    orders.plain.map((order) => until(play, order, 'routed', (v) => v.state === 'routed' || v.state === 'backordered')),
  )
  const rows = (['tmall', 'jd', 'wechat'] as const).map((channel) => {
    const own = views.filter((view) => view.channel === channel)
    const tasks = own.flatMap(liveTasks)
    const stores = tasks.filter((task) => task.node.startsWith('ST-')).length
    return [
      channel,
      ...[own.length, own.filter((v) => v.state === 'routed').length, tasks.length, tasks.length - stores, stores].map(
        String,
      ),
      `¥${yuan(own.reduce((fen, view) => fen + (view.paidFen ?? 0), 0))}`,
    ]
  })
  paper.table(
    [
      { head: 'platform' },
      ...['orders', 'routed', 'parcels', 'from warehouses 仓', 'from stores 店', 'paid'].map((head) => ({
        head,
        align: 'right' as const,
      })),
    ],
    rows,
  )
  const backordered = views.filter((view) => view.state === 'backordered').length
  claim(
    play,
    backordered === 0,
    `All ${views.length} were routed.`,
    `${backordered} wait for goods: this network is sold out of some SKUs; a fresh one: DATA_DIR=/tmp/paidan-demo npm start`,
  )
}

async function unusual(play: Play): Promise<void> {
  const { paper, orders } = play
  const {
    bundle,
    gift,
    storage,
    unpaid,
    duplicate,
    forged,
    note,
    unknownSku,
    cancelled,
    lineRefund,
    pulledRefund,
    moved,
  } = orders.parts
  paper.chapter('What is not quite ordinary', '特殊订单')
  const paid = [bundle, gift, storage, duplicate, note, unknownSku, cancelled, lineRefund, pulledRefund, moved]
  await Promise.all([
    ...paid.map((order) => sendAcknowledged(play, order, 'paid')),
    sendAcknowledged(play, unpaid, 'created'),
  ])
  const told: readonly (readonly [StoryOrder, string, string])[] = [
    [bundle, 'a bundle 组合商品', 'routed'],
    [gift, 'with a gift 赠品', 'routed'],
    [storage, 'some of it cold 冷链', 'routed'],
    [unpaid, 'not paid yet 待付款', 'unpaid'],
    [duplicate, 'will come twice', 'routed'],
    [note, 'asks for a person', 'held'],
    [unknownSku, 'a code nobody knows', 'held'],
    [cancelled, 'will be cancelled', 'routed'],
    [lineRefund, 'one line: refund', 'routed'],
    [pulledRefund, 'refund after pull', 'routed'],
    [moved, 'will move house', 'routed'],
  ]
  const views = new Map<StoryOrder, OrderView>()
  for (const [order, , state] of told) views.set(order, await until(play, order, state, isDecided))
  paper.table(
    columns,
    told.map(([order, special]) => row(play, order, views.get(order)!, special)),
  )
  for (const [order, special, state] of told) {
    const is = views.get(order)!.state
    if (is !== state) claim(play, false, `${nameOf(order)} (${special}) is ${state}`, `it is ${is}`)
  }
  bundleClaim(play, views.get(bundle)!)
  const storageTasks = liveTasks(views.get(storage)!)
  claim(
    play,
    storageTasks.length >= 2,
    `Cold goods travel alone: ${storageTasks.length} parcels, from ${places(play, views.get(storage)!)}.`,
  )

  const before = views.get(duplicate)!
  await sendAcknowledged(play, duplicate, 'paid')
  const after = await look(play, duplicate)
  claim(
    play,
    after.version === before.version && after.tasks.length === before.tasks.length,
    'The same event again is acknowledged again, and changes nothing (幂等).',
  )
  await forgery(play, forged)
}

function bundleClaim(play: Play, view: OrderView): void {
  const { skus } = play.stage.network
  const line = view.lines.find(({ sku }) => skus.some((known) => known.sku === sku && known.bundle.length > 0))
  const parts = skus.find((known) => known.sku === line?.sku)?.bundle ?? []
  const shipped = view.tasks.flatMap((task) => task.lines)
  claim(
    play,
    line !== undefined && parts.every((part) => shipped.some((l) => l.sku === part.sku && l.quantity >= part.quantity)),
    `The bundle ${line?.sku ?? ''} is picked as its ${parts.length} components: ${parts.map((p) => p.sku).join(', ')}.`,
  )
}

async function forgery(play: Play, forged: StoryOrder): Promise<void> {
  const { client, counts } = play
  const request = forged.request('paid', Date.now())
  const body = Buffer.from(request.body)
  // An attacker on the way makes the order cheaper.
  const at = body.indexOf('"payment":"') + '"payment":"'.length
  body[at] = body[at] === 0x30 ? 0x31 : 0x30
  counts.webhooks += 1
  const { status, text } = await client.send({ ...request, body })
  claim(
    play,
    status === 401 && text.includes('sign-check-failure'),
    `A changed amount under the old signature (验签) is refused in tmall’s own words: 401 ${text}`,
  )
  const known = await lookOrNull(client, forged)
  claim(play, known === null, 'Nothing of it was stored: the order does not exist.')
}
