/** The clients of the platforms from which orders are fetched: one a process. Threads do not load them. */
import type { ChannelName } from '../../router/types.ts'
import type { OrderApi } from './order-api.ts'
import { WechatApi } from './wechat/api.ts'

const openers: Readonly<Partial<Record<ChannelName, () => OrderApi>>> = { wechat: () => new WechatApi() }

export interface OrderApis {
  /** null: orders of this channel are not fetched, or there is no such channel. */
  of(channel: string): OrderApi | null
  close(): Promise<void>
}

export function openOrderApis(): OrderApis {
  const apis = new Map<string, OrderApi>(Object.entries(openers).map(([channel, open]) => [channel, open()]))
  return {
    of: (channel) => apis.get(channel) ?? null,
    close: async () => {
      await Promise.all([...apis.values()].map((api) => api.close()))
    },
  }
}
