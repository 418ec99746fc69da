/** The Refund object of `taobao.refund.get`. */
import type { RefundSnapshot } from '../../../router/types.ts'
import type { ShopSettings } from '../channel.ts'
import { gmt8In, idIn, type Json, latest, requiredIdIn, requiredYuanIn, unintelligible, wordIn } from '../read.ts'
import { tmallRefundStatus } from './order.ts'

export function tmallRefund(refund: Json, settings: ShopSettings): RefundSnapshot {
  const status = tmallRefundStatus(wordIn(refund, 'status'))
  const modifiedAt = gmt8In(refund, 'modified') ?? latest([gmt8In(refund, 'created')])
  if (modifiedAt === null) unintelligible('modified')
  return {
    type: 'refund',
    channel: 'tmall',
    shop: settings.shop,
    orderId: requiredIdIn(refund, 'tid'),
    refundId: requiredIdIn(refund, 'refund_id'),
    lineId: idIn(refund, 'oid'),
    status,
    refundFen: requiredYuanIn(refund, 'refund_fee'),
    ...(isAfterReceipt(refund) ? { afterReceipt: true } : {}),
    modifiedAt,
  }
}

/** By the phase (`onsale`, `aftersale`), or where the goods are said to be. */
function isAfterReceipt(refund: Json): boolean {
  const { refund_phase: phase, good_status: goods } = refund
  return phase === 'aftersale' || goods === 'BUYER_RECEIVED' || goods === 'BUYER_RETURNED_GOODS'
}
