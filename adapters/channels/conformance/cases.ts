/** The table of ./conformance.test.ts: one entry a channel. */
import type { ShopSettings } from '../channel.ts'
import { jdCase } from './jd.ts'
import { tmallCase } from './tmall.ts'
import type { ChannelCase } from './types.ts'
import { wechatCase } from './wechat.ts'

export const settings: ShopSettings = { shop: 's1', skuMap: {} }

export const cases: readonly ChannelCase[] = [tmallCase, jdCase, wechatCase]
