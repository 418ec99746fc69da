/** The table of ./conformance.test.ts: one entry a channel. */
import type { ShopSettings } from './channel.ts'
import { jdCase } from './conformance.jd.ts'
import { tmallCase } from './conformance.tmall.ts'
import type { ChannelCase } from './conformance.types.ts'
import { wechatCase } from './conformance.wechat.ts'

export const settings: ShopSettings = { shop: 's1', skuMap: {} }

export const cases: readonly ChannelCase[] = [tmallCase, jdCase, wechatCase]
