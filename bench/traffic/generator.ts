/**
 * Distinct orders by number. `orderAt(plan, n)` is a pure function: several processes can send disjoint parts of one
 * stream, the stand-in of the WeChat API can answer for an order that it never saw, and a checker can say afterwards
 * what was sent. What an order looks like on the wire is encode.ts's business.
 */

import type { Random } from '../../adapters/shared/seeded-random.ts'
import { mix, randomFrom, randomHex } from '../../adapters/shared/seeded-random.ts'
import type { ChannelName } from '../../router/types.ts'
import type { District } from '../../workers/process/demo-network/districts.ts'
import { giftSku } from '../../workers/process/demo-network/goods.ts'
import type { DemoShop } from '../../workers/process/demo-network/network.ts'
import { gmt8, shareOut, sumOf } from './amounts.ts'
import { alipayNo, indexMax, jdId, tmallId, wechatId, wechatTransactionId } from './ids.ts'
import type { Scenario, TrafficPlan } from './plan.ts'

export interface GeneratedLine {
  /** As the channel is expected to name it. */
  readonly lineId: string
  /** What Paidan shall make of it. */
  readonly sku: string
  /** The merchant's code as the platform has it: an older one where the shop's skuMap knows it. */
  readonly merchantCode: string
  readonly title: string
  readonly productId: string
  readonly skuId: string
  readonly quantity: number
  readonly unitFen: number
  /** Off this line alone. */
  readonly discountFen: number
  /** Its share of what is off the whole order. */
  readonly sharedFen: number
  /** unitFen × quantity − discountFen − sharedFen. */
  readonly paidFen: number
  readonly gift: boolean
  /** lineId of the line that it goes with. */
  readonly giftOf: string | null
}

export interface GeneratedReceiver {
  readonly name: string
  readonly phone: string
  readonly street: string
  readonly oaid: string
  readonly district: District
}

export interface GeneratedOrder {
  readonly index: number
  readonly seed: number
  readonly shop: DemoShop
  readonly channel: ChannelName
  readonly orderId: string
  readonly scenario: Scenario
  readonly createdAt: number
  readonly lines: readonly GeneratedLine[]
  readonly freightFen: number
  /** Σ lines + freight. */
  readonly paidFen: number
  /** jd: part of paidFen that came from the buyer's balance. */
  readonly balanceFen: number
  readonly depositFen: number
  readonly receiver: GeneratedReceiver
  /** Where the buyer moves it to, when the scenario changes the address. */
  readonly otherReceiver: GeneratedReceiver
  readonly buyerId: string
  readonly buyerMessage: string
  readonly sellerMemo: string
  readonly transactionId: string | null
}

const surnames = [
  '张',
  '王',
  '李',
  '赵',
  '刘',
  '陈',
  '杨',
  '黄',
  '周',
  '吴',
  '徐',
  '孙',
  '马',
  '朱',
  '胡',
  '林',
  '郭',
  '何',
]
const phonePrefixes = ['138', '139', '150', '158', '177', '186', '188', '199']
const streets = [
  '文**路**号*幢**室',
  '人*路**号',
  '解*大道***号*单元***',
  '中*街**弄*号***室',
  '科*园*路**号*座',
  '建*巷*号',
]
const harmlessNotes = ['请发顺丰', '尽快发货', '周末送货', '放门口就行', '送人的,包装好看点', '工作日送']
const humanNotes = ['先别发货,等我联系客服', '请联系客服改一下颜色', '要改地址,麻烦人工处理', '暂缓发货,我再确认一下']

/** The order number `index` of this plan: always the same. */
export function orderAt(plan: TrafficPlan, index: number): GeneratedOrder {
  if (!Number.isInteger(index) || index < 0 || index > indexMax) throw new RangeError('index out of 0 … 99,999,999')
  const { seed } = plan
  const random = randomFrom(seed, index)
  const shop = plan.drawShop(random)
  const { channel } = shop
  const drawn = plan.drawScenario(random)
  const scenario = suited(channel, drawn)
  // Whole seconds: no platform tells a finer time.
  const createdAt = plan.startMs + Math.floor(index / plan.ordersPerSecond) * 1000
  const day = gmt8(createdAt).slice(0, 10).replaceAll('-', '')
  const orderId = orderIdOf(channel, seed, index)
  const lines = makeLines(plan, random, shop, orderId, index, scenario)
  const goodsFen = sumOf(lines.map((line) => line.paidFen))
  const freightFen = goodsFen >= 9900 ? 0 : 880
  const paidFen = goodsFen + freightFen
  const noted = scenario === 'human_note'
  return {
    index,
    seed,
    shop,
    channel,
    orderId,
    scenario,
    createdAt,
    lines,
    freightFen,
    paidFen,
    balanceFen: channel === 'jd' && random.chance(0.03) ? Math.floor(paidFen / 4) : 0,
    depositFen: scenario === 'presale' ? Math.min(5000, Math.floor(goodsFen / 5)) : 0,
    receiver: makeReceiver(random, plan.drawDistrict(random)),
    otherReceiver: makeReceiver(random, plan.drawDistrict(random)),
    buyerId: channel === 'tmall' ? `AAE${randomHex(random, 24)}` : `o${randomHex(random, 26)}`,
    buyerMessage: noted ? random.pick(humanNotes) : random.chance(0.12) ? random.pick(harmlessNotes) : '',
    sellerMemo: random.chance(0.03) ? 'VIP 优先' : '',
    transactionId:
      channel === 'tmall'
        ? alipayNo(seed, index, day)
        : channel === 'wechat'
          ? wechatTransactionId(seed, index, day)
          : null,
  }
}

/** The nearest scenario that the platform knows. */
function suited(channel: ChannelName, scenario: Scenario): Scenario {
  if (scenario === 'presale' && channel !== 'tmall') return 'plain'
  if (scenario === 'address_review' && channel !== 'wechat') return 'address_change'
  // JD shows an order only once it is paid.
  if (channel === 'jd' && (scenario === 'announced' || scenario === 'expired')) return 'plain'
  return scenario
}

function orderIdOf(channel: ChannelName, seed: number, index: number): string {
  if (channel === 'tmall') return tmallId(seed, index)
  return channel === 'jd' ? jdId(seed, index) : wechatId(seed, index)
}

function makeLines(
  plan: TrafficPlan,
  random: Random,
  shop: DemoShop,
  orderId: string,
  index: number,
  scenario: Scenario,
): GeneratedLine[] {
  const count = scenario === 'presale' ? 1 : plan.drawLineCount(random)
  const ranks: number[] = []
  // One line a SKU: platforms put the same SKU on one line.
  while (ranks.length < count) {
    const rank = plan.drawSkuRank(random)
    if (!ranks.includes(rank) && plan.skus[rank]!.sku !== giftSku) ranks.push(rank)
  }
  const quantities = ranks.map(() => plan.drawQuantity(random))
  const discounts = ranks.map((rank, at) =>
    random.chance(0.3) ? Math.floor((plan.listFen[rank]! * quantities[at]! * random.between(5, 20)) / 1000) * 10 : 0,
  )
  const nets = ranks.map((rank, at) => plan.listFen[rank]! * quantities[at]! - discounts[at]!)
  // The platform's "20 off per full 200", shared over the lines in proportion, to the fen.
  const offFen = random.chance(0.5) ? Math.floor(sumOf(nets) / 20_000) * 2000 : 0
  const shared = shareOut(offFen, nets)
  const withGift = shop.channel !== 'wechat' && scenario !== 'presale' && random.chance(plan.giftShare)
  const unknownAt = scenario === 'unknown_sku' ? random.below(count) : -1
  const lineIdOf = lineNamer(shop.channel, plan.seed, index, orderId, count === 1 && !withGift)

  const lines: GeneratedLine[] = ranks.map((rank, at) => {
    const { sku, name } = plan.skus[rank]!
    const ours = at === unknownAt ? `NO-SUCH-${mix(plan.seed, rank) % 1000}` : sku
    const merchantCode = plan.platformCode.get(shop)!.get(ours) ?? ours
    const { productId, skuId } = listingOf(shop.channel, rank)
    return {
      lineId: lineIdOf(at, productId, skuId),
      sku: ours,
      merchantCode,
      title: name,
      productId,
      skuId,
      quantity: quantities[at]!,
      unitFen: plan.listFen[rank]!,
      discountFen: discounts[at]!,
      sharedFen: shared[at]!,
      paidFen: nets[at]! - shared[at]!,
      gift: false,
      giftOf: null,
    }
  })
  if (withGift) lines.push(giftLine(plan, shop, lines[random.below(count)]!, lineIdOf, count))
  return lines
}

function giftLine(
  plan: TrafficPlan,
  shop: DemoShop,
  main: GeneratedLine,
  lineIdOf: LineNamer,
  at: number,
): GeneratedLine {
  const rank = plan.skus.findIndex(({ sku }) => sku === giftSku)
  const { productId, skuId } = listingOf(shop.channel, rank)
  return {
    lineId: lineIdOf(at, productId, skuId),
    sku: giftSku,
    merchantCode: plan.platformCode.get(shop)!.get(giftSku) ?? giftSku,
    title: plan.skus[rank]!.name,
    productId,
    skuId,
    quantity: 1,
    unitFen: 0,
    discountFen: 0,
    sharedFen: 0,
    paidFen: 0,
    gift: true,
    // JD says only that the price is nought.
    giftOf: shop.channel === 'tmall' ? main.lineId : null,
  }
}

/** The platform's own numbers of an article: the same for every order that has it. */
function listingOf(channel: ChannelName, rank: number): { productId: string; skuId: string } {
  if (channel === 'tmall') return { productId: String(635_433_000_000 + rank), skuId: String(4_712_345_600_000 + rank) }
  if (channel === 'jd') return { productId: String(10_012_345_600_000 + rank), skuId: String(100_012_300_000 + rank) }
  return { productId: String(10_000_010_000 + rank), skuId: String(1_122_330_000 + rank) }
}

type LineNamer = (at: number, productId: string, skuId: string) => string

/** tmall has sub-order ids (the trade's own when there is one line), JD orderId + skuId, WeChat also the product. */
function lineNamer(channel: ChannelName, seed: number, index: number, orderId: string, single: boolean): LineNamer {
  if (channel === 'tmall') return (at) => (single ? orderId : tmallId(seed, index, at + 1))
  if (channel === 'jd') return (_, __, skuId) => `${orderId}-${skuId}`
  return (_, productId, skuId) => `${orderId}-${productId}-${skuId}`
}

function makeReceiver(random: Random, district: District): GeneratedReceiver {
  return {
    name: `${random.pick(surnames)}${random.chance(0.7) ? '**' : '*'}`,
    phone: `${random.pick(phonePrefixes)}****${random.between(1000, 9999)}`,
    street: random.pick(streets),
    oaid: `1${randomHex(random, 47)}`,
    district,
  }
}
