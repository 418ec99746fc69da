import { describe, expect, test } from 'vitest'
import { parseGenericBill } from './generic.ts'

const header = 'ref,channel,shop,orderId,kind,amountFen,feeFen,occurredAt'
const parse = (...lines: string[]) => parseGenericBill(Buffer.from(lines.join('\n'), 'utf8'))

describe('a plain bill', () => {
  test('with a payment, a refund and a fee', () => {
    expect(
      parse(
        `\ufeff${header}`,
        'p1,tmall,旗舰店,4089823765510044812,payment,25900,155,2026-11-11 00:00:04',
        '"r,1",jd,12345,77,refund,4000,-24,2026-11-12T01:02:03+08:00',
        '',
        'f1,,,,fee,300,,1794326400000',
      ),
    ).toEqual({
      outcome: 'parsed',
      setAside: [],
      rows: [
        {
          ...{ ref: 'p1', kind: 'payment', channel: 'tmall', shop: '旗舰店', orderId: '4089823765510044812' },
          ...{ transactionId: null, amountFen: 25900, feeFen: 155, occurredAt: Date.parse('2026-11-10T16:00:04Z') },
        },
        {
          ...{ ref: 'r,1', kind: 'refund', channel: 'jd', shop: '12345', orderId: '77' },
          ...{ transactionId: null, amountFen: 4000, feeFen: -24, occurredAt: Date.parse('2026-11-11T17:02:03Z') },
        },
        {
          ...{ ref: 'f1', kind: 'fee', channel: null, shop: null, orderId: null },
          ...{ transactionId: null, amountFen: 300, feeFen: 0, occurredAt: 1_794_326_400_000 },
        },
      ],
    })
  })

  test('in any order of columns, with others beside them', () => {
    const parsed = parse(
      'note,occurredAt,feeFen,amountFen,kind,orderId,shop,channel,ref',
      'x,1794326400000,1,2,payment,9,s,wechat,p1',
    )
    expect(parsed).toMatchObject({ rows: [{ ref: 'p1', channel: 'wechat', orderId: '9', amountFen: 2, feeFen: 1 }] })
  })

  test.each([
    ['a fraction', 'p,jd,s,1,payment,1.5,0,1794326400000', 'amountFen'],
    ['a negative amount', 'p,jd,s,1,payment,-1,0,1794326400000', 'amountFen'],
    ['an amount above 2^53', 'p,jd,s,1,payment,9007199254740993,0,1794326400000', 'amountFen'],
    ['an exponent', 'p,jd,s,1,payment,1e3,0,1794326400000', 'amountFen'],
    ['no amount', 'p,jd,s,1,payment,,0,1794326400000', 'amountFen'],
    ['a fee in words', 'p,jd,s,1,payment,1,no,1794326400000', 'feeFen'],
    ['an unknown kind', 'p,jd,s,1,sale,1,0,1794326400000', 'kind'],
    ['an unknown channel', 'p,pdd,s,1,payment,1,0,1794326400000', 'channel'],
    ['no order', 'p,jd,s,,payment,1,0,1794326400000', 'needs channel'],
    ['an order without its shop', 'p,jd,,1,fee,1,0,1794326400000', 'needs channel'],
    ['no ref', ',jd,s,1,payment,1,0,1794326400000', 'ref'],
    ['no instant', 'p,jd,s,1,payment,1,0,yesterday', 'occurredAt'],
    ['a day that is none', 'p,jd,s,1,payment,1,0,2026-02-29 00:00:00', 'occurredAt'],
    ['a T without a zone', 'p,jd,s,1,payment,1,0,2026-02-28T00:00:00', 'occurredAt'],
    ['epoch seconds', 'p,jd,s,1,payment,1,0,1794326400', 'occurredAt'],
    ['a cell too few', 'p,jd,s,1,payment,1,0', '7 cells'],
  ])('is refused whole for %s, with its line', (_, line, problem) => {
    const parsed = parse(header, 'p0,jd,s,1,payment,1,0,1794326400000', line)
    expect(parsed).toMatchObject({
      outcome: 'refused',
      code: 'malformed_bill',
      badLineCount: 1,
      badLines: [{ line: 3 }],
    })
    expect(parsed.outcome === 'refused' && parsed.badLines[0]?.problem).toContain(problem)
  })

  test.each([
    ['nothing', '', 'empty'],
    ['no header', 'p,jd,s,1,payment,1,0,1794326400000', 'no column ref, channel'],
    ['a column twice', `${header},ref`, 'twice'],
    ['an open quote', `${header}\n"p,jd,s,1,payment,1,0,1794326400000`, 'quote'],
  ])('of %s is refused', (_, text, message) => {
    const parsed = parse(text)
    expect(parsed.outcome === 'refused' && parsed.message).toContain(message)
  })
})
