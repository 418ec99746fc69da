/** Every channel that Paidan speaks. */
import type { ChannelName } from '../../router/types.ts'
import type { Channel } from './channel.ts'
import { jd } from './jd/channel.ts'
import { tmall } from './tmall/channel.ts'
import { wechat } from './wechat/channel.ts'

export const channels: Readonly<Record<ChannelName, Channel>> = { tmall, jd, wechat }
