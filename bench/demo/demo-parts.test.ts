import { describe, expect, test } from 'vitest'
import { channels } from '../../adapters/channels/channels.ts'
import { fetchedOrderEvent } from '../../adapters/channels/wechat/channel.ts'
import type { OrderSnapshot } from '../../router/types.ts'
import { castOf, parts, plainOrders } from './cast.ts'
import type { OrderView } from './client.ts'
import { laidOut, paperOf, widthOf } from './paper.ts'
import { claim, type Play } from './play.ts'
import { stageAt } from './stage.ts'
import { balance } from './stock-book.ts'

const second = 1_794_326_400

describe('the paper', () => {
  test.each([
    ['abc', 3],
    ['仓店', 4],
    ['a仓', 3],
    ['¥1.00', 5],
    ['（）', 4],
    ['', 0],
  ])('%s takes %i columns', (text, width) => expect(widthOf(text)).toBe(width))

  test('columns of a table line up whatever the script, and long cells are cut', () => {
    const columns = [{ head: 'node' }, { head: 'name', max: 7 }, { head: 'n', align: 'right' as const }]
    expect(
      laidOut(columns, [
        ['WH', '上海青浦仓', '7'],
        ['ST-1', 'x', '12'],
      ]),
    ).toEqual(['  node  name      n', '  WH    上海青…   7', '  ST-1  x        12'])
  })

  test('a claim that is not kept is told as such, and counted', () => {
    let text = ''
    const paper = paperOf({
      colour: false,
      write: (part) => {
        text += part
      },
    })
    const play = { paper, counts: { claims: 0 }, broken: [] as string[] } as unknown as Play
    claim(play, true, 'One is kept.')
    claim(play, false, 'One is not', 'there is another')
    expect(play).toMatchObject({ counts: { claims: 2 }, broken: ['One is not, but there is another'] })
    expect(text).toBe('  ✓ One is kept.\n  ✗ One is not: NOT SO, but there is another\n')
  })
})

describe('the stage', () => {
  test('two runs share no order id, and each has the whole cast', () => {
    const ids = [second, second + 1, second + 999, second + 1_000].flatMap((at) => {
      const stage = stageAt(at)
      const cast = castOf(stage)
      expect(Object.keys(cast.parts).sort()).toEqual([...parts].sort())
      expect(cast.plain).toHaveLength(plainOrders)
      const { tmall, jd, wechat, presale } = stage.samples
      return [...Object.values(cast.parts), ...cast.plain, tmall, jd, wechat, presale].map(
        (o) => `${o.channel} ${o.orderId}`,
      )
    })
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('the published samples are taken by their channels, and mean what they meant, now', () => {
    const { samples } = stageAt(second)
    const nowMs = second * 1_000
    const read = (order: typeof samples.tmall, event: 'paid' | 'deposit_paid') => {
      const { query, headers, body } = order.request(event, nowMs)
      const request = { method: 'POST' as const, query, contentType: headers['content-type']!, body }
      const received = channels[order.channel].receive(request, order.shop.credentials, nowMs)
      if (received.outcome !== 'event') throw new Error(JSON.stringify(received))
      const payload = order.channel === 'wechat' ? Buffer.from(samples.wechatAnswer) : received.payload
      const event_ = order.channel === 'wechat' ? fetchedOrderEvent(payload, '1') : received
      expect(event_.orderId).toBe(order.orderId)
      const settings = { shop: order.shop.shop, skuMap: order.shop.skuMap }
      return channels[order.channel].normalise('order', payload, settings) as OrderSnapshot
    }
    const paid = [samples.tmall, samples.jd, samples.wechat, samples.presale].map((order) => ({
      order,
      snapshot: read(order, 'paid'),
    }))
    for (const { order, snapshot } of paid) {
      expect(snapshot).toMatchObject({ orderId: order.orderId, platformState: 'ready' })
      expect(order.moves).toMatchObject([{ kind: 'payment', amountFen: snapshot.paidFen, at: snapshot.paidAt }])
      expect(snapshot.lines.map(({ sku }) => sku).sort()).toEqual([...order.skus].sort())
      expect(snapshot.modifiedAt).toBeLessThan(nowMs)
      if (order.channel === 'wechat') expect(snapshot.transactionId).toBe(order.transactionId)
    }
    expect(read(samples.presale, 'deposit_paid')).toMatchObject({ platformState: 'unpaid', paidAt: null })
  })
})

describe('the stock book', () => {
  const lines = [{ sku: 'A', quantity: 3, shipped: 2 }]
  const views = [{ tasks: [{ state: 'accepted', lines }] }] as unknown as OrderView[]
  const before = new Map([['A', { onHand: 10, reserved: 1 }]])
  const book = { before, posted: new Map([['A', 5]]), writtenOff: new Map([['A', 1]]) }
  test.each([
    [12, 2, true],
    [13, 2, false],
    [11, 2, false],
    [12, 1, false],
    [12, 3, false],
  ])('on hand %i and reserved %i afterwards: adds up is %s', (onHand, reserved, addsUp) => {
    const [line] = balance(book, new Map([['A', { onHand, reserved }]]), views)
    expect(line).toMatchObject({ shipped: 2, inTasks: 1, addsUp })
  })
})
