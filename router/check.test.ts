import { describe, expect, test } from 'vitest'
import { check, describePassed, overrulableRules, rules } from './check.ts'
import { humanWords } from './check-words.ts'
import { defaultPolicy } from './policy.ts'
import { readPassed, ruleSets } from './rule-sets.ts'
import type { OrderSnapshot, Sku, SnapshotLine } from './types.ts'

const skus: Record<string, Sku> = {}
function stock(sku: string, ...bundle: string[]): void {
  const components = bundle.map((component) => ({ sku: component, quantity: 1 }))
  skus[sku] = { sku, name: sku, weightGrams: 1, storageClass: 'normal', warehouseOnly: false, bundle: components }
}
stock('A')
stock('SET', 'A')
stock('PAIR', 'A', 'B')
skus.BIG = { ...skus.A!, sku: 'BIG', bundle: [{ sku: 'A', quantity: 1_000_000 }] }
stock('BROKEN', 'A', 'GONE')
stock('NESTED', 'SET')
stock('TEN', ...'ABCDEFGHIJ')
for (const sku of 'BCDEFGHIJ') stock(sku)

const line: SnapshotLine = {
  lineId: '1',
  sku: 'A',
  platformSku: 'A',
  title: 'a',
  quantity: 1,
  paidFen: 900,
  gift: false,
  giftOf: null,
  refund: 'none',
  readyAt: null,
}

const good: OrderSnapshot = {
  type: 'order',
  channel: 'tmall',
  shop: 's',
  orderId: '1',
  platformState: 'ready',
  platformStateRaw: 'WAIT_SELLER_SEND_GOODS',
  createdAt: 0,
  paidAt: 1,
  modifiedAt: 1,
  shipBy: null,
  lines: [line],
  freightFen: 100,
  paidFen: 1000,
  receiver: {
    name: '王**',
    phone: '138****0000',
    province: '浙江省',
    city: '杭州市',
    district: '余杭区',
    town: '',
    street: '密街1号',
    postalCode: '',
    oaid: '',
    adcode: '330110',
    point: { lat: 30, lng: 120 },
  },
  buyerId: 'b',
  buyerMessage: '',
  sellerMemo: '',
  sellerFlag: 0,
  addressUnderReview: false,
  presale: null,
  fetchNumber: 0,
  transactionId: null,
}

function run(change: Partial<OrderSnapshot>, overruled: readonly string[] = []) {
  return check({
    snapshot: { ...good, ...change },
    catalog: (sku) => skus[sku],
    overruled,
    limits: defaultPolicy.check,
    keepsItems: false,
  })
}

function lines(...changes: Partial<SnapshotLine>[]): Partial<OrderSnapshot> {
  const made = changes.map((change, index) => ({ ...line, lineId: `${index}`, ...change }))
  return { lines: made, paidFen: 100 + made.reduce((sum, each) => sum + each.paidFen, 0) }
}

const receiver = good.receiver
/** Its components count as items of the order, and nothing of it is to be shipped. */
const refundedTen = { sku: 'TEN', refund: 'refunded' } as const

describe('check', () => {
  test.each<[why: string, change: Partial<OrderSnapshot>, held: string[], refused: string[]]>([
    ['a paid order with everything in order', {}, [], []],
    ['not paid', { platformState: 'unpaid', paidAt: null }, ['unpaid'], []],
    ['cash on delivery: ready, never paid', { paidAt: null }, [], []],
    ['held by the platform', { platformState: 'on_hold' }, ['platform_hold'], []],
    ['presale, nothing paid', { presale: { step: 'deposit_unpaid', depositFen: 1 } }, ['presale_balance'], []],
    ['presale, deposit paid', { presale: { step: 'deposit_paid', depositFen: 1 } }, ['presale_balance'], []],
    ['presale, balance paid', { presale: { step: 'balance_paid', depositFen: 1 } }, [], []],
    ['presale, forfeited', { presale: { step: 'forfeited', depositFen: 1 } }, [], ['presale_balance']],
    ['a line without SKU', lines({ sku: '' }), ['unknown_sku'], []],
    ['a SKU that nobody knows', lines({ sku: 'X' }, {}), ['unknown_sku'], []],
    ['a bundle', lines({ sku: 'SET' }), [], []],
    ['a bundle with an unknown component', lines({ sku: 'BROKEN' }), ['unknown_sku'], []],
    ['a bundle of bundles', lines({ sku: 'NESTED' }), ['unknown_sku'], []],
    ['an unknown SKU that is refunded already', lines({ sku: 'X', refund: 'refunded' }, {}), [], []],
    ['a refund that is only requested', lines({ sku: 'X', refund: 'requested' }, {}), ['unknown_sku'], []],
    ['a fen too little', { paidFen: 999 }, ['amount_mismatch'], []],
    ['a fen too much', { paidFen: 1001 }, ['amount_mismatch'], []],
    ['no adcode', { receiver: { ...receiver, adcode: null } }, ['unresolvable_address'], []],
    ['no point', { receiver: { ...receiver, point: null } }, ['unresolvable_address'], []],
    ['a new address is asked for', { addressUnderReview: true }, ['address_under_review'], []],
    ['the note asks for a person', { buyerMessage: '麻烦先联系客服谢谢' }, ['human_wanted'], []],
    ['in full-width letters and spaces', { buyerMessage: 'Ｃａｌｌ  ｍｅ' }, ['human_wanted'], []],
    ['spaced out', { buyerMessage: '先 别 发' }, ['human_wanted'], []],
    ['the memo asks for a person', { sellerMemo: '买家要改地址' }, ['human_wanted'], []],
    ['a word to the courier', { buyerMessage: '送货前打电话联系我，别发圆通' }, [], []],
    ['a harmless note', { buyerMessage: '放门口就好，谢谢', sellerMemo: '老客户，送小样' }, [], []],
    ['as many as the limit', lines({ quantity: 200 }), [], []],
    ['one more', lines({ quantity: 201 }), ['risky_quantity'], []],
    [
      'many lines, each within the limit',
      lines(...[200, 200, 101].map((quantity) => ({ quantity }))),
      ['risky_quantity'],
      [],
    ],
    ['pieces of bundles, as many as the limit', lines({ sku: 'PAIR', quantity: 100 }), [], []],
    ['two more', lines({ sku: 'PAIR', quantity: 101 }), ['risky_quantity'], []],
    ['of all lines together', lines(...Array(51).fill({ sku: 'TEN' })), ['risky_quantity'], []],
    ['as many items as the limit', lines(...Array(200).fill(refundedTen)), [], []],
    ['one line more', lines(...Array(201).fill(refundedTen)), ['too_many_items'], []],
    ['as many units as the limit', lines({ sku: 'BIG' }), ['risky_quantity'], []],
    ['one more', lines({ sku: 'BIG' }, {}), ['too_many_units', 'risky_quantity'], []],
    ['one more, that is refunded', lines({ sku: 'BIG', refund: 'refunded' }, {}), ['too_many_units'], []],
    ['many, but refunded', lines({ quantity: 201, refund: 'refunded' }), [], []],
  ])('%s', (_why, change, held, refused) => {
    const { holds, refusals, passed } = run(change)
    expect(holds.map((each) => each.rule)).toEqual(held)
    expect(refusals.map((each) => each.rule)).toEqual(refused)
    expect(passed).toEqual(
      rules.map((rule) => rule.name).filter((name) => !held.includes(name) && !refused.includes(name)),
    )
  })

  test('no rule hides another', () => {
    const all: Partial<OrderSnapshot> = {
      ...lines({ sku: '', quantity: 1_000_000 }, ...Array.from({ length: 200 }, () => ({ sku: 'TEN' }))),
      platformState: 'unpaid',
      paidFen: 1,
      receiver: { ...receiver, adcode: null },
      addressUnderReview: true,
      buyerMessage: '换货',
      presale: { step: 'forfeited', depositFen: 1 },
    }
    const { holds, refusals, passed } = run(all)
    expect([...holds, ...refusals].map((each) => each.rule).sort()).toEqual(
      rules
        .map((rule) => rule.name)
        .filter((name) => name !== 'platform_hold')
        .sort(),
    )
    expect(passed).toEqual(['platform_hold'])
  })

  const breaks: Record<string, Partial<OrderSnapshot>> = {
    unpaid: { platformState: 'unpaid' },
    platform_hold: { platformState: 'on_hold' },
    presale_balance: { presale: { step: 'deposit_paid', depositFen: 1 } },
    unknown_sku: lines({ sku: 'X' }),
    amount_mismatch: { paidFen: 1 },
    unresolvable_address: { receiver: { ...receiver, adcode: null, point: null } },
    address_under_review: { addressUnderReview: true },
    human_wanted: { buyerMessage: '等通知' },
    too_many_items: lines(...Array(201).fill(refundedTen)),
    too_many_units: lines({ sku: 'BIG', refund: 'refunded' }, {}),
    risky_quantity: lines({ quantity: 1000 }),
  }

  test('what is in tasks already is not held for what it comes to', () => {
    const input = { catalog: (sku: string) => skus[sku], overruled: [], limits: defaultPolicy.check }
    for (const name of ['too_many_items', 'too_many_units', 'risky_quantity']) {
      const snapshot = { ...good, ...breaks[name]! }
      expect(check({ ...input, snapshot, keepsItems: true }).holds).toEqual([])
    }
  })

  test.each(rules.map((rule) => [rule.name, rule.overrulable] as const))(
    '%s: overrulable is %s',
    (name, overrulable) => {
      expect(run(breaks[name]!).holds.map((each) => each.rule)).toEqual([name])
      expect(run(breaks[name]!, [name]).holds.map((each) => each.rule)).toEqual(overrulable ? [] : [name])
      expect(overrulableRules.includes(name)).toBe(overrulable)
    },
  )

  test('a refusal stays, whatever is overruled', () => {
    const all = rules.map((rule) => rule.name)
    expect(run({ presale: { step: 'forfeited', depositFen: 1 } }, all).refusals).toHaveLength(1)
  })

  test('reasons carry neither the note nor the receiver', () => {
    const secret = '换货 13800138000 密街'
    for (const change of Object.values(breaks)) {
      const text = JSON.stringify(run({ buyerMessage: secret, sellerMemo: secret, ...change }))
      for (const word of ['13800138000', '密街', '138****0000', '王**']) expect(text).not.toContain(word)
    }
  })

  test('words are stored in the form that notes are compared in', () => {
    for (const word of humanWords) expect(word.normalize('NFKC').toLowerCase().replace(/\s+/g, '')).toBe(word)
    expect(new Set(humanWords).size).toBe(humanWords.length)
  })
})

describe('what a trace keeps of the rules that passed', () => {
  const all = rules.map((rule) => rule.name)
  test('the last set is the present rules; a change of them is a set of its own', () => {
    expect(ruleSets.at(-1)).toEqual(all)
  })
  test.each([
    ['all', all, ruleSets.length],
    ['some', all.slice(2), all.slice(2)],
    ['none', [], []],
  ])('%s', (_, passed, described) => {
    expect(describePassed(passed)).toEqual(described)
    expect(readPassed(describePassed(passed))).toEqual(passed)
  })
})
