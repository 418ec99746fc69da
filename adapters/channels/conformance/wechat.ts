/** WeChat's entry in the conformance table. */
import type { ChannelCase } from './types.ts'
import { credentials, message, order, product, pulled, sign, wechatWrong } from './wechat.wrong.ts'

/** The line of the sample's first product. */
const twin = '3705115058471208928-10000012345-1122334455'

export const wechatCase: ChannelCase = {
  name: 'wechat',
  credentials,
  sign,
  accepted: {
    message,
    named: {
      eventId: 'oTVP50O53a7jgmawAmxKukNlq3XI:1794326405:channels_ec_order_pay:3705115058471208928',
      orderId: '3705115058471208928',
      occurredAt: 1794326405000,
      kind: 'notification',
    },
  },
  order,
  snapshot: {
    type: 'order',
    channel: 'wechat',
    shop: 's1',
    orderId: '3705115058471208928',
    platformState: 'ready',
    platformStateRaw: '20',
    createdAt: 1794326400000,
    paidAt: 1794326404000,
    modifiedAt: 1794326405000,
    shipBy: 1794499204000,
    lines: [
      {
        lineId: '3705115058471208928-10000012345-1122334455',
        sku: 'CF-JKT-BLK-L',
        platformSku: '1122334455',
        title: '三合一冲锋衣',
        quantity: 1,
        paidFen: 16110,
        gift: false,
        giftOf: null,
        refund: 'none',
        readyAt: null,
      },
      {
        lineId: '3705115058471208928-10000012346-1122334456',
        sku: 'CF-SOCK-GRY',
        platformSku: '1122334456',
        title: '羊毛徒步袜',
        quantity: 2,
        paidFen: 8910,
        gift: false,
        giftOf: null,
        refund: 'none',
        readyAt: null,
      },
    ],
    freightFen: 880,
    paidFen: 25900,
    receiver: {
      name: '张**',
      phone: '17000001111-2222',
      province: '浙江省',
      city: '杭州市',
      district: '余杭区',
      town: '',
      street: '五*街道文**路*幢**室',
      postalCode: '310000',
      oaid: '',
      adcode: '330110',
      point: null,
    },
    buyerId: 'oTVP50O53a7jgmawAmxKukNlq3XI',
    buyerMessage: '请发顺丰',
    sellerMemo: '',
    sellerFlag: 0,
    addressUnderReview: false,
    presale: null,
    fetchNumber: 0,
    transactionId: '4200002345202611110123456789',
  },
  words: { taken: 'success', notTaken: /^[a-z_]+$/, badSignature: 'bad_signature' },
  wrong: wechatWrong,
  variants: [
    ...(
      [
        [10, 'unpaid'],
        [12, 'on_hold'],
        [13, 'on_hold'],
        [17, 'on_hold'],
        [99, 'on_hold'],
        [21, 'partly_shipped'],
        [30, 'shipped'],
        [100, 'completed'],
        [190, 'closed'],
        [200, 'closed'],
        [250, 'closed'],
      ] as const
    ).map(([status, platformState]) => ({
      name: `status ${status}`,
      order: pulled({ status }),
      expected: { platformState, platformStateRaw: String(status) },
    })),
    ...(
      [
        [0, 0, { refund: 'none' }],
        [1, 0, { refund: 'requested', refundUnits: { requested: 1, refunded: 0 } }],
        [2, 0, { refund: 'requested' }],
        [0, 1, { refund: 'none', refundUnits: { requested: 0, refunded: 1 } }],
        [1, 1, { refund: 'requested', refundUnits: { requested: 1, refunded: 1 } }],
        [0, 2, { refund: 'refunded' }],
      ] as const
    ).map(([open, finished, line]) => ({
      name: `of 2 pieces, ${open} asked back and ${finished} given back`,
      order: product({ sku_cnt: 2, on_aftersale_sku_cnt: open, finish_aftersale_sku_cnt: finished }),
      expected: { lines: [line, { refund: 'none' }] },
    })),
    {
      name: 'an address under review',
      order: pulled((copy) => {
        copy.order_detail.delivery_info.address_under_review = { user_name: '李**' }
      }),
      expected: { addressUnderReview: true },
    },
    {
      name: 'a review that is over',
      order: pulled((copy) => {
        copy.order_detail.delivery_info.address_under_review = {}
      }),
      expected: { addressUnderReview: false },
    },
    {
      name: 'the number itself, where no virtual one is used',
      order: pulled((copy) => {
        copy.order_detail.delivery_info.address_info.use_tel_number = 0
      }),
      expected: { receiver: { phone: '138****5552' } },
    },
    {
      name: 'sku_code where there is no out_sku_id',
      order: product({ out_sku_id: '', sku_code: 'CODE' }),
      expected: { lines: [{ sku: 'CODE' }, {}] },
    },
    {
      name: 'one SKU on two lines',
      order: pulled((copy) => {
        copy.order_detail.product_infos[1] = copy.order_detail.product_infos[0]
      }),
      expected: {
        lines: [{ lineId: twin }, { lineId: `${twin}-2` }],
      },
    },
    {
      name: 'freight that the seller changed to nothing',
      order: pulled((copy) => {
        Object.assign(copy.order_detail.price_info, { freight: 1_000, is_change_freight: true, change_freight: 0 })
      }),
      expected: { freightFen: 0 },
    },
    {
      name: 'freight that nobody changed',
      order: pulled((copy) => {
        Object.assign(copy.order_detail.price_info, { freight: 1_000, is_change_freight: false, change_freight: 0 })
      }),
      expected: { freightFen: 1_000 },
    },
    {
      name: 'a gift of the same goods, listed first',
      order: pulled((copy) => {
        const [bought] = copy.order_detail.product_infos
        const { product_id, sku_id } = bought
        const gift = {
          ...{ ...bought, real_price: 0, is_free_gift: 1 },
          free_gift_info: { main_product_list: [{ product_id, sku_id }] },
        }
        copy.order_detail.product_infos = [gift, bought]
      }),
      expected: {
        lines: [
          { lineId: `${twin}-2`, gift: true, giftOf: twin, paidFen: 0 },
          { lineId: twin, gift: false, giftOf: null },
        ],
      },
    },
    { name: 'no errcode', order: { order: order.order }, expected: { orderId: '3705115058471208928' } },
    {
      name: 'unpaid: no pay_info, no delivery_info',
      order: pulled((copy) => {
        copy.status = 10
        delete copy.order_detail.pay_info
        delete copy.order_detail.delivery_info
      }),
      expected: { paidAt: null, transactionId: null, platformState: 'unpaid' },
    },
  ],
  nonsense: [
    { name: 'an errcode', order: { errcode: 40001, errmsg: 'invalid credential' } },
    {
      name: 'negative quantity',
      order: product({ sku_cnt: -1 }),
    },
    {
      name: 'half a piece',
      order: product({ sku_cnt: 0.5 }),
    },
    {
      name: 'no price',
      order: product({ real_price: undefined }),
    },
    {
      name: 'half a fen',
      order: product({ real_price: 1.5 }),
    },
    {
      name: 'negative price',
      order: product({ real_price: -1 }),
    },
    {
      name: 'no order_price',
      order: pulled((copy) => {
        delete copy.order_detail.price_info.order_price
      }),
    },
    {
      name: 'no lines',
      order: pulled((copy) => {
        copy.order_detail.product_infos = []
      }),
    },
    {
      name: 'lines that are an object',
      order: pulled((copy) => {
        copy.order_detail.product_infos = {}
      }),
    },
    {
      name: 'text that is an array',
      order: pulled((copy) => {
        copy.order_detail.ext_info.customer_notes = ['请发顺丰']
      }),
    },
  ],
  withSku: (code) => product({ out_sku_id: code }),
  withNote: (note) =>
    pulled((copy) => {
      copy.order_detail.ext_info.customer_notes = note
    }),
  personal: ['张**', '138****5552', '17000001111', '文**路', '请发顺丰'],
}
