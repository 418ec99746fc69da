/**
 * Distinct orders by number. `orderAt(plan, n)` is a pure function: several processes can send disjoint parts of one
 * stream, the stand-in of the WeChat API can answer for an order that it never saw, and a checker can say afterwards
 * what was sent. What an order looks like on the wire is encode.ts's business.
 */
import { type Random, randomFrom, randomHex } from '../../adapters/shared/seeded-random.ts'
import type { ChannelName } from '../../router/types.ts'
import type { District } from '../../workers/process/demo-network/districts.ts'
import { gmt8, sumOf } from './amounts.ts'
import { alipayNo, indexMax, jdId, tmallId, wechatId, wechatTransactionId } from './ids.ts'
import type { GeneratedOrder, GeneratedReceiver } from './order.ts'
import { makeLines } from './order-lines.ts'
import type { Scenario, TrafficPlan } from './plan.ts'

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

function makeReceiver(random: Random, district: District): GeneratedReceiver {
  return {
    name: `${random.pick(surnames)}${random.chance(0.7) ? '**' : '*'}`,
    phone: `${random.pick(phonePrefixes)}****${random.between(1000, 9999)}`,
    street: random.pick(streets),
    oaid: `1${randomHex(random, 47)}`,
    district,
  }
}
