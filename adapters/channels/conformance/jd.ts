/** JD's entry in the conformance table. */
import { credentials, info, item, jdWrong, message, order, orderInfo, sign } from './jd.wrong.ts'
import type { ChannelCase } from './types.ts'

export const jdCase: ChannelCase = {
  name: 'jd',
  credentials,
  sign,
  accepted: {
    message,
    named: {
      eventId: 'order:312345678901:2026-11-11 00:00:09:WAIT_SELLER_STOCK_OUT',
      orderId: '312345678901',
      occurredAt: Date.parse('2026-11-10T16:00:09Z'),
      kind: 'order',
    },
  },
  order,
  snapshot: {
    type: 'order',
    channel: 'jd',
    shop: 's1',
    orderId: '312345678901',
    platformState: 'ready',
    platformStateRaw: 'WAIT_SELLER_STOCK_OUT',
    createdAt: Date.parse('2026-11-10T16:00:02Z'),
    paidAt: Date.parse('2026-11-10T16:00:09Z'),
    modifiedAt: Date.parse('2026-11-10T16:00:09Z'),
    shipBy: null,
    lines: [
      {
        lineId: '312345678901-100012345678',
        sku: 'CF-JKT-BLK-L',
        platformSku: '100012345678',
        title: '三合一冲锋衣 黑色 L',
        quantity: 1,
        // 399.00 - 40.00, less its share of 10.00 by 359 : 89.
        paidFen: 35099,
        gift: false,
        giftOf: null,
        refund: 'none',
        readyAt: null,
      },
      {
        lineId: '312345678901-100012345679',
        sku: 'CF-SOCK-GRY',
        platformSku: '100012345679',
        title: '羊毛徒步袜 灰色',
        quantity: 2,
        paidFen: 8701,
        gift: false,
        giftOf: null,
        refund: 'none',
        readyAt: null,
      },
    ],
    freightFen: 0,
    paidFen: 43800,
    receiver: {
      name: '李*',
      phone: '138****8000',
      province: '北京',
      city: '大兴区',
      district: '亦庄经济开发区',
      town: '',
      street: '北京大兴区亦庄经济开发区**路*号',
      postalCode: '',
      oaid: '',
      adcode: null,
      point: null,
    },
    buyerId: 'oBuyerX1y2z3',
    buyerMessage: '尽快发货',
    sellerMemo: '',
    sellerFlag: 0,
    addressUnderReview: false,
    presale: null,
    fetchNumber: 0,
    transactionId: null,
  },
  words: {
    taken: '{"code":"0","msg":"success","data":""}',
    notTaken: /^\{"code":"[1-9]\d*","msg":"[^"]+","data":""\}$/,
    badSignature: '{"code":"401","msg":"invalid sign","data":""}',
  },
  wrong: jdWrong,
  variants: [
    { name: 'the bare orderInfo', order: orderInfo, expected: { orderId: '312345678901', paidFen: 43800 } },
    { name: 'orderInfo under its name', order: { orderInfo }, expected: { orderId: '312345678901' } },
    {
      name: 'an id above 2^53, whatever it is written as',
      order: info({ orderId: '9007199254740993123' }),
      expected: { orderId: '9007199254740993123', lines: [{ lineId: '9007199254740993123-100012345678' }, {}] },
    },
    ...(
      [
        ['WAIT_SELLER_DELIVERY', 'ready'],
        ['LOCKED', 'on_hold'],
        ['A_STATE_OF_TOMORROW', 'on_hold'],
        ['SEND_TO_DISTRIBUTION_CENER', 'shipped'],
        ['DISTRIBUTION_CENTER_RECEIVED', 'shipped'],
        ['RECEIPTS_CONFIRM', 'completed'],
        ['PAUSE', 'on_hold'],
        ['POP_ORDER_PAUSE', 'on_hold'],
        ['UN_KNOWN', 'on_hold'],
        ['DELIVERY_RETURN', 'on_hold'],
        ['WAIT_GOODS_RECEIVE_CONFIRM', 'shipped'],
        ['FINISHED_L', 'completed'],
        ['TRADE_CANCELED', 'closed'],
      ] as const
    ).map(([state, platformState]) => ({
      name: state,
      order: info({ orderState: state }),
      expected: { platformState, platformStateRaw: state },
    })),
    {
      name: 'freight and account balance',
      order: info({ freightPrice: '6.00', balanceUsed: '100.00', orderPayment: '344.00' }),
      expected: { paidFen: 44400, freightFen: 600, lines: [{ paidFen: 35099 }, { paidFen: 8701 }] },
    },
    {
      name: 'the seller\u2019s discount not itemised',
      order: info({ couponDetailList: [], orderPayment: '448.00' }),
      // 50.00 by 399 : 99.
      expected: { paidFen: 44800, lines: [{ paidFen: 35894 }, { paidFen: 8906 }] },
    },
    {
      name: 'a gift',
      order: item({ jdPrice: '0.00' }),
      expected: { lines: [{ gift: true, paidFen: 0 }, { gift: false }] },
    },
    {
      name: 'one SKU on two lines',
      order: info((copy) => {
        copy.itemInfoList[1] = copy.itemInfoList[0]
      }),
      expected: {
        lines: [{ lineId: '312345678901-100012345678' }, { lineId: '312345678901-100012345678-2' }],
      },
    },
    {
      name: 'a platform that contradicts itself keeps its numbers',
      order: info({ orderPayment: '437.99' }),
      expected: { paidFen: 43799, lines: [{ paidFen: 35099 }, { paidFen: 8701 }] },
    },
    {
      name: 'productNo where there is no outerSkuId',
      order: item({ outerSkuId: '' }),
      expected: { lines: [{ sku: 'CF-JKT' }, {}] },
    },
  ],
  nonsense: [
    {
      name: 'negative quantity',
      order: item({ itemTotal: '-1' }),
    },
    {
      name: 'no quantity',
      order: item({ itemTotal: '0' }),
    },
    {
      name: 'half a piece',
      order: item({ itemTotal: '1.5' }),
    },
    {
      name: 'no price',
      order: item({ jdPrice: undefined }),
    },
    {
      name: 'negative price',
      order: item({ jdPrice: '-1.00' }),
    },
    {
      name: 'more money than there is',
      order: item({ jdPrice: '9999999999.00', itemTotal: '1000' }),
    },
    {
      name: 'payment in words',
      order: info({ orderPayment: 'free' }),
    },
    {
      name: 'no lines',
      order: info({ itemInfoList: [] }),
    },
    {
      name: 'lines that are an object',
      order: info((copy) => {
        copy.itemInfoList = copy.itemInfoList[0]
      }),
    },
    {
      name: 'coupons that are a number',
      order: info({ couponDetailList: 1 }),
    },
    {
      name: 'a time that is none',
      order: info({ modified: '11/11/2026' }),
    },
    {
      name: 'text that is an object',
      order: info((copy) => {
        copy.consigneeInfo.fullname = { a: '李四' }
      }),
    },
  ],
  withSku: (code) => item({ outerSkuId: code }),
  withNote: (note) => info({ orderRemark: note }),
  personal: ['李*', '138****8000', '亦庄', '尽快发货'],
}
