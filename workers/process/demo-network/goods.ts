/**
 * The demo brand's range: 2,000 SKUs of an outdoor label that does not exist, made from word lists of our own.
 * Listed hottest first: the place in the list is the SKU's rank, which stock and traffic both go by.
 */

import type { Random } from '../../../adapters/shared/seeded-random.ts'
import type { Sku, SkuQuantity, StorageClass } from '../../../router/types.ts'

export interface Goods {
  readonly skus: readonly Sku[]
  /** Price of one unit, as listed in the shops; same order as `skus`. */
  readonly listFen: readonly number[]
}

interface Family {
  readonly code: string
  readonly noun: string
  readonly grams: readonly [low: number, high: number]
  readonly yuan: readonly [low: number, high: number]
  readonly sizes: readonly string[]
  readonly storageClass: StorageClass
  readonly warehouseOnly: boolean
  /** How many of the range are of this family, in proportion. */
  readonly weight: number
}

const clothes = ['S', 'M', 'L', 'XL']
const shoes = ['38', '40', '42', '44']
const one = ['']

function family(
  code: string,
  noun: string,
  grams: readonly [number, number],
  yuan: readonly [number, number],
  weight: number,
  sizes: readonly string[] = one,
  storageClass: StorageClass = 'normal',
  warehouseOnly = false,
): Family {
  return { code, noun, grams, yuan, sizes, storageClass, warehouseOnly, weight }
}

const families: readonly Family[] = [
  family('JKT', '冲锋衣', [480, 860], [299, 1299], 8, clothes),
  family('DWN', '羽绒服', [420, 980], [399, 1599], 6, clothes),
  family('FLC', '抓绒衣', [300, 520], [129, 459], 6, clothes),
  family('TEE', '速干短袖', [120, 190], [59, 199], 8, clothes),
  family('PNT', '徒步长裤', [320, 560], [149, 499], 7, clothes),
  family('BOT', '登山鞋', [900, 1500], [259, 999], 6, shoes),
  family('SND', '溯溪鞋', [560, 820], [139, 399], 4, shoes),
  family('SOC', '羊毛徒步袜', [60, 110], [29, 79], 5),
  family('HAT', '渔夫帽', [80, 140], [39, 129], 4),
  family('GLV', '防风手套', [90, 180], [49, 199], 4, clothes),
  family('BPK', '登山包', [700, 2200], [199, 899], 5),
  family('WBL', '运动水壶', [180, 340], [39, 149], 4),
  family('THM', '保温杯', [320, 520], [69, 259], 4),
  family('SLB', '睡袋', [900, 2100], [159, 799], 4),
  family('MAT', '防潮垫', [400, 1300], [59, 259], 4),
  family('TRK', '登山杖', [380, 620], [69, 299], 4),
  family('TWL', '速干毛巾', [90, 220], [25, 69], 3),
  family('SUN', '防晒乳', [70, 160], [49, 169], 3),
  family('BAR', '能量棒礼盒', [400, 900], [39, 119], 3),
  family('CHR', '折叠椅', [2200, 4200], [99, 399], 3),
  family('POT', '野营套锅', [800, 1900], [99, 399], 3),
  family('LMP', '玻璃营地灯', [500, 1200], [89, 399], 3, one, 'fragile'),
  family('CUP', '陶瓷咖啡杯', [260, 480], [39, 119], 3, one, 'fragile'),
  family('TNT', '双人帐篷', [2400, 4800], [399, 1999], 3, one, 'normal', true),
  family('CNP', '遮阳天幕', [2800, 6200], [199, 899], 2, one, 'normal', true),
  family('TBL', '蛋卷桌', [5200, 9800], [159, 599], 2, one, 'normal', true),
  family('KYK', '充气皮划艇', [11000, 19000], [799, 2999], 1, one, 'normal', true),
  family('BEF', '冷鲜牛排套餐', [800, 1800], [99, 399], 2, one, 'cold'),
  family('YOG', '低温酸奶组', [1200, 2400], [49, 129], 1, one, 'cold'),
  family('ICE', '速冻汤圆', [500, 1500], [29, 89], 1, one, 'frozen'),
  family('GAS', '高山气罐', [380, 700], [29, 99], 1, one, 'hazardous', true),
]

const series = ['远山', '云岭', '逐风', '拾光', '北麓', '松涧', '行野', '星河', '破晓', '听涛', '雪线', '溪谷']
const colours = [
  ['BLK', '曜石黑'],
  ['GRY', '岩灰'],
  ['GRN', '松绿'],
  ['BLU', '雾蓝'],
  ['ORG', '落日橙'],
  ['WHT', '米白'],
  ['GLD', '砂金'],
  ['RED', '石榴红'],
] as const

/** The goods that the platforms' published samples name, so that those samples route. */
const sampleGoods: readonly (readonly [rank: number, sku: Sku, listFen: number])[] = [
  [4, plain('CF-JKT-BLK-L', '三合一冲锋衣 黑色 L', 680, 'normal', false), 19900],
  [2, plain('CF-SOCK-GRY', '羊毛徒步袜 灰色', 90, 'normal', false), 4950],
  [9, plain('CF-GIFT-BUFF', '赠品 魔术头巾', 45, 'normal', false), 1900],
  [40, plain('CF-TENT-2P', '双人三季帐篷', 3200, 'normal', true), 59900],
]

/** Given away with an order; the traffic generator's gift line. */
export const giftSku = 'CF-GIFT-BUFF'

function plain(
  sku: string,
  name: string,
  weightGrams: number,
  storageClass: StorageClass,
  warehouseOnly: boolean,
): Sku {
  return { sku, name, weightGrams, storageClass, warehouseOnly, bundle: [] }
}

export function makeGoods(random: Random, count: number, bundles: number): Goods {
  const skus: Sku[] = []
  const listFen: number[] = []
  const seen = new Set(sampleGoods.map(([, sku]) => sku.sku))
  const pot = families.flatMap((kind) => Array.from({ length: kind.weight }, () => kind))
  while (skus.length < count - bundles - sampleGoods.length) {
    const kind = random.pick(pot)
    const line = random.below(series.length)
    const [colourCode, colour] = random.pick(colours)
    const size = random.pick(kind.sizes)
    // A model number keeps the families with few variants from running dry.
    const model = random.between(1, 4)
    const code = `CF-${kind.code}-${String(line * 4 + model).padStart(2, '0')}${colourCode}${size && `-${size}`}`
    if (seen.has(code)) continue
    seen.add(code)
    const name = `${series[line]} ${kind.noun} ${model} 代 ${colour}${size && ` ${size}`}`
    skus.push(plain(code, name, random.between(...kind.grams), kind.storageClass, kind.warehouseOnly))
    listFen.push(random.between(...kind.yuan) * 100 - (random.chance(0.5) ? 10 : 0))
  }
  for (const [rank, sku, fen] of sampleGoods) {
    skus.splice(rank, 0, sku)
    listFen.splice(rank, 0, fen)
  }
  for (let n = 0; n < bundles; n++) {
    const [bundle, fen] = makeBundle(random, n, skus, listFen)
    // Spread over the ranks, the first ones among the best sellers.
    const rank = Math.floor(6 + (n * (count - 100)) / bundles)
    skus.splice(rank, 0, bundle)
    listFen.splice(rank, 0, fen)
  }
  return { skus, listFen }
}

function makeBundle(random: Random, n: number, skus: readonly Sku[], listFen: readonly number[]): [Sku, number] {
  const parts = new Map<string, SkuQuantity>()
  const size = random.between(2, 4)
  let grams = 0
  let fen = 0
  while (parts.size < size) {
    // Components come from the better sellers; no bundle in a bundle, and nothing that needs a parcel of its own.
    const at = random.below(400)
    const part = skus[at]!
    if (part.bundle.length > 0 || part.warehouseOnly || part.storageClass !== 'normal' || parts.has(part.sku)) continue
    const quantity = random.chance(0.2) ? 2 : 1
    parts.set(part.sku, { sku: part.sku, quantity })
    grams += part.weightGrams * quantity
    fen += listFen[at]! * quantity
  }
  const bundle = [...parts.values()]
  const sku = `CF-SET-${String(n + 1).padStart(3, '0')}`
  const name = `组合 ${series[n % series.length]} ${size} 件套 ${n + 1} 号`
  // A set costs a tenth less than its parts, to the jiao.
  return [
    { sku, name, weightGrams: grams, storageClass: 'normal', warehouseOnly: false, bundle },
    Math.floor((fen * 9) / 100) * 10,
  ]
}
