/**
 * What every channel has to pass. One entry of `cases` a channel: how its platform signs, a sample with the values that
 * it means, and what the platform's own words for "taken" and "not taken" are.
 */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { fc, runs } from '../../../router/testing/seed.ts'
import { channelNames, type OrderSnapshot, type Snapshot } from '../../../router/types.ts'
import {
  type Credentials,
  type EventKind,
  type Received,
  type ReceivedEvent,
  type RefusalCode,
  Unintelligible,
  type WebhookRequest,
} from '../channel.ts'
import { channels } from '../channels.ts'
import { jdDigest } from '../jd/sign.ts'
import { openOrderApis } from '../order-apis.ts'
import { tmallDigest, tmallSignMethods } from '../tmall/sign.ts'
import { encryptWechat, wechatDigest } from '../wechat/crypto.ts'
import { cases, settings } from './cases.ts'
import { bytes, fixture, nowMs, vectors } from './fixtures.ts'
import { tmallVector } from './tmall.ts'
import type { ChannelCase } from './types.ts'

const receive = (one: ChannelCase, request: WebhookRequest, credentials: Credentials = one.credentials) =>
  channels[one.name].receive(request, credentials, nowMs)
const eventOf = (received: Received): ReceivedEvent => {
  if (received.outcome !== 'event') throw new Error(`expected an event, got ${JSON.stringify(received)}`)
  return received
}
/** The bytes of a message about an order, however the platform delivers it, as events that `normalise` takes. */
const eventsOf = (one: ChannelCase, order: Uint8Array): ReceivedEvent =>
  channels[one.name].fetch?.eventOf(order, '1') ?? eventOf(receive(one, one.sign(order)))
const normalised = (one: ChannelCase, kind: EventKind, payload: Uint8Array): Snapshot =>
  channels[one.name].normalise(kind, payload, settings)
const orderOf = (one: ChannelCase, order: unknown): OrderSnapshot => {
  const { kind, payload } = eventsOf(one, bytes(order))
  const snapshot = normalised(one, kind, payload)
  if (snapshot.type !== 'order') throw new Error('expected an order')
  return snapshot
}

test('every channel has a case', () => {
  expect(cases.map((one) => one.name).sort()).toEqual([...channelNames].sort())
  for (const [name, channel] of Object.entries(channels)) expect(channel.name).toBe(name)
})

test('a channel whose orders are fetched has a client for them, and no other has', async () => {
  const apis = openOrderApis()
  try {
    for (const [name, { fetch }] of Object.entries(channels)) expect(apis.of(name) !== null).toBe(fetch !== undefined)
    expect(apis.of('another')).toBe(null)
  } finally {
    await apis.close()
  }
})

describe.each(cases)('$name', (one) => {
  const channel = channels[one.name]
  const { accepted } = one

  describe('a valid request', () => {
    test('is taken and named', () => {
      const { payload, signature, ...named } = eventOf(receive(one, one.sign(accepted.message)))
      expect(named).toEqual({ outcome: 'event', ...accepted.named })
      expect(signature).toMatch(/^[0-9A-Fa-f]{32,64}$/)
      expect(Buffer.from(payload).equals(Buffer.from(accepted.message))).toBe(true)
    })
    test('says the same twice, whatever the envelope', () => {
      const first = eventOf(receive(one, one.sign(accepted.message)))
      const again = eventOf(receive(one, one.sign(accepted.message, { timestampMs: nowMs - 60_000 })))
      expect({ ...again, payload: '', signature: '' }).toEqual({ ...first, payload: '', signature: '' })
      expect(again.signature).not.toBe(first.signature)
      expect(Buffer.from(again.payload).equals(Buffer.from(first.payload))).toBe(true)
    })
    test('means what the sample says', () => {
      expect(orderOf(one, one.order)).toEqual(one.snapshot)
    })
    test('the lines and the freight are what the buyer paid', () => {
      const { lines, freightFen, paidFen } = orderOf(one, one.order)
      expect(lines.reduce((sum, line) => sum + line.paidFen, freightFen)).toBe(paidFen)
    })
    test('leaves its bytes as they were', () => {
      const request = one.sign(accepted.message)
      const before = Buffer.from(request.body)
      receive(one, request)
      expect(before.equals(request.body)).toBe(true)
    })
  })

  describe('each way to be wrong', () => {
    test.each<[name: string, expected: RefusalCode | 'unintelligible' | 'ignored', request: WebhookRequest]>(
      one.wrong.map(([name, expected, request]) => [name, expected, request()]),
    )('%s: %s', (_name, expected, request) => {
      const received = receive(one, request)
      if (expected === 'unintelligible') {
        const event = eventOf(received)
        const hash = createHash('sha256').update(event.payload).digest('hex')
        expect(event).toMatchObject({ kind: expected, eventId: `sha256:${hash}`, orderId: '', occurredAt: 0 })
        expect(() => normalised(one, 'order', event.payload)).toThrow(Unintelligible)
      } else if (expected === 'ignored') expect(received).toEqual({ outcome: 'ignored' })
      else expect(received).toEqual({ outcome: 'refused', code: expected })
    })
    test('credentials of another shop', () => {
      for (const key of channel.credentialKeys.filter((name) => name !== 'appSecret' || one.name !== 'wechat')) {
        const other = { ...one.credentials, [key]: `x${one.credentials[key]!.slice(1)}` }
        expect(receive(one, one.sign(accepted.message), other)).toMatchObject({ outcome: 'refused' })
      }
    })
    test('credentials that are not there never let anybody in', () => {
      for (const key of channel.credentialKeys.filter((name) => name !== 'appSecret' || one.name !== 'wechat'))
        for (const missing of ['', undefined]) {
          const credentials = { ...one.credentials, [key]: missing } as Credentials
          const request = one.sign(accepted.message, { credentials: { ...one.credentials, [key]: '' } })
          expect(receive(one, request, credentials)).toMatchObject({ outcome: 'refused' })
        }
    })
  })

  describe('the platform\u2019s own words', () => {
    test('taken', () => {
      expect(channel.acknowledgement).toMatchObject({ status: 200, body: one.words.taken })
    })
    test.each<[code: RefusalCode, status: number]>([
      ['bad_signature', 401],
      ['stale_timestamp', 401],
      ['malformed', 400],
      ['unknown_shop', 404],
      ['not_supported', 405],
      ['body_too_large', 413],
      ['try_again', 503],
    ])('not taken: %s', (code, status) => {
      const answer = channel.refusal(code)
      expect(answer.status).toBe(status)
      expect(answer.body).toMatch(one.words.notTaken)
      expect(answer.body).not.toBe(one.words.taken)
    })
    test('a bad signature', () => {
      expect(channel.refusal('bad_signature').body).toBe(one.words.badSignature)
    })
  })

  describe('orders that differ from the sample', () => {
    test.each(one.variants.map((variant) => [variant.name, variant] as const))('%s', (_name, variant) => {
      expect(orderOf(one, variant.order)).toMatchObject(variant.expected)
    })
    test.each(one.nonsense.map((variant) => [variant.name, variant] as const))(
      'not understood: %s',
      (_name, variant) => {
        const event = eventsOf(one, bytes(variant.order))
        expect(() => normalised(one, event.kind, event.payload)).toThrow(Unintelligible)
        expect(() => normalised(one, 'order', event.payload)).toThrow(Unintelligible)
      },
    )
    test('the shop\u2019s SKU map, by the merchant\u2019s code or the platform\u2019s id', () => {
      const [line] = one.snapshot.lines
      const { payload } = eventsOf(one, bytes(one.order))
      for (const code of [line!.sku, line!.platformSku]) {
        const snapshot = channel.normalise('order', payload, { shop: 's', skuMap: { [code]: 'MAPPED' } })
        expect(snapshot.type === 'order' && snapshot.lines[0]?.sku).toBe('MAPPED')
      }
    })
    test('codes that are names of Object.prototype are codes', () => {
      const order = orderOf(one, one.withSku('constructor'))
      expect(order.lines[0]?.sku).toBe('constructor')
    })
    test('text that Postgres cannot hold is replaced', () => {
      const order = orderOf(one, one.withNote('a\u0000b\ud800c\u{1f600}'))
      expect(order.buyerMessage).toBe('a\ufffdb\ufffdc\u{1f600}')
    })
  })

  describe('whatever comes', () => {
    const anything = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(bytes), fc.constant(accepted.message))
    test('receive answers', () => {
      fc.assert(
        fc.property(
          fc.constantFrom('GET', 'POST'),
          fc.oneof(fc.string(), fc.constant(one.sign(accepted.message).query)),
          fc.oneof(anything, fc.constant(one.sign(accepted.message).body)),
          (method, query, body) => {
            const { outcome } = receive(one, { method: method as 'GET' | 'POST', query, contentType: '', body })
            expect(['event', 'echo', 'ignored', 'refused']).toContain(outcome)
          },
        ),
      )
    })
    test('a signed body is never refused', () => {
      fc.assert(
        fc.property(anything, (body) => {
          fc.pre(one.name !== 'jd' || body.length > 0)
          expect(['event', 'ignored']).toContain(receive(one, one.sign(body)).outcome)
        }),
      )
    })
    test('one field of the sample replaced: an order, or Unintelligible without what the buyer wrote', () => {
      const junk = fc.oneof(
        fc.jsonValue(),
        fc.constantFrom<unknown>(null, '', [], {}, -1, 0.5, 1e300, '-1', '1e9', '9'.repeat(40), 'NaN', '\u0000', true),
      )
      const paths = pathsOf(one.order)
      fc.assert(
        fc.property(fc.constantFrom(...paths), junk, (path, value) => {
          const payload = bytes(replaced(one.order, path, value))
          try {
            const event = eventsOf(one, payload)
            const snapshot = normalised(one, event.kind, event.payload)
            if (snapshot.type === 'order') for (const line of snapshot.lines) expect(line.quantity > 0).toBe(true)
          } catch (error) {
            expect(error).toBeInstanceOf(Unintelligible)
            for (const secret of one.personal) expect((error as Error).message).not.toContain(secret)
          }
        }),
        { numRuns: runs(400) },
      )
    })
    test('any bytes and any kind: a snapshot, or Unintelligible', () => {
      fc.assert(
        fc.property(
          fc.constantFrom<EventKind>('order', 'refund', 'notification', 'unintelligible'),
          anything,
          (kind, payload) => {
            try {
              normalised(one, kind, payload)
            } catch (error) {
              expect(error).toBeInstanceOf(Unintelligible)
            }
          },
        ),
      )
    })
  })
})

describe('vectors of the platforms', () => {
  const upper = (digest: string) => digest.toUpperCase()
  test('tmall: small body', () => {
    const { query, body, secret, sign } = vectors.qimenSmall
    expect(tmallVector(query, Buffer.from(body), secret)).toBe(sign)
  })
  test('tmall: large body', () => {
    const { query, bodyFile, secret, sign } = vectors.qimen
    expect(tmallVector(query, fixture(bodyFile), secret)).toBe(sign)
  })
  test.each(tmallSignMethods)('tmall: %s', (signMethod) => {
    const { params, secret, md5, hmac, hmacSha256 } = vectors.top
    const expected = { md5, hmac: hmac.sign, 'hmac-sha256': hmacSha256.sign }[signMethod]
    const query = new Map<string, string>(Object.entries({ ...params, sign_method: signMethod }))
    expect(upper(tmallDigest(query, new Uint8Array(), secret, signMethod))).toBe(expected)
  })
  test.each(['jos', 'jddj'])('jd: %s', (name) => {
    const { params, secret, sign } = vectors[name]
    expect(upper(jdDigest(new Map(Object.entries(params)), secret))).toBe(sign)
  })
  test('wechat: the platform’s plain signatures', () => {
    for (const { token, timestamp, nonce, signature } of vectors.wechatPlain)
      expect(wechatDigest(token, timestamp, nonce)).toBe(signature)
  })
  test('wechat: a sealed push, both ways', () => {
    const { token, encodingAESKey, appid, timestamp, nonce, random16, plain, encrypt, msg_signature, query, body } =
      vectors.wechatPush
    const sealed = encryptWechat({
      token,
      encodingAesKey: encodingAESKey,
      appId: appid,
      timestamp,
      nonce,
      message: Buffer.from(plain),
      random: Buffer.from(random16),
    })
    expect(JSON.parse(sealed.body).Encrypt).toBe(encrypt)
    expect(sealed.query).toContain(`msg_signature=${msg_signature}`)
    const credentials = { appId: appid, token, encodingAesKey: encodingAESKey, appSecret: 'x' }
    const request = { method: 'POST', query, contentType: 'application/json', body: Buffer.from(body) } as const
    const event = eventOf(channels.wechat.receive(request, credentials, nowMs))
    expect(Buffer.from(event.payload).toString()).toBe(plain)
  })
})

function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  const own = path.length > 0 ? [[...path]] : []
  if (typeof value !== 'object' || value === null) return own
  return [...own, ...Object.entries(value).flatMap(([key, field]) => pathsOf(field, [...path, key]))]
}

function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return by
  if (Array.isArray(value))
    return value.map((field, index) => (String(index) === key ? replaced(field, rest, by) : field))
  return { ...(value as object), [key]: replaced((value as Record<string, unknown>)[key], rest, by) }
}
