/** WeChat's push: the envelope, the cipher and the message, each mutated with the layers around it sound. */
import { createCipheriv } from 'node:crypto'
import { Unintelligible } from '../../../adapters/channels/channel.ts'
import { channels } from '../../../adapters/channels/channels.ts'
import { decryptWechat, encryptWechat, wechatDigest } from '../../../adapters/channels/wechat/crypto.ts'
import { encryptedIn, parseMessage } from '../../../adapters/channels/wechat/message.ts'
import { formatForm } from '../../../adapters/shared/form.ts'
import { mutateBytes } from '../mutate-bytes.ts'
import { jsonSample, mutateJson } from '../mutate-json.ts'
import type { Random } from '../random.ts'
import { nowMs, sampleText } from '../samples.ts'
import { expectThat, target } from '../target.ts'
import { normalise } from './follow.ts'
import { checkReceived } from './invariants.ts'

const credentials = {
  appId: 'wx1234567890abcdef',
  token: 'a-token',
  encodingAesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
  appSecret: 'a-secret',
}
const sealing = { ...credentials, timestamp: '1794326400', nonce: '42', random: Buffer.alloc(16, 7) }

const pushSamples = [
  'channels_ec_aftersale_update',
  'channels_ec_order_cancel',
  'channels_ec_order_new',
  'channels_ec_order_pay',
  'channels_ec_order_ext_info_update',
  'ewaybill_push_path',
  'trade_manage_order_settlement',
].map((event) => jsonSample(sampleText(`wechat.push.${event}.plain.json`)))

const orderXml =
  '<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oTVP50O53a7jgmawAmxKukNlq3XI]]></FromUserName>' +
  '<CreateTime>1794326400</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[channels_ec_order_pay]]></Event>' +
  '<order_info><order_id>3705115058471208928</order_id></order_info></xml>'
const xmlSamples = [orderXml, sampleText('wechat.push.add_express_path.plain.xml')].map((text) => Buffer.from(text))

const entity = 'billion'
const hostileXml = [
  `<!DOCTYPE xml [<!ENTITY ${entity} "ha">]>`,
  `<!DOCTYPE xml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY ${entity} "&b;&b;&b;&b;&b;&b;&b;&b;">]>`,
  '<!DOCTYPE xml SYSTEM "http://127.0.0.1:1/evil.dtd">',
  '<!DOCTYPE xml [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]>',
  '<!doctype xml [<!entity a "ha">]>',
  '<! DOCTYPE xml>',
  '<?xml version="1.1" encoding="UTF-7"?>',
  '<?xml-stylesheet href="http://127.0.0.1:1/"?>',
  '<a xmlns:x="http://127.0.0.1:1/" x:href="file:///etc/passwd"/>',
]
const inside = [
  `&${entity};`,
  '&lt;',
  '&#x41;',
  '&#0;',
  '&#xD800;',
  '<__proto__>x</__proto__>',
  '<constructor><prototype>x</prototype></constructor>',
  '<!-- -->',
  '<![CDATA[]]]]><![CDATA[>]]>',
]

/** XML with what XML can do to a reader, mutated. */
export function drawXml(random: Random): Buffer {
  const base = random.pick(xmlSamples).toString()
  const before = random.oneIn(2) ? random.pick(hostileXml) : ''
  const at = base.indexOf('>', random.below(base.length)) + 1
  const piece = random.pick(inside).repeat(random.oneIn(50) ? 5_000 : 1 + random.small(20))
  const deep = random.oneIn(20) ? '<a>'.repeat(random.oneIn(100) ? 30_000 : 1 + random.small(200)) : ''
  const text = before + base.slice(0, at) + deep + piece + base.slice(at)
  return random.oneIn(2) ? Buffer.from(text) : mutateBytes(random, Buffer.from(text), xmlSamples)
}

export const drawMessage = (random: Random) => (random.oneIn(3) ? drawXml(random) : mutateJson(random, pushSamples))

const push = target<{ readonly message: Uint8Array; readonly xml: boolean }>({
  name: 'wechat-push',
  share: 10,
  draw: (random) => ({ message: drawMessage(random), xml: random.oneIn(2) }),
  run({ message, xml }) {
    const { query, body } = encryptWechat({ ...sealing, message, format: xml ? 'xml' : 'json' })
    const request = { method: 'POST', query, contentType: '', body: Buffer.from(body) } as const
    const received = channels.wechat.receive(request, credentials, nowMs)
    checkReceived(received)
    expectThat(received.outcome === 'event' || received.outcome === 'ignored', 'a message that is signed is taken')
    if (received.outcome === 'event') normalise('wechat', received.kind, received)
  },
})

const xml = target<{ readonly bytes: Uint8Array }>({
  name: 'wechat-xml',
  share: 10,
  draw: (random) => ({ bytes: drawXml(random) }),
  run({ bytes }) {
    try {
      const message = parseMessage(bytes)
      const text = JSON.stringify(message)
      // Six bytes an escaped character is the most that JSON makes of what stood there; an entity would make more.
      expectThat(text.length <= bytes.length * 6 + 2, 'nothing larger than what was sent')
      expectThat(!text.includes('hahahaha') && !text.includes('root:'), 'no entity is expanded')
      expectThat(Object.getPrototypeOf(message) === Object.prototype, 'a plain object')
    } catch (error) {
      if (!(error instanceof Unintelligible)) throw error
    }
    const found = encryptedIn(bytes)
    expectThat(found === null || found.length <= bytes.length, 'a part of what was sent')
  },
})

const sealedSample = Buffer.from(
  (JSON.parse(encryptWechat({ ...sealing, message: Buffer.from(orderXml) }).body) as { Encrypt: string }).Encrypt,
  'base64',
)
const key = Buffer.from(`${credentials.encodingAesKey}=`, 'base64')

/** Plain text of any form under the right key, or any bytes as cipher text; the signature fits always. */
const cipher = target<{ readonly plain: boolean; readonly bytes: Uint8Array; readonly envelope: Uint8Array }>({
  name: 'wechat-cipher',
  share: 8,
  draw(random) {
    const plain = random.oneIn(2)
    const base = plain ? Buffer.alloc(random.below(200), random.below(40)) : sealedSample
    return {
      plain,
      bytes: mutateBytes(random, base),
      envelope: random.oneIn(4) ? mutateBytes(random, Buffer.from('{"Encrypt":"@"}')) : Buffer.from('{"Encrypt":"@"}'),
    }
  },
  run({ plain, bytes, envelope }) {
    const sealed = plain ? encryptBlocks(bytes) : Buffer.from(bytes)
    const encrypted = sealed.toString('base64')
    const decrypted = decryptWechat(encrypted, credentials.encodingAesKey, credentials.appId)
    expectThat(decrypted.outcome !== 'message' || decrypted.message.length < bytes.length, 'a part of the plain text')
    const body = Buffer.from(envelope.toString().replace('@', encrypted))
    const found = encryptedIn(body) ?? ''
    const { token, timestamp, nonce } = sealing
    const query = formatForm([
      ['timestamp', timestamp],
      ['nonce', nonce],
      ['encrypt_type', 'aes'],
      ['msg_signature', wechatDigest(token, timestamp, nonce, found)],
    ])
    checkReceived(channels.wechat.receive({ method: 'POST', query, contentType: '', body }, credentials, nowMs))
  },
})

function encryptBlocks(bytes: Uint8Array): Buffer {
  const whole = Buffer.concat([bytes, Buffer.alloc((16 - (bytes.length % 16)) % 16, 3)])
  const aes = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false)
  return Buffer.concat([aes.update(whole), aes.final()])
}

export const wechatTargets = [push, xml, cipher]
