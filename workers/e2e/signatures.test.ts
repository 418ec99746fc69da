/**
 * The platforms' doors: every kind of secret, right and wrong, through rotation; replays; times; and credentials that
 * cannot be opened. Each refusal is the platform's own and leaves nothing in the inbox.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kuaidi100, signKuaidi100 } from '../../adapters/carriers/kuaidi100.ts'
import type { Credentials, RefusalCode } from '../../adapters/channels/channel.ts'
import { channels } from '../../adapters/channels/channels.ts'
import { signJd } from '../../adapters/channels/jd/sign.ts'
import { signTmall } from '../../adapters/channels/tmall/sign.ts'
import { encryptWechat } from '../../adapters/channels/wechat/crypto.ts'
import { parseQuery } from '../../adapters/shared/form.ts'
import { type ChannelName, channelNames } from '../../router/types.ts'
import type { Told } from './testing/client.ts'
import { shopOf, type TestOrder, testOrder } from './testing/orders.ts'
import { jdOrderInfo, tmallTrade, wechatOrderAnswer, wechatPush } from './testing/platforms.ts'
import { startTestService, type TestService } from './testing/service.ts'
import { credentials, type Signed, signedTrack } from './testing/webhooks.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
  for (const channel of channelNames) await putShop(channel, 'other', changed(credentials[channel], 'o'))
})
afterAll(() => service.close())

const hourMs = 3_600_000

/** Every value another one of the same shape. */
function changed(given: Credentials, mark: string): Credentials {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, `${mark}${value.slice(1)}`]))
}

async function putShop(channel: ChannelName, shop: string, given: Credentials, more: object = {}): Promise<Told> {
  const path = `/v1/shops/${channel}/${encodeURIComponent(shop)}`
  const apiBaseUrl = service.wechat.url
  const told = await service.admin('PUT', path, { credentials: given, apiBaseUrl, ...more })
  expect([told.status, told.text]).toEqual([200, '{"ok":true}'])
  return told
}

interface Signing {
  readonly with?: Credentials
  readonly shop?: string
  readonly atMs?: number
}

/** As the order's platform signs it; `with` may be another channel's. */
function sign(order: TestOrder, { with: given = credentials[order.channel], shop = order.shop, atMs }: Signing = {}) {
  const { appKey = '', appSecret = '', appId = '', token = '', encodingAesKey = '' } = given
  const timestampMs = atMs ?? Date.now()
  const path = `/webhooks/${order.channel}/${encodeURIComponent(shop)}`
  const post = (query: string, body: string): Signed => ({
    ...{ method: 'POST', path: query === '' ? path : `${path}?${query}`, contentType: 'application/json', body },
  })
  if (order.channel === 'tmall') {
    const text = tmallTrade(order)
    const body = Buffer.from(text)
    return post(signTmall({ appKey, appSecret, timestampMs, body, method: 'm' }), text)
  }
  if (order.channel === 'jd')
    return post('', signJd({ appKey, appSecret, timestampMs, method: 'm', param: jdOrderInfo(order) }))
  service.wechat.answers.set(order.orderId, wechatOrderAnswer(order))
  const sealed = encryptWechat({
    ...{ appId, token, message: Buffer.from(wechatPush(order)), random: randomBytes(16) },
    encodingAesKey: encodingAesKey || 'x'.repeat(43),
    ...{ timestamp: String(Math.floor(timestampMs / 1000)), nonce: String(timestampMs % 1_000_003) },
  })
  return post(sealed.query, sealed.body)
}

const fresh = (channel: ChannelName) => testOrder(channel, [{ sku: 'signed', quantity: 1, paidFen: 100 }])
const inInbox = async (order: TestOrder) =>
  (await service.sql`select from inbox where order_id = ${order.orderId} and kind <> 'command'`).count
const exceptionsOf = async () => (await service.sql`select from exception where kind <> 'shortage'`).count

async function expectTaken(signed: Signed, order: TestOrder): Promise<void> {
  const told = await service.send(signed)
  expect([told.status, told.text]).toEqual([200, channels[order.channel].acknowledgement.body])
  expect(await inInbox(order)).toBeGreaterThan(0)
}

async function expectRefused(signed: Signed, order: TestOrder, code: RefusalCode): Promise<void> {
  const before = [await inInbox(order), await exceptionsOf()]
  const told = await service.send(signed)
  const { status, body } = channels[order.channel].refusal(code)
  expect([told.status, told.text]).toEqual([status, body])
  await service.settled()
  expect([await inInbox(order), await exceptionsOf()]).toEqual(before)
}

describe.each(channelNames)('%s', (channel) => {
  const own: Credentials = credentials[channel]
  const shop = shopOf[channel]
  const elsewhere = channelNames.find((name) => name !== channel && name !== 'wechat')!

  const wrong: readonly (readonly [who: string, signing: () => Signing])[] = [
    ['a secret that nobody has', () => ({ with: changed(own, 'z') })],
    ['the other shop’s secret', () => ({ with: changed(own, 'o') })],
    ['another channel’s secret', () => ({ with: { ...own, ...credentials[elsewhere], token: 'x' } })],
    ['no secret', () => ({ with: Object.fromEntries(Object.keys(own).map((key) => [key, ''])) })],
  ]
  test.each(wrong)('%s', async (_, signing) => {
    const order = fresh(channel)
    await expectRefused(sign(order, signing()), order, 'bad_signature')
  })
  test('its own, at the other shop', async () => {
    const order = fresh(channel)
    await expectRefused(sign(order, { shop: 'other' }), order, 'bad_signature')
  })
  test('its own', async () => {
    const order = fresh(channel)
    await expectTaken(sign(order), order)
  })
  test.each([
    ['too old', -7 * hourMs],
    ['too far ahead', 11 * 60_000],
  ])('%s', async (_, offMs) => {
    const order = fresh(channel)
    await expectRefused(sign(order, { atMs: Date.now() + offMs }), order, 'stale_timestamp')
  })

  describe('changed', () => {
    const old = changed(own, 'p')
    test('until the instant both are taken, then the new one only', async () => {
      await putShop(channel, 'turning', old)
      const at = { shop: 'turning' }
      await putShop(channel, 'turning', own, { previousUntil: Date.now() + hourMs })
      for (const given of [own, old]) {
        const order = { ...fresh(channel), shop: 'turning' }
        await expectTaken(sign(order, { ...at, with: given }), order)
      }
      const third = fresh(channel)
      await expectRefused(sign(third, { ...at, with: changed(own, 'z') }), third, 'bad_signature')
      await expectRefused(sign(third, { ...at, with: old, atMs: Date.now() - 7 * hourMs }), third, 'stale_timestamp')
      await service.settled()

      await putShop(channel, 'turning', own, { previousCredentials: old, previousUntil: Date.now() + 1 })
      await expect.poll(() => service.running.catalog.credentials(channel, 'turning', Date.now()).length).toBe(1)
      const late = fresh(channel)
      await expectRefused(sign(late, { ...at, with: old }), late, 'bad_signature')
      const order = { ...fresh(channel), shop: 'turning' }
      await expectTaken(sign(order, { ...at, with: own }), order)
      await service.settled()
    })
    test('one before without an end, or one that lacks a key: refused', async () => {
      const put = (body: object) =>
        service.admin('PUT', `/v1/shops/${channel}/turning`, { credentials: own, ...body }).then(({ status }) => status)
      const farUntil = Date.now() + 91 * 24 * hourMs
      expect(await put({ previousCredentials: old })).toBe(400)
      expect(await put({ previousCredentials: {}, previousUntil: Date.now() + hourMs })).toBe(400)
      expect(await put({ previousUntil: farUntil })).toBe(400)
    })
  })

  describe('a request that was seen', () => {
    test('again, byte for byte: acknowledged, and nothing happens twice', async () => {
      const order = fresh(channel)
      const signed = sign(order)
      await expectTaken(signed, order)
      await service.settled()
      const before = [await inInbox(order), (await service.order(order)).version]
      for (let i = 0; i < 3; i++) await expectTaken(signed, order)
      await service.settled()
      expect([await inInbox(order), (await service.order(order)).version]).toEqual(before)
    })
    test('again, signed anew: the same', async () => {
      const order = fresh(channel)
      await expectTaken(sign(order, { atMs: Date.now() - 60_000 }), order)
      await service.settled()
      const before = await inInbox(order)
      await expectTaken(sign(order), order)
      await service.settled()
      expect(await inInbox(order)).toBe(before)
    })
    test('with another body: refused', async () => {
      const order = fresh(channel)
      const signed = sign(order)
      await expectTaken(signed, order)
      await service.settled()
      await expectRefused(
        { ...signed, body: sign(fresh(channel)).body.replace(/sign=\w+$/, '') },
        order,
        'bad_signature',
      )
    })
    test('at another shop of the same app: refused', async () => {
      await putShop(channel, 'twin', own)
      const order = fresh(channel)
      const signed = sign(order)
      await expectTaken(signed, order)
      await service.settled()
      const path = signed.path.replace(encodeURIComponent(shop), 'twin')
      await expectRefused({ ...signed, path }, order, 'bad_signature')
      expect((await service.sql`select from inbox where shop = 'twin'`).count).toBe(0)
    })
  })

  test('credentials that cannot be opened: kept by the platform, told to a person, mended by putting them', async () => {
    await putShop(channel, 'broken', own)
    await service.sql`
      update shop set sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) where channel = ${channel} and shop = 'broken'`
    await service.sql`update catalog_version set version = version + 1`
    await service.running.catalog.refresh()
    const order = fresh(channel)
    await expectRefused(sign(order, { shop: 'broken' }), order, 'try_again')
    const told = () => service.exceptions('credentials_unreadable')
    expect(await told()).toMatchObject([{ ref: `${channel}/broken`, detail: { why: 'altered' } }])
    await putShop(channel, 'broken', own)
    await expectTaken(sign({ ...order, shop: 'broken' }), order)
    await service.settled()
    expect(await told()).toEqual([])
  })
})

test('tmall: bytes of a signed body moved into the query are no other event', async () => {
  const order = fresh('tmall')
  const signed = sign(order)
  const [path, query] = signed.path.split('?') as [string, string]
  // The signature runs names, values and body together: `v=2.0{"trade` + `…` signs as `v=2.0` + `{"trade…`.
  const moved = signed.body.slice(0, 8)
  const shifted = { ...signed, path: `${path}?${query.replace('v=2.0', `v=2.0${encodeURIComponent(moved)}`)}` }
  const cut = { ...shifted, body: signed.body.slice(8) }
  expect(parseQuery(cut.path.split('?')[1]!)!.get('v')?.toString()).toBe(`2.0${moved}`)
  await expectTaken(signed, order)
  await service.settled()
  await expectRefused(cut, order, 'bad_signature')
  expect((await service.client.ask('GET', '/metrics')).text).toContain('outcome="replayed_signature"')
})

describe('kuaidi100', () => {
  const track = { carrier: 'shunfeng', waybill: 'SF-signed-01', state: '1', at: Date.now() }
  const put = (body: object) => service.admin('PUT', '/v1/carriers/kuaidi100/turning', body)
  const push = async (salt: string, account = 'turning') => {
    const { body, ...rest } = signedTrack(track)
    const param = new URLSearchParams(body).get('param')!
    const form = `param=${encodeURIComponent(param)}&sign=${signKuaidi100(param, salt)}`
    return (await service.send({ ...rest, path: `/webhooks/carriers/kuaidi100/${account}`, body: form })).text
  }
  const refused = kuaidi100.refusal('bad_signature').body
  test('both salts while one is being changed', async () => {
    expect((await put({ salt: 'salt-1' })).status).toBe(200)
    expect([await push('salt-1'), await push('salt-2'), await push('')]).toEqual([
      kuaidi100.acknowledgement.body,
      refused,
      refused,
    ])
    expect((await put({ credentials: { salt: 'salt-2' }, previousUntil: Date.now() + hourMs })).status).toBe(200)
    expect([await push('salt-1'), await push('salt-2')]).toEqual([
      kuaidi100.acknowledgement.body,
      kuaidi100.acknowledgement.body,
    ])
    expect((await put({ salt: 'salt-3' })).status).toBe(200)
    expect([await push('salt-1'), await push('salt-2')]).toEqual([refused, refused])
    expect(await push('salt-3', 'nobody')).toBe(kuaidi100.refusal('unknown_account').body)
  })
  test.each([
    [{ credentials: { key: 'k' } }, 'credentials lacks salt for kuaidi100.'],
    [
      { credentials: { salt: 's' }, previousCredentials: {}, previousUntil: Date.now() + hourMs },
      'previousCredentials lacks salt for kuaidi100.',
    ],
  ])('%j is refused as a shop’s would be', async (body, message) => {
    const { status, text } = await put(body)
    expect([status, text]).toEqual([400, expect.stringContaining(message)])
  })
  test('a salt that cannot be opened: send it again', async () => {
    await service.sql`update carrier_account set sealed = '\\x0102' where account = 'turning'`
    expect(await push('salt-3')).toBe(kuaidi100.refusal('try_again').body)
  })
})
