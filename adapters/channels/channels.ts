/** Every channel that Paidan speaks. */
import type { ChannelName } from '../../router/types.ts'
import type { Channel } from './channel.ts'
import { jd } from './jd.ts'
import { tmall } from './tmall.ts'
import { wechat } from './wechat.ts'

export const channels: Readonly<Record<ChannelName, Channel>> = { tmall, jd, wechat }
