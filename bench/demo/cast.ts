/** Who plays what: for each part of the story the first order of the run's stretch of the plan that can tell it. */
import type { Sku } from '../../router/types.ts'
import { giftSku } from '../../workers/process/demo-network/goods.ts'
import { orderAt } from '../traffic/generator.ts'
import type { GeneratedOrder } from '../traffic/order.ts'
import { DemoStopped } from './client.ts'
import { indexesPerRun, type Stage } from './stage.ts'

export const parts = [
  'bundle',
  'gift',
  'storage',
  'unpaid',
  'duplicate',
  'forged',
  'note',
  'unknownSku',
  'cancelled',
  'lineRefund',
  'pulledRefund',
  'moved',
  'overTwoNodes',
  'backorder',
  'rejected',
  'counted1',
  'counted2',
  'counted3',
] as const
export type Part = (typeof parts)[number]

export interface Cast {
  readonly parts: Readonly<Record<Part, GeneratedOrder>>
  /** Orders with nothing to them: the day's business. */
  readonly plain: readonly GeneratedOrder[]
}

export const plainOrders = 36

// Best sellers: what the demo network holds deep, so that a hundredth run finds them as the first did.
const rankMax = 500

export function castOf({ plan, network, firstIndex }: Stage): Cast {
  const rankOf = new Map(network.skus.map((sku, rank) => [sku.sku, rank]))
  const skuOf = (code: string): Sku | undefined => network.skus[rankOf.get(code) ?? -1]
  const isDeep = (order: GeneratedOrder) => order.lines.every(({ sku }) => (rankOf.get(sku) ?? 0) < rankMax)
  const bundles = (order: GeneratedOrder) => order.lines.filter(({ sku }) => (skuOf(sku)?.bundle.length ?? 0) > 0)
  const classes = (order: GeneratedOrder) => new Set(order.lines.map(({ sku }) => skuOf(sku)?.storageClass))
  const isOrdinary = (order: GeneratedOrder) =>
    order.scenario === 'plain' && bundles(order).length === 0 && classes(order).size === 1
  const hasGift = (order: GeneratedOrder) => order.lines.some(({ sku }) => sku === giftSku)
  const movesFar = ({ receiver, otherReceiver }: GeneratedOrder) =>
    receiver.district.adcode.slice(0, 2) !== otherReceiver.district.adcode.slice(0, 2)
  /** Told with a line of its own: WeChat's stand-in would not know it. */
  const blank = (order: GeneratedOrder) => isOrdinary(order) && order.channel !== 'wechat' && !hasGift(order)

  const tests: Readonly<Record<Part, (order: GeneratedOrder) => boolean>> = {
    bundle: (o) => o.scenario === 'plain' && bundles(o).length > 0 && classes(o).size === 1,
    gift: (o) => isOrdinary(o) && o.channel === 'tmall' && hasGift(o),
    storage: (o) =>
      o.scenario === 'plain' &&
      o.lines.length <= 3 &&
      classes(o).has('normal') &&
      (classes(o).has('cold') || classes(o).has('frozen')),
    unpaid: (o) => o.scenario === 'announced' && o.channel === 'tmall',
    duplicate: (o) => o.scenario === 'duplicate' && o.channel === 'jd',
    forged: (o) => isOrdinary(o) && o.channel === 'tmall',
    note: (o) => o.scenario === 'human_note' && o.channel === 'wechat',
    unknownSku: (o) => o.scenario === 'unknown_sku' && o.channel === 'tmall',
    cancelled: (o) => o.scenario === 'cancel' && o.channel === 'jd',
    lineRefund: (o) =>
      o.scenario === 'refund' && o.channel === 'wechat' && o.lines.length > 1 && bundles(o).length === 0,
    pulledRefund: (o) =>
      o.scenario === 'refund' && o.channel === 'tmall' && o.lines.length === 1 && bundles(o).length === 0,
    moved: (o) => o.scenario === 'address_change' && o.channel === 'tmall' && o.lines.length === 1 && movesFar(o),
    overTwoNodes: (o) => blank(o) && o.channel === 'jd',
    backorder: blank,
    rejected: blank,
    counted1: (o) => blank(o) && o.channel === 'tmall',
    counted2: (o) => blank(o) && o.channel === 'tmall',
    counted3: (o) => blank(o) && o.channel === 'jd',
  }

  const found = new Map<Part, GeneratedOrder>()
  const plain: GeneratedOrder[] = []
  for (let at = 0; at < indexesPerRun && (found.size < parts.length || plain.length < plainOrders); at++) {
    const order = orderAt(plan, firstIndex + at)
    if (!isDeep(order)) continue
    const part = parts.find((name) => !found.has(name) && tests[name](order))
    if (part !== undefined) found.set(part, order)
    else if (plain.length < plainOrders && isOrdinary(order)) plain.push(order)
  }
  const missing = parts.filter((name) => !found.has(name))
  if (missing.length > 0) throw new DemoStopped(`The generator made no order for ${missing.join(', ')}: run it again.`)
  return { parts: Object.fromEntries(found) as Record<Part, GeneratedOrder>, plain }
}
