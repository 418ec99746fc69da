/**
 * A platform that only notifies, and the API that it answers by: an order's versions as they come about, and answers from a
 * copy that lags behind, does not know the order yet, or gets lost.
 */

import type { FetchedOrder } from '../../adapters/channels/order-api.ts'
import type { OrderApis } from '../../adapters/channels/order-apis.ts'
import { OutboundError } from '../../adapters/channels/outbound/errors.ts'
import type { Random } from '../../adapters/shared/seeded-random.ts'
import type { Version } from './notified-story.ts'
import type { Wire } from './wire.ts'

const lagShare = 0.4
const lagMsMax = 3_000
// Of answers that take long: meanwhile the order changes, and other processes ask as well.
const slowShare = 0.3
const slowMsMax = 2_000

interface Published extends Version {
  readonly fromMs: number
}

export class SimulatedShop {
  readonly #random: Random
  readonly #nowMs: () => number
  readonly #isCalm: () => boolean
  readonly #versions = new Map<string, Published[]>()

  constructor(random: Random, nowMs: () => number, isCalm: () => boolean) {
    this.#random = random
    this.#nowMs = nowMs
    this.#isCalm = isCalm
  }

  /** From now on this is true of the order. */
  publish(orderId: string, version: Version): void {
    this.#versions.set(orderId, [...(this.#versions.get(orderId) ?? []), { ...version, fromMs: this.#nowMs() }])
  }

  answer(orderId: string): FetchedOrder {
    const lags = !this.#isCalm() && this.#random.chance(lagShare)
    const asOfMs = this.#nowMs() - (lags ? this.#random.below(lagMsMax) : 0)
    const versions = this.#versions.get(orderId) ?? []
    const shown = versions.filter(({ fromMs }) => fromMs <= asOfMs).at(-1)
    if (shown === undefined) return { outcome: 'not_found', platformCode: 404 }
    // A copy that lags behind shows it by its stamp: of one second it shows what is true now.
    const { body } = versions.filter(({ atMs }) => atMs === shown.atMs).at(-1)!
    return { outcome: 'order', body }
  }

  /** As one process reaches it. */
  apis(wire: Wire): OrderApis {
    const api = {
      baseUrl: 'simulated:',
      getOrder: (_: unknown, orderId: string) =>
        wire.call(`shop order ${orderId}`, unreachable, async () => {
          const answer = this.answer(orderId)
          if (!this.#isCalm() && this.#random.chance(slowShare))
            await wire.scheduler.sleep(this.#random.below(slowMsMax), `the shop answers for ${orderId}`)
          return answer
        }),
      close: async () => undefined,
    }
    return { of: (channel) => (channel === 'wechat' ? api : null), close: async () => undefined }
  }
}

function unreachable(): Error {
  return new OutboundError('simulated_shop', 'unreachable')
}
