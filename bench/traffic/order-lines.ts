/** The lines of a generated order: which goods, how many, and what is off their price. */
import { mix, type Random } from '../../adapters/shared/seeded-random.ts'
import type { ChannelName } from '../../router/types.ts'
import { giftSku } from '../../workers/process/demo-network/goods.ts'
import type { DemoShop } from '../../workers/process/demo-network/network.ts'
import { shareOut, sumOf } from './amounts.ts'
import { tmallId } from './ids.ts'
import type { GeneratedLine } from './order.ts'
import type { Scenario, TrafficPlan } from './plan.ts'

export function makeLines(
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
