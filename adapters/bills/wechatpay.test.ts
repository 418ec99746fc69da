import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fc, runs } from '../../router/testing/seed.ts'
import { projectRoot } from '../shared/root.ts'
import { badLinesShown, type ParsedBill, setAsideMax } from './bill.ts'
import { parseWechatPayBill } from './wechatpay.ts'

const sample = readFileSync(join(projectRoot(), 'adapters/bills/fixtures/wechatpay.tradebill.ALL.csv'), 'utf8')
const [header, payment, discounted, refund, summaryHeader, summary] = sample.replace('\ufeff', '').split('\n') as [
  string,
  string,
  string,
  string,
  string,
  string,
]

const parse = (text: string): ParsedBill => parseWechatPayBill(Buffer.from(text, 'utf8'))
const bill = (...lines: string[]): string => `${lines.join('\r\n')}\r\n`

describe('a WeChat trade bill', () => {
  test('as documented, with payments, a coupon and a refund', () => {
    expect(parse(sample)).toEqual({
      outcome: 'parsed',
      setAside: [],
      rows: [
        {
          ...{ ref: '4200002345202611110123456789:SUCCESS', kind: 'payment', channel: null, shop: null, orderId: null },
          ...{ transactionId: '4200002345202611110123456789', amountFen: 25900, feeFen: 152 },
          occurredAt: Date.parse('2026-11-11T00:00:04+08:00'),
        },
        {
          ...{ ref: '4200002345202611110123456790:SUCCESS', kind: 'payment', channel: null, shop: null, orderId: null },
          ...{ transactionId: '4200002345202611110123456790', amountFen: 10000, feeFen: 60 },
          occurredAt: Date.parse('2026-11-11T00:02:10+08:00'),
        },
        {
          ref: '4200002345202611110123456790:50300806962026111100000000009:REFUND',
          ...{ kind: 'refund', channel: null, shop: null, orderId: null },
          ...{ transactionId: '4200002345202611110123456790', amountFen: 4000, feeFen: -24, progress: 'done' },
          occurredAt: Date.parse('2026-11-11T10:00:05+08:00'),
        },
      ],
    })
  })

  test('without a byte order mark, with CRLF, and with its columns in another order', () => {
    const swap = (line: string, separator: string) => line.split(separator).reverse().join(separator)
    const turned = (line: string) => `\`${swap(line.slice(1), ',`')}`
    const text = bill(
      swap(header, ','),
      ...[payment, discounted, refund].map(turned),
      swap(summaryHeader, ','),
      turned(summary),
    )
    // The summary is found by its first column's name, so its own order stays.
    const same = text.replace(swap(summaryHeader, ','), summaryHeader).replace(turned(summary), summary)
    expect(parse(same)).toEqual(parse(sample))
  })

  test('whose cells hold commas', () => {
    const text = sample.replace('`晨风户外订单', '`帐篷,两人,绿').replace('`shop=cf', '`a,b,c')
    expect(parse(text)).toEqual(parse(sample))
  })

  test('of payments only: no refund columns', () => {
    const gone = new Set([
      '微信退款单号',
      '商户退款单号',
      '退款金额',
      '充值券退款金额',
      '退款类型',
      '退款状态',
      '申请退款金额',
    ])
    const kept = header.split(',').map((name) => !gone.has(name))
    const cut = (line: string) =>
      `\`${line
        .slice(1)
        .split(',`')
        .filter((_, i) => kept[i])
        .join(',`')}`
    const text = bill(
      header
        .split(',')
        .filter((name) => !gone.has(name))
        .join(','),
      ...[cut(payment), cut(discounted), summaryHeader],
      '`2,`354.00,`0.00,`0.00,`2.12000,`359.00,`0.00',
    )
    expect(parse(text)).toMatchObject({ outcome: 'parsed', rows: [{ kind: 'payment' }, { kind: 'payment' }] })
  })

  test('of refunds only: with the two times of a refund', () => {
    const names = header.replace('微信退款单号', '退款申请时间,退款成功时间,微信退款单号')
    const row = refund.replace('`50300806962026111100000000009', '`2026-11-11 10:00:00,`2026-11-11 10:00:09,$&')
    const text = bill(names, row, summaryHeader, '`1,`0.00,`40.00,`0.00,`-0.24000,`0.00,`40.00')
    const whole = parse(sample)
    expect(parse(text)).toEqual({
      outcome: 'parsed',
      setAside: [],
      rows: whole.outcome === 'parsed' ? whole.rows.slice(2) : [],
    })
  })

  test.each([
    ['REVOKED', 'SUCCESS', 'done'],
    ['REFUND', 'PROCESSING', 'pending'],
    ['REFUND', 'FAIL', 'failed'],
    ['REFUND', 'CHANGE', 'failed'],
  ])('a row %s whose refund is %s: %s', (state, status, progress) => {
    const row = refund.replace('`REFUND', `\`${state}`).replace('`SUCCESS', `\`${status}`)
    const parsed = parse(sample.replace(refund, row))
    if (parsed.outcome !== 'parsed') throw new Error(parsed.message)
    expect(parsed).toMatchObject({ setAside: [], rows: [{}, {}, { kind: 'refund', progress, amountFen: 4000 }] })
  })

  test('that names a refund twice, on its way and made: the later word stands', () => {
    const processing = refund.replace('`SUCCESS', '`PROCESSING')
    const sum = '`2,`0.00,`80.00,`0.00,`-0.48000,`0.00,`80.00'
    for (const rows of [
      [processing, refund],
      [refund, processing],
    ])
      expect(parse(bill(header, ...rows, summaryHeader, sum))).toMatchObject({
        ...{ setAside: [], rows: [{ progress: 'done', amountFen: 4000 }] },
      })
  })

  test.each([
    ['0.00500', 1],
    ['0.00499', 0],
    ['1.52500', 153],
    ['-0.00500', -1],
    ['-0.00400', 0],
    ['-1.52400', -152],
  ])('a fee of %s yuan is %i fen', (fee, fen) => {
    const row = payment.replace('`1.52000', `\`${fee}`)
    const text = bill(header, row, summaryHeader, `\`1,\`254.00,\`0.00,\`0.00,\`${fee},\`259.00,\`0.00`)
    expect(parse(text)).toMatchObject({ rows: [{ feeFen: fen }] })
  })

  test('of no trades', () => {
    const text = bill(header, summaryHeader, '`0,`0.00,`0.00,`0.00,`0.00000,`0.00,`0.00')
    expect(parse(text)).toEqual({ outcome: 'parsed', rows: [], setAside: [] })
  })
})

/** The second payment, 100.00, with something odd in it; the rest of the day as it is. */
const withOdd = (from: string, to: string): ParsedBill => {
  expect(discounted).toContain(from)
  return parse(sample.replace(discounted, discounted.replace(from, to)))
}

describe('a WeChat trade bill is taken, and a row set aside', () => {
  test.each([
    ['in another currency', '`CNY', '`HKD', '货币种类 is not CNY'],
    ['of no time', '`2026-11-11 00:02:10', '`2026-11-31 00:00:04', '交易时间 is no time'],
    ['without a transaction id', '`4200002345202611110123456790', '`', '微信订单号 is no transaction id'],
    ['in an unknown state', '`SUCCESS,`CMB_DEBIT', '`PENDING,`CMB_DEBIT', '交易状态 is not a known word'],
    ['revoked without a refund id', '`SUCCESS,`CMB_DEBIT', '`REVOKED,`CMB_DEBIT', '微信退款单号 is no refund id'],
  ])('%s', (_, from, to, reason) => {
    const parsed = withOdd(from, to)
    if (parsed.outcome !== 'parsed') throw new Error(parsed.message)
    expect(parsed.rows.map((row) => row.amountFen)).toEqual([25900, 4000])
    expect(parsed.setAside).toMatchObject([{ line: 3, reason, cells: { 订单金额: '100.00' } }])
    // Neither the payer nor what was bought, and the same name whenever the line comes again.
    expect(JSON.stringify(parsed.setAside)).not.toMatch(/oUpF8|晨风/)
    expect(withOdd(from, to)).toEqual(parsed)
  })

  test('in a refund whose progress is an unknown word', () => {
    const parsed = parse(sample.replace('`ORIGINAL,`SUCCESS', '`ORIGINAL,`WAITING'))
    expect(parsed).toMatchObject({ rows: [{}, {}], setAside: [{ line: 4, reason: '退款状态 is not a known word' }] })
  })

  test('in another currency, whether or not the summary counts it', () => {
    const foreign = sample.replace(discounted, discounted.replace('`CNY', '`HKD'))
    const without = '`2,`254.00,`40.00,`0.00,`1.28000,`259.00,`40.00'
    for (const text of [foreign, foreign.replace(summary, without)])
      expect(parse(text)).toMatchObject({ outcome: 'parsed', rows: [{}, {}], setAside: [{ line: 3 }] })
    expect(parse(sample.replace(summary, without))).toMatchObject({ code: 'bill_summary_mismatch' })
  })

  test('of a trade that it names twice, even if the summary counts both', () => {
    const text = bill(header, payment, payment, summaryHeader, '`2,`508.00,`0.00,`0.00,`3.04000,`518.00,`0.00')
    expect(parse(text)).toMatchObject({
      rows: [{ amountFen: 25900 }],
      setAside: [{ line: 3, reason: 'an earlier line has the same trade' }],
    })
  })

  test('but not a thousand and one: then it is another kind of bill', () => {
    const foreign = (count: number) => {
      const total = (fen: number) => `${fen * count}.00`
      const sum = `\`${count},\`${total(254)},\`0.00,\`0.00,\`${(count * 1.52).toFixed(5)},\`${total(259)},\`0.00`
      return parse(
        bill(header, ...Array.from({ length: count }, () => payment.replace('`CNY', '`HKD')), summaryHeader, sum),
      )
    }
    expect(foreign(setAsideMax)).toMatchObject({ outcome: 'parsed', rows: [] })
    const refused = foreign(setAsideMax + 1)
    expect(refused).toMatchObject({ outcome: 'refused', code: 'malformed_bill' })
    expect(refused.outcome === 'refused' && refused.message).toContain('货币种类 is not CNY')
  })
})

describe('a WeChat trade bill is refused whole', () => {
  test.each([
    ['its order total is a fen off', ['`359.00,`40.00', '`359.01,`40.00'], '订单总金额 is 0.01 off'],
    ['its fee total is off by the last decimal', ['`1.88000', '`1.87999'], '手续费总金额 is -0.00001 off'],
    ['its count is off', ['`3,`354.00', '`4,`354.00'], '总交易单数 differs: 3 rows'],
    ['a row was changed', ['`259.00,`0.00', '`295.00,`0.00'], '订单总金额 is -36.00 off: the rows add up to 395.00'],
    ['a row is missing', [`${discounted}\n`, ''], '总交易单数 differs: 2 rows'],
  ] as [string, [string, string], string][])('when %s', (_, [from, to], message) => {
    expect(sample).toContain(from)
    const parsed = parse(sample.replace(from, to))
    expect(parsed).toMatchObject({ outcome: 'refused', code: 'bill_summary_mismatch' })
    expect(parsed.outcome === 'refused' && parsed.message).toContain(message)
  })

  test.each([
    ['is empty', '', 'empty'],
    ['has no header', sample.slice(sample.indexOf('`')), 'no header'],
    ['is another kind of bill', '记账时间,微信支付业务单号\n', 'missing 交易时间'],
    ['was cut before its summary', bill(header, payment), 'cut off'],
    ['was cut in its summary', bill(header, payment, summaryHeader), 'cut off'],
    ['has a summary of other columns', bill(header, payment, summaryHeader, '`1'), 'as many cells'],
    ['has a summary without a count', sample.replace('总交易单数,', '总交易单数x,'), '总交易单数'],
    ['names a column twice', sample.replace('代金券金额', '订单金额'), 'twice'],
    ['names a column twice in its summary', sample.replace('手续费总金额', '退款总金额'), 'twice'],
    ['has a summary that is no number', sample.replace('`354.00,`40.00', '`x,`40.00'), '应结订单总金额'],
  ])('when it %s', (_, text, message) => {
    const parsed = parse(text)
    expect(parsed).toMatchObject({ outcome: 'refused', code: 'malformed_bill' })
    expect(parsed.outcome === 'refused' && parsed.message).toContain(message)
  })

  test.each([
    ['an amount with three decimals', '`259.00', '`259.001', '订单金额'],
    ['a negative amount', '`259.00', '`-259.00', '订单金额 is negative'],
    ['an amount in words', '`1.52000', '`free', '手续费'],
    ['a cell too many', '`OTHERS', '`OTHERS,`', '28 cells'],
    ['no backtick', '`2026-11-11 00:00:04', '2026-11-11 00:00:04', 'backtick'],
  ])('with the line of a row with %s', (_, from, to, problem) => {
    const parsed = parse(sample.replace(from, to))
    expect(parsed).toMatchObject({ outcome: 'refused', badLineCount: 1, badLines: [{ line: 2 }] })
    expect(parsed.outcome === 'refused' && parsed.badLines[0]?.problem).toContain(problem)
  })

  test('with the first twenty bad lines and the count of all', () => {
    const text = bill(header, ...Array.from({ length: 33 }, () => 'x'), summaryHeader, summary)
    const parsed = parse(text)
    expect(parsed).toMatchObject({ outcome: 'refused', badLineCount: 33 })
    expect(parsed.outcome === 'refused' && parsed.badLines.map((bad) => bad.line)).toEqual(
      Array.from({ length: badLinesShown }, (_, i) => i + 2),
    )
  })

  test('when it is not UTF-8', () => {
    expect(parseWechatPayBill(Buffer.from([0xff, 0xfe, 0x41]))).toMatchObject({ code: 'malformed_bill' })
  })

  test('or parsed, and never throws, whatever one byte is changed', () => {
    const bytes = Buffer.from(sample, 'utf8')
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const changed = Buffer.from(bytes)
        changed[at] = value
        const parsed = parseWechatPayBill(changed)
        if (parsed.outcome !== 'parsed') return
        // Every amount of a bill that is taken is what it was, and each row is booked or set aside.
        const amounts = parsed.rows.map((row) => row.amountFen)
        expect([25900, 10000, 4000].filter((fen) => amounts.includes(fen))).toEqual(amounts)
        expect(amounts.length + parsed.setAside.length).toBe(3)
      }),
      { numRuns: runs(2_000) },
    )
  })
})
