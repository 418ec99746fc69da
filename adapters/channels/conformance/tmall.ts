/** Tmall's entry in the conformance table. */
import { parseForm } from '../../shared/form.ts'
import { tmallDigest } from '../tmall/sign.ts'
import { tmallNonsense } from './tmall.nonsense.ts'
import { credentials, line, message, order, presale, sign, tid, tmallWrong, trade, unshared } from './tmall.wrong.ts'
import type { ChannelCase } from './types.ts'

export const tmallCase: ChannelCase = {
  name: 'tmall',
  credentials,
  sign,
  accepted: {
    message,
    named: {
      eventId: `trade:${tid}:2026-11-11 00:00:04:WAIT_SELLER_SEND_GOODS:`,
      orderId: tid,
      occurredAt: Date.parse('2026-11-10T16:00:04Z'),
      kind: 'order',
    },
  },
  order,
  snapshot: {
    type: 'order',
    channel: 'tmall',
    shop: 's1',
    orderId: tid,
    platformState: 'ready',
    platformStateRaw: 'WAIT_SELLER_SEND_GOODS',
    createdAt: Date.parse('2026-11-10T16:00:01Z'),
    paidAt: Date.parse('2026-11-10T16:00:04Z'),
    modifiedAt: Date.parse('2026-11-10T16:00:04Z'),
    shipBy: Date.parse('2026-11-12T16:00:04Z'),
    lines: [
      {
        lineId: '4089823765511044812',
        sku: 'CF-JKT-BLK-L',
        platformSku: '4712345678901',
        title: '三合一冲锋衣',
        quantity: 1,
        paidFen: 16110,
        gift: false,
        giftOf: null,
        refund: 'none',
        readyAt: null,
      },
      {
        lineId: '4089823765512044812',
        sku: 'CF-SOCK-GRY',
        platformSku: '4712345678902',
        title: '羊毛徒步袜',
        quantity: 2,
        paidFen: 8910,
        gift: false,
        giftOf: null,
        refund: 'none',
        readyAt: null,
      },
      {
        lineId: '4089823765513044812',
        sku: 'CF-GIFT-BUFF',
        platformSku: '635433327170',
        title: '赠品 魔术头巾',
        quantity: 1,
        paidFen: 0,
        gift: true,
        giftOf: '4089823765512044812',
        refund: 'none',
        readyAt: null,
      },
    ],
    freightFen: 880,
    paidFen: 25900,
    receiver: {
      name: '张**',
      phone: '*******5552',
      province: '浙江省',
      city: '杭州市',
      district: '余杭区',
      town: '五常街道',
      street: '五*街道文**路**号*幢**室',
      postalCode: '310000',
      oaid: '1tjc0A9mQ7bT4uYkP2sWvZx5LrEdNfHgJ8aCiB3oU6yM1qKe',
      adcode: null,
      point: null,
    },
    buyerId: 'AAEAAeJk0kR8Xq1ZtV9mN2bC',
    buyerMessage: '请发顺丰',
    sellerMemo: 'VIP 优先',
    sellerFlag: 1,
    addressUnderReview: false,
    presale: null,
    fetchNumber: 0,
    transactionId: '2026111122001198121409211929',
  },
  words: {
    taken: '{"success":true}',
    notTaken: /^\{"success":false,"error_code":"[a-z-]+","error_message":"[^"]+"\}$/,
    badSignature: '{"success":false,"error_code":"sign-check-failure","error_message":"Illegal request"}',
  },
  wrong: tmallWrong,
  variants: [
    { name: 'no tid_str', order: trade({ tid_str: undefined }), expected: { orderId: tid } },
    {
      name: 'simplify=true',
      order: {
        trade: trade((copy) => {
          copy.orders = copy.orders.order
        }).trade_fullinfo_get_response.trade,
      },
      expected: { orderId: tid, paidFen: 25900 },
    },
    {
      name: 'services on top',
      order: trade((copy) => {
        copy.payment = '309.00'
        copy.service_orders = { service_order: [{ oid: 1, payment: '50.00' }] }
      }),
      expected: { paidFen: 30900, serviceFen: 5000, freightFen: 880 },
    },
    { name: 'no services', order: trade({ service_orders: { service_order: [] } }), expected: { paidFen: 25900 } },
    ...['0000-00-00 00:00:00', '0001-01-01 00:00:00', '1970-01-01 08:00:00', '0', ''].map((none) => ({
      name: `no date: ${none}`,
      order: trade({ delivery_time: none, send_time: none }),
      expected: { shipBy: null },
    })),
    ...[' CF-X ', '\tCF-X\n', '\u3000CF-X', 'CF-X\u00a0', '\u200bCF-X\ufeff'].map((code) => ({
      name: `a code among blanks: ${JSON.stringify(code)}`,
      order: line({ outer_sku_id: code }),
      expected: { lines: [{ sku: 'CF-X' }, {}, {}] },
    })),
    {
      name: 'a refund word of tomorrow',
      order: line({ refund_status: 'MAYBE' }),
      expected: { lines: [{ refund: 'requested' }, {}, {}] },
    },
    {
      name: 'presale, deposit paid',
      order: presale,
      expected: {
        platformState: 'unpaid',
        presale: { step: 'deposit_paid', depositFen: 5000 },
        paidFen: 49900,
        lines: [{ paidFen: 49900 }],
      },
    },
    {
      name: 'presale whose status runs ahead of its balance',
      order: trade({ status: 'WAIT_SELLER_SEND_GOODS' }, presale),
      expected: { platformState: 'on_hold' },
    },
    {
      name: 'presale, all paid',
      order: trade({ status: 'WAIT_SELLER_SEND_GOODS', step_trade_status: 'FRONT_PAID_FINAL_PAID' }, presale),
      expected: { platformState: 'ready', presale: { step: 'balance_paid' } },
    },
    ...(
      [
        ['WAIT_BUYER_PAY', 'unpaid'],
        ['PAID_FORBID_CONSIGN', 'on_hold'],
        ['A_STATE_OF_TOMORROW', 'on_hold'],
        ['SELLER_CONSIGNED_PART', 'partly_shipped'],
        ['WAIT_BUYER_CONFIRM_GOODS', 'shipped'],
        ['TRADE_BUYER_SIGNED', 'shipped'],
        ['TRADE_FINISHED', 'completed'],
        ['TRADE_CLOSED', 'closed'],
        ['TRADE_CLOSED_BY_TAOBAO', 'closed'],
      ] as const
    ).map(([status, platformState]) => ({
      name: status,
      order: trade({ status }),
      expected: { platformState, platformStateRaw: status },
    })),
    {
      name: 'top_hold',
      order: trade({ top_hold: 1 }),
      expected: { platformState: 'on_hold' },
    },
    ...(
      [
        ['NO_REFUND', 'none'],
        ['WAIT_SELLER_AGREE', 'requested'],
        ['WAIT_BUYER_RETURN_GOODS', 'requested'],
        ['WAIT_SELLER_CONFIRM_GOODS', 'requested'],
        ['SELLER_REFUSE_BUYER', 'refused'],
        ['CLOSED', 'closed'],
        ['SUCCESS', 'refunded'],
      ] as const
    ).map(([word, refund]) => ({
      name: `refund_status ${word}`,
      order: line({ refund_status: word }),
      expected: { lines: [{ refund }, { refund: 'none' }, { refund: 'none' }] },
    })),
    {
      name: 'a line closed on its own',
      order: line({ status: 'TRADE_CLOSED_BY_TAOBAO' }),
      expected: { lines: [{ refund: 'refunded' }, {}, {}] },
    },
    {
      name: 'no divide_order_fee: shared by payment',
      order: trade(unshared),
      // 250.20 by 179 : 99 : 0.
      expected: { lines: [{ paidFen: 16110 }, { paidFen: 8910 }, { paidFen: 0 }] },
    },
    {
      name: 'one line without divide_order_fee takes the rest',
      order: line({ divide_order_fee: undefined, payment: '1.00' }),
      expected: { lines: [{ paidFen: 16110 }, { paidFen: 8910 }, { paidFen: 0 }] },
    },
    {
      name: 'a platform that contradicts itself keeps its numbers',
      order: line({ divide_order_fee: '161.11' }),
      expected: { paidFen: 25900, freightFen: 880, lines: [{ paidFen: 16111 }, { paidFen: 8910 }, { paidFen: 0 }] },
    },
    {
      name: 'outer_iid where there is no outer_sku_id',
      order: line({ outer_sku_id: '' }),
      expected: { lines: [{ sku: 'CF-JKT' }, {}, {}] },
    },
    {
      name: 'no code at all',
      order: line({ outer_sku_id: undefined, outer_iid: undefined }),
      expected: { lines: [{ sku: '' }, {}, {}] },
    },
    {
      name: 'a ready time on a line',
      order: line({ estimate_con_time: '2026-11-20 00:00:00' }),
      expected: { lines: [{ readyAt: Date.parse('2026-11-19T16:00:00Z') }, {}, {}] },
    },
    {
      name: 'a ready time in words',
      order: line({ estimate_con_time: '付款后3天内' }),
      expected: { lines: [{ readyAt: null }, {}, {}] },
    },
    {
      name: 'no modified: the latest time there is',
      order: trade({ modified: undefined }),
      expected: { modifiedAt: Date.parse('2026-11-10T16:00:04Z') },
    },
  ],
  nonsense: tmallNonsense,
  withSku: (code) => line({ outer_sku_id: code }),
  withNote: (note) => trade({ buyer_message: note }),
  personal: ['张**', '5552', '五常街道', '文**路', '请发顺丰'],
}

/** For the vectors: the digest of a decoded query and a body. */
export function tmallVector(query: Record<string, string>, body: Uint8Array, secret: string): string {
  const form = parseForm(Buffer.from(new URLSearchParams(query).toString()))!
  return tmallDigest(form, body, secret, 'md5').toUpperCase()
}
