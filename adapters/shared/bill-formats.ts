/** The bill formats that there are, each with what its file holds: for the API's document and for the registry of bills. */

/** The part of the path → what to send. */
export const billFormatFiles = {
  wechatpay: "WeChat Pay's trade bill",
  generic: 'ref,channel,shop,orderId,kind,amountFen,feeFen,occurredAt',
} as const

export type BillFormatName = keyof typeof billFormatFiles

export const billFormatNames = Object.keys(billFormatFiles) as readonly BillFormatName[]
