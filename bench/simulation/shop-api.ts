/**
 * A platform that only notifies, and the API that it answers by: an order's versions as they come about, and answers from a
 * copy that lags behind, does not know the order yet, or gets lost.
 */
import type { Random } from '../../adapters/shared/seeded-random.ts'
import type { FetchedOrder } from '../../adapters/channels/order-api.ts'
import type { OrderApis } from '../../adapters/channels/order-apis.ts'
import { OutboundError } from '../../adapters/channels/outbound/errors.ts'
import type { Wire } from './wire.ts'

const lagShare = 0.4
const lagMsMax = 3_000

interface Version {
  readonly fromMs: number
  readonly body: Uint8Array
}

export class SimulatedShop {
  readonly #random: Random
  readonly #nowMs: () => number
  readonly #isCalm: () => boolean
  readonly #versions = new Map<string, Version[]>()

  constructor(random: Random, nowMs: () => number, isCalm: () => boolean) {
    this.#random = random
    this.#nowMs = nowMs
    this.#isCalm = isCalm
  }

  /** From now on this is true of the order. */
  publish(orderId: string, body: Uint8Array): void {
    this.#versions.set(orderId, [...(this.#versions.get(orderId) ?? []), { fromMs: this.#nowMs(), body }])
  }

  answer(orderId: string): FetchedOrder {
    const lags = !this.#isCalm() && this.#random.chance(lagShare)
    const asOfMs = this.#nowMs() - (lags ? this.#random.below(lagMsMax) : 0)
    const seen = (this.#versions.get(orderId) ?? []).filter(({ fromMs }) => fromMs <= asOfMs).at(-1)
    return seen === undefined ? { outcome: 'not_found', platformCode: 404 } : { outcome: 'order', body: seen.body }
  }

  /** As one process reaches it. */
  apis(wire: Wire): OrderApis {
    const api = {
      getOrder: (_: unknown, orderId: string) =>
        wire.call(`shop order ${orderId}`, unreachable, async () => this.answer(orderId)),
      close: async () => undefined,
    }
    return { of: (channel) => (channel === 'wechat' ? api : null), close: async () => undefined }
  }
}

function unreachable(): Error {
  return new OutboundError('simulated_shop', 'unreachable')
}
