/** For tests: signed requests as the platforms and the carrier service send them, and the bills that finance gets. */
import { randomBytes } from 'node:crypto'
import { signKuaidi100 } from '../../../adapters/carriers/kuaidi100.ts'
import { signJd } from '../../../adapters/channels/jd/sign.ts'
import { signTmall } from '../../../adapters/channels/tmall/sign.ts'
import { encryptWechat } from '../../../adapters/channels/wechat/crypto.ts'
import { formatGmt8 } from '../../../adapters/shared/time.ts'
import type { ChannelName } from '../../../router/types.ts'
import { paidFenOf, shopOf, type TestOrder } from './orders.ts'
import { jdOrderInfo, tmallTrade, wechatPush, yuan } from './platforms.ts'

export const credentials = {
  tmall: { appKey: '12345678', appSecret: 'secret-of-the-tmall-app' },
  jd: { appKey: 'ABCDEF0123456789', appSecret: 'secret-of-the-jd-app' },
  wechat: {
    appId: 'wx1234567890abcdef',
    token: 'token-of-the-push',
    encodingAesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
    appSecret: 'secret-of-the-wechat-app',
  },
} as const

export interface Signed {
  readonly method: 'POST'
  /** With the query. */
  readonly path: string
  readonly contentType: string
  readonly body: string
}

function webhookPath(channel: ChannelName, shop: string, query = ''): string {
  return `/webhooks/${channel}/${encodeURIComponent(shop)}${query === '' ? '' : `?${query}`}`
}

export function signedOrder(order: TestOrder): Signed {
  switch (order.channel) {
    case 'tmall':
      return signedTmall(tmallTrade(order), order.shop)
    case 'jd':
      return signedJd(jdOrderInfo(order), order.shop)
    case 'wechat':
      return signedWechat(wechatPush(order), order.shop)
  }
}

export function signedTmall(text: string, shop: string = shopOf.tmall): Signed {
  const body = Buffer.from(text)
  const query = signTmall({ ...credentials.tmall, timestampMs: Date.now(), body, method: 'taobao.trade.fullinfo.get' })
  return { method: 'POST', path: webhookPath('tmall', shop, query), contentType: 'application/json', body: text }
}

export function signedJd(param: string, shop: string = shopOf.jd): Signed {
  const body = signJd({ ...credentials.jd, timestampMs: Date.now(), method: 'jingdong.pop.order.enGet', param })
  return { method: 'POST', path: webhookPath('jd', shop), contentType: 'application/x-www-form-urlencoded', body }
}

export function signedWechat(message: string, shop: string = shopOf.wechat): Signed {
  const { query, body } = encryptWechat({
    ...credentials.wechat,
    message: Buffer.from(message),
    timestamp: String(Math.floor(Date.now() / 1000)),
    nonce: '1372623149',
    random: randomBytes(16),
  })
  return { method: 'POST', path: webhookPath('wechat', shop, query), contentType: 'application/json', body }
}

export const carrierAccount = { account: 'chenfeng', salt: 'salt-of-kuaidi100' } as const

export interface TestTrack {
  readonly carrier: string
  readonly waybill: string
  /** kuaidi100's state: 0 on the way, 1 collected, 3 signed, 4 returned. */
  readonly state: string
  readonly at: number
}

export function signedTrack({ carrier, waybill, state, at }: TestTrack): Signed {
  const time = formatGmt8(at)
  const param = JSON.stringify({
    status: state === '3' ? 'shutdown' : 'polling',
    message: '',
    lastResult: {
      message: 'ok',
      state,
      status: '200',
      ischeck: state === '3' ? '1' : '0',
      com: carrier,
      nu: waybill,
      data: [{ context: '…', time, ftime: time }],
    },
  })
  return signedKuaidi100(param)
}

/** The service found out that another carrier has the parcel. */
export function signedMove(moved: {
  readonly carrier: string
  readonly waybill: string
  readonly carrierNew: string
}): Signed {
  const { carrier: comOld, waybill: nu, carrierNew: comNew } = moved
  const lastResult = { message: '', state: '0', status: '201', com: comOld, nu, data: [] }
  return signedKuaidi100(
    JSON.stringify({ status: 'abort', message: '3天查询无记录', autoCheck: '1', comOld, comNew, lastResult }),
  )
}

function signedKuaidi100(param: string): Signed {
  return {
    method: 'POST',
    path: `/webhooks/carriers/kuaidi100/${carrierAccount.account}`,
    contentType: 'application/x-www-form-urlencoded',
    body: `param=${encodeURIComponent(param)}&sign=${signKuaidi100(param, carrierAccount.salt)}`,
  }
}

export interface Bill {
  readonly source: 'wechatpay' | 'generic'
  readonly csv: string
}

/** The payment of one order, in the bill in which its platform's payments come. */
export function billOf(order: TestOrder, amountFen: number = paidFenOf(order)): Bill {
  return order.channel === 'wechat' ? wechatPayBill(order, amountFen) : genericBill(order, 'payment', amountFen)
}

export function genericBill(order: TestOrder, kind: 'payment' | 'refund', amountFen: number): Bill {
  const { channel, shop, orderId, paidAt } = order
  const when = new Date(paidAt).toISOString()
  const row = [`${kind}-${orderId}`, channel, shop, orderId, kind, amountFen, 6, when].join()
  return { source: 'generic', csv: `ref,channel,shop,orderId,kind,amountFen,feeFen,occurredAt\n${row}\n` }
}

const wechatColumns = [
  '交易时间',
  '公众账号ID',
  '微信订单号',
  '商户订单号',
  '交易状态',
  '货币种类',
  '应结订单金额',
  '商品名称',
  '手续费',
  '订单金额',
]

/** Joined by WeChat Pay's own number, since it knows the shop's order by another one. */
function wechatPayBill(order: TestOrder, amountFen: number): Bill {
  const amount = yuan(amountFen)
  const { appId } = credentials.wechat
  const row = [formatGmt8(order.paidAt), appId, order.transactionId, `P${order.orderId}`, 'SUCCESS', 'CNY', amount]
  const rest = ['晨风, 户外', '0.06000', amount]
  const cells = (values: readonly string[]) => values.map((value) => `\`${value}`).join()
  const summaryNames = '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额'
  const summary = ['1', amount, '0.00', '0.00', '0.06000', amount, '0.00']
  const lines = [wechatColumns.join(), cells([...row, ...rest]), summaryNames, cells(summary)]
  return { source: 'wechatpay', csv: `\uFEFF${lines.join('\r\n')}\r\n` }
}
