import { expect, test } from 'vitest'
import { type EventToDecide, packEvents, unpackEvents } from './batch.ts'

const event = (seq: string, body: string): EventToDecide => ({
  ...{
    seq,
    channel: 'tmall',
    shop: '店',
    eventId: `e${seq}`,
    orderId: '',
    kind: 'order',
    storedAtMs: 1_800_000_000_000,
  },
  body: Buffer.from(body),
})

test.each([
  ['none', []],
  ['one without a body', [event('1', '')]],
  ['several', [event('9007199254740993', '{"a":"中"}'), event('2', ''), event('3', 'x'.repeat(70_000))]],
])('what a thread gets is what was sent: %s', (_, events) => {
  const packed = packEvents(events)
  // Moved to the thread whole: nothing else may lie in its memory.
  expect(packed.buffer.byteLength).toBe(packed.length)
  const got = unpackEvents(packed)
  expect(got.map((e) => ({ ...e, body: Buffer.from(e.body) }))).toEqual(events)
})
