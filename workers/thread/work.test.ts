import { describe, expect, test } from 'vitest'
import type { Command, Order, Sku } from '../../router/types.ts'
import type { EventToDecide } from './batch.ts'
import { catalogueOf } from './catalogue.ts'
import { type WorkContext, workOn } from './work.ts'

const tee: Sku = { sku: 'TEE', name: 'tee', weightGrams: 1, storageClass: 'normal', warehouseOnly: false, bundle: [] }

function contextWith(skus: readonly Sku[], skuMap: Readonly<Record<string, string>>): WorkContext {
  const catalogue = catalogueOf({
    version: 1,
    nodes: [],
    skus: new Map(skus.map((value, no) => [value.sku, { no, value }])),
    shops: new Map([['tmall/s', { channel: 'tmall', shop: 's', credentials: {}, apiBaseUrl: null, skuMap }]]),
  })
  return { catalogue, divisions: { provinces: { full: new Map(), short: new Map() }, points: new Map() } }
}

let seq = 0
function event(kind: string, body: unknown): EventToDecide {
  const bytes = Buffer.from(JSON.stringify(body))
  return { seq: `${++seq}`, channel: 'tmall', shop: 's', eventId: `${seq}`, orderId: '7', kind, body: bytes }
}
const command = (told: Command) => event('command', told)

function trade(code: string, change: Record<string, unknown> = {}) {
  return event('order', {
    trade: {
      ...{
        tid_str: '7',
        status: 'WAIT_SELLER_SEND_GOODS',
        modified: '2025-01-01 00:00:00',
        payment: '1.00',
        post_fee: '0.00',
      },
      orders: { order: [{ oid_str: '7', num: 1, outer_sku_id: code, sku_id: '99', divide_order_fee: '1.00' }] },
      ...change,
    },
  })
}

/** Decided and, since there are no nodes here, with whatever is wanted still to be placed. */
function decided(context: WorkContext, order: Order | null, ...events: EventToDecide[]) {
  const work = workOn(context, events, order === null ? undefined : { order, tasks: [] })
  const after = work.decision?.order ?? work.before
  const rules = after.holds.map((h) => h.rule).join(' ')
  return { work, order: { ...after, version: after.version + 1 }, rules, demand: work.decision?.demand ?? [] }
}

const release = { type: 'release', note: '' } as const

describe('a release', () => {
  const nowhere = 'unresolvable_address'
  test.each<[why: string, code: string, skus: Sku[], skuMap: Record<string, string>, rules: string]>([
    ['leaves what is still wrong', 'TEE-OLD', [], {}, 'unknown_sku'],
    ['finds an SKU that was added', 'TEE', [tee], {}, ''],
    ['finds an SKU that was mapped by the merchant code', 'TEE-OLD', [tee], { 'TEE-OLD': 'TEE' }, ''],
    ['finds an SKU that was mapped by the platform code', '', [tee], { '99': 'TEE' }, ''],
    ['is not fooled by a map to nothing', 'TEE-OLD', [tee], { 'TEE-OLD': 'GONE' }, 'unknown_sku'],
  ])('%s', (_, code, skus, skuMap, rules) => {
    const held = decided(contextWith([], {}), null, trade(code))
    expect(held.rules).toBe(`unknown_sku ${nowhere}`)
    const released = decided(contextWith(skus, skuMap), held.order, command(release))
    expect(released.work.events.map((e) => e.outcome)).toEqual(['released'])
    expect(released.rules).toBe(rules)
    expect(released.demand).toEqual(rules === '' ? [{ item: 0, quantity: 1 }] : [])
    if (rules === '') expect(released.order.items[0]!.sku).toBe('TEE')
  })

  test('lets an order go that the platform says is shipped, after somebody looked', () => {
    const context = contextWith([tee], {})
    const held = decided(context, null, trade('TEE', { status: 'WAIT_BUYER_CONFIRM_GOODS' }))
    expect(held.rules).toBe(`${nowhere} platform_ahead`)
    const released = decided(context, held.order, command(release))
    expect(released.demand).toHaveLength(1)
    expect(decided(context, released.order, command(release)).work.decision).toBe(null)
  })

  test('does not let an unpaid one go', () => {
    const context = contextWith([tee], {})
    const held = decided(context, null, trade('TEE', { status: 'WAIT_BUYER_PAY' }))
    const released = decided(context, held.order, command(release))
    expect(released.rules).toBe('unpaid')
    expect(released.demand).toEqual([])
  })
})
