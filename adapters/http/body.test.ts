import { expect, test } from 'vitest'
import { fc } from '../../router/testing/seed.ts'
import { bodyBuffer } from './body.ts'

const chunk = (bytes: Uint8Array) => bytes.slice().buffer

test('gives exactly what came, in memory of its own, or nothing when it is over the limit', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 9000 }), { maxLength: 12 }), fc.nat(60_000), (chunks, bytesMax) => {
      const body = bodyBuffer(bytesMax)
      let length = 0
      for (const bytes of chunks) {
        length += bytes.length
        expect(body.add(chunk(bytes))).toBe(length <= bytesMax)
        if (length > bytesMax) break
      }
      expect(body.received()).toBe(length)
      const taken = body.take()
      if (length > bytesMax) return
      expect(Buffer.from(taken)).toEqual(Buffer.concat(chunks))
      expect(taken.buffer.byteLength).toBe(length)
    }),
  )
})

test('a chunk that vanishes after the call is not missed', () => {
  const body = bodyBuffer(100)
  const bytes = new Uint8Array([1, 2, 3])
  body.add(bytes.buffer)
  bytes.fill(0)
  expect([...body.take()]).toEqual([1, 2, 3])
})

test('once over, always over', () => {
  const body = bodyBuffer(4)
  expect(body.add(new ArrayBuffer(5))).toBe(false)
  expect(body.add(new ArrayBuffer(0))).toBe(false)
  const dropped = bodyBuffer(4)
  dropped.drop(1)
  expect(dropped.add(new ArrayBuffer(1))).toBe(false)
  expect(dropped.received()).toBe(2)
})
