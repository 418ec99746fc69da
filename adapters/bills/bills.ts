/**
 * Every bill format that Paidan reads. To add one: write a module that exports a `BillFormat`, add its name to
 * `billFormatFiles` (adapters/shared/bill-formats.ts) and the module here. Nothing else in the project knows a format.
 */
import type { BillFormatName } from '../shared/bill-formats.ts'
import type { BillFormat } from './bill.ts'
import { generic } from './generic.ts'
import { wechatpay } from './wechatpay.ts'

export const billFormats: Readonly<Record<BillFormatName, BillFormat>> = { wechatpay, generic }
