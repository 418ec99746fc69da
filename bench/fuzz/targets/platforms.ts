/** The platforms' doors, with right signatures over mutated bodies, so that what reads the fields is reached. */
import { channels } from '../../../adapters/channels/channels.ts'
import { signJd } from '../../../adapters/channels/jd/sign.ts'
import { signTmall, tmallSignMethods } from '../../../adapters/channels/tmall/sign.ts'
import { fetchedOrderEvent } from '../../../adapters/channels/wechat/channel.ts'
import { mutateBytes } from '../mutate-bytes.ts'
import { jsonSample, mutateJson } from '../mutate-json.ts'
import type { Random } from '../random.ts'
import { fixtureText, nowMs, sampleText } from '../samples.ts'
import { expectThat, target } from '../target.ts'
import { follow, normalise } from './follow.ts'
import { checkReceived } from './invariants.ts'

const refund =
  '{"refund_get_response":{"refund":{"refund_id":26112211123,"tid":4089823765510044812,"oid":4089823765511044812,' +
  '"status":"WAIT_SELLER_AGREE","refund_fee":"161.10","created":"2026-11-11 00:01:00","modified":"2026-11-11 00:02:00"}}}'

export const tradeSamples = [
  jsonSample(sampleText('top.trade.fullinfo.get.response.json')),
  jsonSample(sampleText('top.trade.fullinfo.get.response.json')),
  jsonSample(sampleText('top.trade.presale.step.response.json')),
  jsonSample(refund),
]
export const jdSamples = [jsonSample(sampleText('jd.pop.order.enGet.response.json'))]
export const wechatOrderSamples = [jsonSample(sampleText('wechat.channels.order.get.response.json'))]

const credentials = { appKey: '12345678', appSecret: 'a-secret' }
const signing = { ...credentials, timestampMs: nowMs }
const kinds = ['order', 'refund', 'notification'] as const

interface SignedBody {
  readonly body: Uint8Array
  readonly method: number
}

const tmall = target<SignedBody>({
  name: 'tmall',
  share: 12,
  draw: (random) => ({ body: mutateJson(random, tradeSamples), method: random.below(3) }),
  run({ body, method }) {
    const signMethod = tmallSignMethods[method % tmallSignMethods.length]!
    const query = signTmall({ ...signing, body, method: 'taobao.trade.fullinfo.get', signMethod })
    const request = { method: 'POST', query, contentType: 'application/json', body } as const
    const received = channels.tmall.receive(request, credentials, nowMs)
    checkReceived(received)
    expectThat(received.outcome === 'event', 'a body that is signed is kept')
    follow('tmall', received)
    if (body.length % 8 === 0) normalise('tmall', kinds[method]!, { ...received, orderId: '' })
  },
})

const jd = target<{ readonly text: string }>({
  name: 'jd',
  share: 10,
  // A form holds text: what is no UTF-8 goes through `form`.
  draw: (random) => ({ text: mutateJson(random, jdSamples).toString() }),
  run({ text }) {
    const body = Buffer.from(signJd({ ...signing, method: 'jingdong.pop.order.enGet', param: text }))
    const request = { method: 'POST', query: '', contentType: 'application/x-www-form-urlencoded', body } as const
    const received = channels.jd.receive(request, credentials, nowMs)
    checkReceived(received)
    // An empty parameter is none.
    expectThat(received.outcome === 'event' || text.length === 0, 'a body that is signed is kept')
    if (received.outcome === 'event') follow('jd', received)
  },
})

const wechatOrder = target<{ readonly body: Uint8Array }>({
  name: 'wechat-order',
  share: 10,
  draw: (random) => ({ body: mutateJson(random, wechatOrderSamples) }),
  run({ body }) {
    const event = fetchedOrderEvent(body, '1')
    checkReceived(event)
    follow('wechat', event)
  },
})

interface Unsigned {
  readonly channel: 'tmall' | 'jd' | 'wechat'
  readonly method: 'GET' | 'POST'
  readonly query: string
  readonly body: Uint8Array
}

const signedQuery = signTmall({ ...signing, body: Buffer.alloc(0), method: 'taobao.trade.fullinfo.get' })
const signedForm = Buffer.from(signJd({ ...signing, method: 'jingdong.pop.order.enGet', param: '{}' }))
const envelope = Buffer.from(fixtureText('adapters/channels/fixtures/vectors.json')).subarray(0, 2_000)

/** Whatever strangers send: an answer, and never an event. */
const strangers = target<Unsigned>({
  name: 'strangers',
  share: 8,
  draw: (random: Random) => ({
    channel: random.pick(['tmall', 'jd', 'wechat']),
    method: random.pick(['GET', 'POST', 'POST', 'POST']),
    query: random.oneIn(3) ? signedQuery : mutateBytes(random, Buffer.from(signedQuery)).toString('latin1'),
    body: mutateBytes(random, random.pick([signedForm, envelope, Buffer.from('<xml><Encrypt>AAAA</Encrypt></xml>')])),
  }),
  run({ channel, method, query, body }) {
    const ofAll = { ...credentials, appId: 'wx1', token: 'a-token', encodingAesKey: 'a'.repeat(43) }
    const received = channels[channel].receive({ method, query, contentType: '', body }, ofAll, nowMs)
    checkReceived(received)
    // A form or query whose mutation changed nothing that is signed is rightly taken; the payload is then the original.
    const isOurs = channel === 'tmall' ? body.length === 0 : channel === 'jd'
    expectThat(received.outcome === 'refused' || isOurs, `${channel} took what nobody signed`)
  },
})

export const platformTargets = [tmall, jd, wechatOrder, strangers]
