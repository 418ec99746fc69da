/**
 * Fourth chapter: carriers report, bills come in; what agrees in all three flows closes by itself, the rest gets a
 * name.
 */

import { genericBillOf, wechatBillOf } from '../traffic/bills.ts'
import { kuaidi100Push } from '../traffic/kuaidi100.ts'
import { billLinesOf } from './bills.ts'
import { DemoStopped } from './client.ts'
import { allOrders, claim, look, nameOf, type Play, until } from './play.ts'
import type { StoryOrder } from './story-order.ts'
import type { Parcel, Shipped } from './warehouses.ts'

/** What is left open on purpose, and by which name it has to be found. */
export interface LeftOpen {
  readonly order: StoryOrder
  readonly kind: string
  readonly why: string
  /** It is still to come and in time: no exception. */
  readonly inTime: boolean
}

export async function settling(play: Play, { parcels }: Shipped): Promise<readonly LeftOpen[]> {
  play.paper.chapter('Carriers report, bills come in', '物流与账单')
  const open = leftOpen(play, parcels)
  await tracks(play, parcels, open)
  await bills(play, open)
  await closing(play, open)
  return await writingOff(play, open)
}

interface Listed {
  readonly id: string
  readonly order: { readonly orderId: string } | null
}

/** Finance gives one difference up. Gives what is left open then. */
async function writingOff(play: Play, open: readonly LeftOpen[]): Promise<readonly LeftOpen[]> {
  const kind = 'payment_short'
  const short = open.find((left) => left.kind === kind)!
  const { exceptions } = await play.client.operate<{ exceptions: readonly Listed[] }>(
    'GET',
    `/v1/exceptions?kind=${kind}&limit=500`,
  )
  const found = exceptions.find(({ order }) => order?.orderId === short.order.orderId)
  if (found === undefined) throw new DemoStopped(`No ${kind} of ${nameOf(short.order)} is listed.`)
  const word = { as: 'written_off', actor: 'finance', note: 'one yuan is not worth a call' }
  const { writtenOffFen } = await play.client.operate<{ writtenOffFen: number }>(
    'POST',
    `/v1/exceptions/${found.id}/resolve`,
    word,
  )
  const { state } = await look(play, short.order)
  claim(
    play,
    writtenOffFen === 100 && state === 'closed',
    `Finance writes the yuan off (核销): it is booked with a name and a reason, and ${nameOf(short.order)} closes.`,
    `${writtenOffFen}, ${state}`,
  )
  return open.filter((left) => left !== short)
}

/** Plain orders that went out as one parcel. */
function leftOpen(play: Play, parcels: readonly Parcel[]): LeftOpen[] {
  const single = play.orders.plain.filter((order) => parcels.filter((parcel) => parcel.order === order).length === 1)
  const next = (channel: StoryOrder['channel']) => {
    const at = single.findIndex((order) => order.channel === channel)
    if (at === -1) throw new DemoStopped(`No ${channel} order of the day left as a single parcel.`)
    return single.splice(at, 1)[0]!
  }
  return [
    { order: next('jd'), kind: 'payment', inTime: true, why: 'its row is not in the bill yet' },
    { order: next('wechat'), kind: 'payment_short', inTime: false, why: 'the bill shows one yuan less' },
    { order: next('tmall'), kind: 'delivery', inTime: true, why: 'its parcel is still on its way' },
    { order: next('tmall'), kind: 'parcel_problem', inTime: false, why: 'the carrier reports a problem' },
    {
      order: play.orders.parts.unknownSku,
      kind: 'units_held',
      inTime: false,
      why: 'paid, and held for its unknown code',
    },
  ]
}

async function tracks(play: Play, parcels: readonly Parcel[], open: readonly LeftOpen[]): Promise<void> {
  const { client, stage, counts } = play
  const { account, salt } = stage.network.kuaidi100
  const nowMs = Math.floor(Date.now() / 1000) * 1000
  const push = async (
    { carrier, waybill }: Parcel,
    state: Parameters<typeof kuaidi100Push>[0]['state'],
    atMs: number,
  ) => {
    counts.tracks += 1
    // The warehouse says SF, kuaidi100 says shunfeng: the same carrier.
    const code = carrier === 'SF' ? 'shunfeng' : 'zhongtong'
    const { status, text } = await client.send(kuaidi100Push({ account, salt, carrier: code, waybill, state, atMs }))
    if (status !== 200) throw new DemoStopped(`The track of ${waybill} was answered with ${status}: ${text}`)
  }
  const kindOf = (parcel: Parcel) => open.find(({ order }) => order === parcel.order)?.kind
  await Promise.all(
    parcels.map(async (parcel) => {
      await push(parcel, 'collected', nowMs - 60_000)
      const kind = kindOf(parcel)
      const state = kind === 'delivery' ? 'in_transit' : kind === 'parcel_problem' ? 'problem' : 'signed'
      await push(parcel, state, nowMs)
    }),
  )
  claim(
    play,
    true,
    `kuaidi100 pushed ${counts.tracks} tracks of ${parcels.length} parcels; all but two are signed for (签收).`,
  )
}

interface Imported {
  readonly rows: number
  readonly imported: number
  readonly known: number
}

async function bills(play: Play, open: readonly LeftOpen[]): Promise<void> {
  const lines = billLinesOf(allOrders(play.orders), (order) => open.find((left) => left.order === order)?.kind)
  const files = [
    ['wechatpay', 'WeChat Pay’s trade bill', wechatBillOf(lines)],
    ['generic', 'a plain bill for tmall and JD', genericBillOf(lines)],
  ] as const
  for (const [source, name, text] of files) {
    const importBill = () => play.client.operate<Imported>('POST', `/v1/bills/${source}/demo`, text)
    const first = await importBill()
    const again = await importBill()
    claim(
      play,
      first.imported === first.rows && first.rows > 0 && again.imported === 0 && again.known === again.rows,
      `${name} (账单): ${first.rows} rows; imported twice, the second time nothing is new.`,
      JSON.stringify([first, again]),
    )
  }
}

async function closing(play: Play, open: readonly LeftOpen[]): Promise<void> {
  const stays = new Set(open.map(({ order }) => order))
  const rest = allOrders(play.orders).filter((order) => !stays.has(order))
  const views = await Promise.all(
    rest.map((order) =>
      until(
        play,
        order,
        'closed',
        (v) => v.state === 'closed' || (v.state === 'cancelled' && v.reconciliation?.state === 'closed'),
      ),
    ),
  )
  const closed = views.filter((view) => view.state === 'closed').length
  claim(
    play,
    true,
    `${closed} orders closed by themselves: order, funds and parcels agree to the unit and the fen (三方对账). ` +
      `${views.length - closed} were cancelled, and their money went back.`,
  )
  for (const { order, kind, inTime, why } of open) {
    const { reconciliation } = await look(play, order)
    const wrong = reconciliation?.exceptions.map((exception) => exception.kind) ?? []
    const expected = reconciliation?.expected?.map((e) => e.what) ?? []
    const kinds = [...wrong, ...expected].join(', ')
    const how = inTime ? 'expects its' : 'stays open as'
    claim(play, kinds === kind, `${nameOf(order)} ${how} ${kind}: ${why}.`, kinds)
  }
}
