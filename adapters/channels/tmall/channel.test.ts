import { describe, expect, test } from 'vitest'
import { Unintelligible } from '../channel.ts'
import { nowMs } from '../conformance/fixtures.ts'
import { tmall } from './channel.ts'
import { signTmall, type TmallSignMethod, tmallSignMethods } from './sign.ts'

const credentials = { appKey: 'k', appSecret: 's' }
const settings = { shop: 's1', skuMap: {} }
const push = (text: string, timestampMs = nowMs, signMethod: TmallSignMethod = 'md5') => {
  const body = Buffer.from(text)
  const query = signTmall({ ...credentials, timestampMs, body, method: 'm', signMethod })
  return { method: 'POST', query, contentType: 'application/json', body } as const
}
// Written by hand, since JavaScript cannot write these numbers.
const refund = (fields: string) => `{"refund_get_response":{"refund":{"refund_id":7712345678901234567,
  "tid":4089823765510044812,"oid":4089823765511044812,"modified":"2026-11-11 00:20:00",${fields}}}}`
const trade = `{"trade":{"tid":4089823765510044812,"status":"WAIT_SELLER_SEND_GOODS","payment":"10.00",
  "modified":"2026-11-11 00:00:04","orders":[{"oid":4089823765511044812,"num":1,"num_iid":9007199254740993}]}}`

describe('a date before 1970, which systems write that have no empty one', () => {
  const dated = trade.replace('"2026-11-11 00:00:04"', '"1970-01-01 00:00:00"')
  test('is none: the event has no time of its own', () => {
    expect(tmall.receive(push(dated), credentials, nowMs)).toMatchObject({ kind: 'order', occurredAt: 0 })
  })
  test('does not spoil an order that has others', () => {
    const text = dated.replace(
      '"payment"',
      '"send_time":"1970-01-01 00:00:00","created":"2026-11-11 00:00:01","payment"',
    )
    const modifiedAt = Date.parse('2026-11-10T16:00:01Z')
    expect(tmall.normalise('order', Buffer.from(text), settings)).toMatchObject({ modifiedAt, shipBy: null })
  })
})

describe('refunds', () => {
  const named = (status: string) =>
    tmall.receive(push(refund(`"status":"${status}","refund_fee":"161.10"`)), credentials, nowMs)
  test('named by their id, time and status', () => {
    expect(named('SUCCESS')).toMatchObject({
      kind: 'refund',
      eventId: 'refund:7712345678901234567:2026-11-11 00:20:00:SUCCESS',
      orderId: '4089823765510044812',
      occurredAt: Date.parse('2026-11-10T16:20:00Z'),
    })
  })
  test.each([
    ['WAIT_SELLER_AGREE', 'requested'],
    ['WAIT_BUYER_RETURN_GOODS', 'requested'],
    ['WAIT_SELLER_CONFIRM_GOODS', 'requested'],
    ['SELLER_REFUSE_BUYER', 'refused'],
    ['CLOSED', 'closed'],
    ['SUCCESS', 'refunded'],
  ])('%s is %s', (word, status) => {
    const received = named(word)
    expect(received.outcome === 'event' && tmall.normalise('refund', received.payload, settings)).toEqual({
      type: 'refund',
      channel: 'tmall',
      shop: 's1',
      orderId: '4089823765510044812',
      refundId: '7712345678901234567',
      lineId: '4089823765511044812',
      status,
      refundFen: 16110,
      modifiedAt: Date.parse('2026-11-10T16:20:00Z'),
    })
  })
  test('a word that is not known is a request', () => {
    const told = tmall.normalise('refund', Buffer.from(refund('"status":"MAYBE","refund_fee":"1.00"')), settings)
    expect(told).toMatchObject({ status: 'requested' })
  })
  test.each(['"status":"SUCCESS"', '"status":"SUCCESS","refund_fee":"-1.00"'])('not understood: %s', (fields) => {
    expect(() => tmall.normalise('refund', Buffer.from(refund(fields)), settings)).toThrow(Unintelligible)
  })
  test('kept as an order: not understood', () => {
    const payload = Buffer.from(refund('"status":"SUCCESS","refund_fee":"1.00"'))
    expect(() => tmall.normalise('order', payload, settings)).toThrow(Unintelligible)
  })
})

test('bare numbers above 2^53 keep every digit', () => {
  expect(tmall.receive(push(trade), credentials, nowMs)).toMatchObject({ orderId: '4089823765510044812' })
  expect(tmall.normalise('order', Buffer.from(trade), settings)).toMatchObject({
    orderId: '4089823765510044812',
    lines: [{ lineId: '4089823765511044812', platformSku: '9007199254740993', paidFen: 1000 }],
  })
})

test.each(tmallSignMethods)('sign_method %s', (signMethod) => {
  const request = push(trade, nowMs, signMethod)
  expect(tmall.receive(request, credentials, nowMs).outcome).toBe('event')
  expect(tmall.receive({ ...request, body: Buffer.from(`${trade} `) }, credentials, nowMs).outcome).toBe('refused')
})

test.each([
  [600_000, undefined, 'event'],
  [-600_000, undefined, 'event'],
  [601_000, undefined, 'refused'],
  [-601_000, undefined, 'refused'],
  [86_400_000, 86_400_000, 'event'],
  [2_000, 1_000, 'refused'],
])('%i ms off with a tolerance of %s ms: %s', (offMs, toleranceMs, outcome) => {
  expect(tmall.receive(push(trade, nowMs + offMs), credentials, nowMs, toleranceMs).outcome).toBe(outcome)
})
