/**
 * The three platforms: stories of orders, told in signed webhooks, each sent again and again until it is acknowledged.
 * Part of them is told twice, at once or later, in the wrong order, cancelled, or with two bodies under one name.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../../adapters/shared/seeded-random.ts'
import type { ChannelName } from '../../router/types.ts'
import { later, type TestOrder } from '../../workers/e2e/testing/orders.ts'
import { wechatOrderAnswer } from '../../workers/e2e/testing/platforms.ts'
import { signedOrder } from '../../workers/e2e/testing/webhooks.ts'
import type { WechatShop } from '../../workers/e2e/testing/wechat-shop.ts'
import { isAcknowledged, isTryAgain, orderOf } from '../../workers/faults/testing/ledger.ts'
import type { Book } from './book.ts'
import type { Clients } from './clients.ts'
import type { Goods } from './goods.ts'

export interface PlatformWorld {
  readonly clients: Clients
  readonly book: Book
  readonly wechat: WechatShop
  readonly goods: Goods
}

const againMs = 25
const thinkMsMax = 80
const workers = 8

/** Tells stories until told to stop; resolves when every event that was begun is acknowledged. */
export async function tellStories(world: PlatformWorld, random: Random, goOn: () => boolean): Promise<void> {
  const work = async (): Promise<void> => {
    while (goOn()) {
      await tellOne(world, random)
      await delay(random.below(thinkMsMax))
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
}

const channelsByShare: readonly ChannelName[] = ['tmall', 'tmall', 'jd', 'wechat']

function newOrder({ goods }: PlatformWorld, random: Random, channel: ChannelName): TestOrder {
  const skus = new Set(Array.from({ length: random.between(1, 3) }, () => goods.pick(random)))
  return orderOf(
    [...skus].map((sku) => ({ sku, quantity: goods.isScarce(sku) ? 1 : random.between(1, 2) })),
    channel,
  )
}

type Story = (world: PlatformWorld, random: Random) => Promise<void>

const stories: readonly { readonly share: number; readonly tell: Story }[] = [
  { share: 58, tell: async (world, random) => await say(world, anyOrder(world, random)) },
  {
    // Told again, by a platform that did not hear us, or by two of its machines.
    share: 10,
    tell: async (world, random) => {
      const order = anyOrder(world, random)
      await Promise.all([say(world, order), say(world, order)])
      await delay(random.below(thinkMsMax))
      await say(world, order)
    },
  },
  {
    share: 12,
    tell: async (world, random) => {
      const order = anyOrder(world, random)
      await say(world, order)
      await delay(random.below(10 * thinkMsMax))
      await say(world, later(order, { step: 'closed' }))
    },
  },
  {
    share: 6,
    tell: async (world, random) => {
      const order = anyOrder(world, random)
      await say(world, later(order, { step: 'closed' }))
      await say(world, order)
    },
  },
  {
    share: 8,
    tell: async (world, random) => {
      const order = anyOrder(world, random)
      const announced = { ...order, step: 'unpaid', at: order.at - 1000 } as const
      await Promise.all([say(world, announced), say(world, order)])
    },
  },
  {
    share: 6,
    tell: async (world, random) => {
      const order = newOrder(world, random, random.pick(['tmall', 'jd']))
      await say(world, order)
      await say(world, { ...order, buyerMessage: 'another body, the same name' }, true)
    },
  },
]
const deck = stories.flatMap(({ share, tell }) => Array.from({ length: share }, () => tell))

function anyOrder(world: PlatformWorld, random: Random): TestOrder {
  return newOrder(world, random, random.pick(channelsByShare))
}

async function tellOne(world: PlatformWorld, random: Random): Promise<void> {
  await random.pick(deck)(world, random)
}

/** Sends it until it is acknowledged, and writes that down. */
export async function say(world: PlatformWorld, order: TestOrder, conflicting = false): Promise<void> {
  const { clients, book, wechat } = world
  if (order.channel === 'wechat') {
    // The shop's API tells the order as it is, whichever event asks for it.
    const known = newest.get(wechat)?.get(order.orderId) ?? 0
    if (order.at > known) {
      wechat.answers.set(order.orderId, wechatOrderAnswer(order))
      newest.set(wechat, (newest.get(wechat) ?? new Map<string, number>()).set(order.orderId, order.at))
    }
  }
  for (;;) {
    const answer = await clients.ask(signedOrder(order))
    if (answer === null) book.unanswered += 1
    else if (isAcknowledged(order.channel, answer)) {
      book.acknowledge(order, `${order.at} ${order.step}`, conflicting)
      return
    } else if (isTryAgain(order.channel, answer)) book.refused += 1
    else book.wonder(order.channel, answer)
    await delay(againMs)
  }
}

const newest = new WeakMap<WechatShop, Map<string, number>>()
