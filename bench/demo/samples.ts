/**
 * The platforms' published sample orders, from files, as they would come in now: ids of this run, times moved to a
 * present day, everything else byte for byte as published.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { signJd } from '../../adapters/channels/jd/sign.ts'
import { signTmall } from '../../adapters/channels/tmall/sign.ts'
import { encryptWechat } from '../../adapters/channels/wechat/crypto.ts'
import { projectRoot } from '../../adapters/shared/root.ts'
import { formatGmt8, parseGmt8 } from '../../adapters/shared/time.ts'
import type { DemoShop } from '../../workers/process/demo-network/network.ts'
import type { WireRequest } from '../traffic/encode.ts'
import type { StoryOrder } from './story-order.ts'

export interface Samples {
  readonly tmall: StoryOrder
  readonly jd: StoryOrder
  readonly wechat: StoryOrder
  /** Deposit first (`deposit_paid`), balance later (`paid`). */
  readonly presale: StoryOrder
  /** What WeChat's API answers for its sample. */
  readonly wechatAnswer: string
}

// The moment that the samples of one day were taken at.
const sampleDay = parseGmt8('2026-11-11 00:00:00')!
const presaleDay = parseGmt8('2026-10-24 20:00:10')!

/** `run`: ten digits that no other run has. `atMs`: when the orders are created, a whole second. */
export function samplesOf(shops: readonly DemoShop[], run: string, atMs: number): Samples {
  const shopOf = (channel: DemoShop['channel']) => shops.find((shop) => shop.channel === channel)!
  const day = formatGmt8(atMs).slice(0, 10).replaceAll('-', '')
  const tids = (text: string) =>
    text.replaceAll('40898237655', `5${run}`).replaceAll('2026111122001198121409211929', `${day}22001198${run}29`)
  const trade = moved(tids(sample('top.trade.fullinfo.get.response.json')), atMs - sampleDay)
  const presale = moved(tids(sample('top.trade.presale.step.response.json')), atMs - presaleDay)
  const jdOrder = moved(
    sample('jd.pop.order.enGet.response.json').replaceAll('312345678901', `2${run}1`),
    atMs - sampleDay,
  )
  const wechatIds = (text: string) =>
    text
      .replaceAll('3705115058471208928', `38${run}1208928`)
      .replaceAll('4200002345202611110123456789', `4200002345${day}${run}`)
  const wechatAnswer = moved(wechatIds(sample('wechat.channels.order.get.response.json')), atMs - sampleDay)
  const wechatPush = moved(wechatIds(sample('wechat.push.channels_ec_order_pay.plain.json')), atMs - sampleDay)
  const paidAt = atMs + 4_000
  return {
    tmall: {
      ...base(shopOf('tmall'), `5${run}10044812`, `${day}22001198${run}29`),
      skus: ['CF-JKT-BLK-L', 'CF-SOCK-GRY', 'CF-GIFT-BUFF'],
      moves: [payment(`5${run}10044812`, 25_900, paidAt)],
      request: (_, nowMs) => tmallRequest(shopOf('tmall'), trade, nowMs),
    },
    presale: {
      ...base(shopOf('tmall'), `5${run}20044812`, null),
      skus: ['CF-TENT-2P'],
      moves: [payment(`5${run}20044812`, 49_900, atMs + 60_000)],
      request: (event, nowMs) =>
        tmallRequest(shopOf('tmall'), event === 'paid' ? balancePaid(presale, trade, atMs) : presale, nowMs),
    },
    jd: {
      ...base(shopOf('jd'), `2${run}1`, null),
      skus: ['CF-JKT-BLK-L', 'CF-SOCK-GRY'],
      moves: [payment(`2${run}1`, 43_800, atMs + 9_000)],
      request: (_, nowMs) => jdRequest(shopOf('jd'), jdOrder, nowMs),
    },
    wechat: {
      ...base(shopOf('wechat'), `38${run}1208928`, `4200002345${day}${run}`),
      skus: ['CF-JKT-BLK-L', 'CF-SOCK-GRY'],
      moves: [payment(`38${run}1208928`, 25_900, paidAt)],
      request: (_, nowMs) => wechatRequest(shopOf('wechat'), wechatPush, nowMs),
    },
    wechatAnswer,
  }
}

function sample(name: string): string {
  return readFileSync(join(projectRoot(), 'adapters/channels/fixtures/samples', name), 'utf8')
}

/** Every wall-clock time and every epoch second of the samples' days, by the same distance. */
function moved(text: string, byMs: number): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, (time) => formatGmt8(parseGmt8(time)! + byMs))
    .replaceAll(/\b179\d{7}\b/g, (second) => String(Number(second) + Math.floor(byMs / 1000)))
}

/** The presale once its balance is paid; until then tmall shows no receiver, so it is the other sample's. */
function balancePaid(presale: string, trade: string, atMs: number): string {
  const receiver = /"receiver_name".*"oaid": "[^"]*"/s.exec(trade)![0]
  const paidAt = formatGmt8(atMs + 60_000)
  return presale
    .replaceAll('"WAIT_BUYER_PAY"', '"WAIT_SELLER_SEND_GOODS"')
    .replace('FRONT_PAID_FINAL_NOPAID', 'FRONT_PAID_FINAL_PAID')
    .replace(/"modified":"[^"]*"/, `"modified":"${paidAt}","pay_time":"${paidAt}",${receiver}`)
}

function base(shop: DemoShop, orderId: string, transactionId: string | null) {
  return { channel: shop.channel, shop, orderId, transactionId, index: 0, buyerId: 'sample' }
}

function payment(orderId: string, amountFen: number, at: number) {
  return {
    kind: 'payment',
    amountFen,
    feeFen: Math.floor((amountFen * 6 + 500) / 1000),
    at,
    ref: `P${orderId}`,
  } as const
}

const json = { 'content-type': 'application/json;charset=utf-8' }
const form = { 'content-type': 'application/x-www-form-urlencoded;charset=utf-8' }

type Key<K extends string> = Readonly<Record<K, string>>

function tmallRequest(shop: DemoShop, text: string, nowMs: number): WireRequest {
  const { appKey, appSecret } = shop.credentials as Key<'appKey' | 'appSecret'>
  const body = Buffer.from(text)
  const query = signTmall({ appKey, appSecret, timestampMs: nowMs, body, method: 'taobao.trade.fullinfo.get' })
  return { method: 'POST', path: `/webhooks/tmall/${shop.shop}`, query, headers: json, body }
}

function jdRequest(shop: DemoShop, text: string, nowMs: number): WireRequest {
  const { appKey, appSecret } = shop.credentials as Key<'appKey' | 'appSecret'>
  const signed = signJd({ appKey, appSecret, timestampMs: nowMs, method: 'jingdong.pop.order.enGet', param: text })
  return { method: 'POST', path: `/webhooks/jd/${shop.shop}`, query: '', headers: form, body: Buffer.from(signed) }
}

function wechatRequest(shop: DemoShop, text: string, nowMs: number): WireRequest {
  const { appId, token, encodingAesKey } = shop.credentials as Key<'appId' | 'token' | 'encodingAesKey'>
  const { query, body } = encryptWechat({
    ...{ token, encodingAesKey, appId },
    message: Buffer.from(text),
    timestamp: String(Math.floor(nowMs / 1000)),
    nonce: String(nowMs),
    random: Buffer.alloc(16, 7),
  })
  return { method: 'POST', path: `/webhooks/wechat/${shop.shop}`, query, headers: json, body: Buffer.from(body) }
}
