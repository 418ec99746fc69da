/** A generated order, before any platform's words for it. */
import type { ChannelName } from '../../router/types.ts'
import type { District } from '../../workers/process/demo-network/districts.ts'
import type { DemoShop } from '../../workers/process/demo-network/network.ts'
import type { Scenario } from './plan.ts'

export interface GeneratedLine {
  /** As the channel is expected to name it. */
  readonly lineId: string
  /** What Paidan shall make of it. */
  readonly sku: string
  /** The merchant's code as the platform has it: an older one where the shop's skuMap knows it. */
  readonly merchantCode: string
  readonly title: string
  readonly productId: string
  readonly skuId: string
  readonly quantity: number
  readonly unitFen: number
  /** Off this line alone. */
  readonly discountFen: number
  /** Its share of what is off the whole order. */
  readonly sharedFen: number
  /** unitFen × quantity − discountFen − sharedFen. */
  readonly paidFen: number
  readonly gift: boolean
  /** lineId of the line that it goes with. */
  readonly giftOf: string | null
}

export interface GeneratedReceiver {
  readonly name: string
  readonly phone: string
  readonly street: string
  readonly oaid: string
  readonly district: District
}

export interface GeneratedOrder {
  readonly index: number
  readonly seed: number
  readonly shop: DemoShop
  readonly channel: ChannelName
  readonly orderId: string
  readonly scenario: Scenario
  readonly createdAt: number
  readonly lines: readonly GeneratedLine[]
  readonly freightFen: number
  /** Σ lines + freight. */
  readonly paidFen: number
  /** jd: part of paidFen that came from the buyer's balance. */
  readonly balanceFen: number
  readonly depositFen: number
  readonly receiver: GeneratedReceiver
  /** Where the buyer moves it to, when the scenario changes the address. */
  readonly otherReceiver: GeneratedReceiver
  readonly buyerId: string
  readonly buyerMessage: string
  readonly sellerMemo: string
  readonly transactionId: string | null
}
