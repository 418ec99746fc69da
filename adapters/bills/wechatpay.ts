/**
 * WeChat Pay's trade bill: the CSV text that the download URL of `GET /v3/bill/tradebill` gives (bill_type ALL,
 * SUCCESS or REFUND). Columns are found by name, so one parser reads the three. Header and summary header are plain;
 * every other cell begins with a backtick, and cells may hold commas.
 *
 * The summary is checked against the rows, on the exact text: a bill that does not add up was cut or changed on its
 * way, and is refused whole.
 *
 * Amounts: a payment's is 订单金额 (what the order says, coupons included), a refund's 申请退款金额. A fee has five
 * decimals of yuan in the file; as fen it is rounded half away from zero (四舍五入, as it is settled per trade).
 */
import type { BillRow } from '../../router/bill.ts'
import { parseInstant } from '../shared/instant.ts'
import { BadLines, type BillFormat, decodeBill, notUtf8, type ParsedBill, type RefusedBill, refused } from './bill.ts'
import { formatDecimal, parseDecimal } from './decimal.ts'

/** A summary figure and the column that it adds up. Absent columns (a SUCCESS bill has no refunds) add up to zero. */
const sums = [
  ['应结订单总金额', '应结订单金额', 2],
  ['退款总金额', '退款金额', 2],
  ['充值券退款总金额', '充值券退款金额', 2],
  ['手续费总金额', '手续费', 5],
  ['订单总金额', '订单金额', 2],
  ['申请退款总金额', '申请退款金额', 2],
] as const

const countName = '总交易单数'
const required = ['交易时间', '微信订单号', '交易状态', '货币种类', '手续费']
const idPattern = /^[0-9A-Za-z]{8,64}$/

export const wechatpay: BillFormat = { name: 'wechatpay', parse: parseWechatPayBill }

/** Linear in the file's size. Throws nothing. */
export function parseWechatPayBill(bytes: Uint8Array): ParsedBill {
  const text = decodeBill(bytes)
  if (text === null) return refused('malformed_bill', notUtf8)
  const lines = readLines(text)
  const header = lines.next().value
  if (header === undefined) return refused('malformed_bill', 'The bill is empty.')
  const columns = columnsOf(header.text)
  const missing = required.filter((name) => !columns.has(name))
  if (!columns.has('订单金额') && !columns.has('申请退款金额')) missing.push('订单金额 or 申请退款金额')
  if (missing.length > 0) {
    return refused(
      'malformed_bill',
      `The first line is no header of a WeChat trade bill: missing ${missing.join(', ')}.`,
    )
  }
  if (namesTwice(header.text)) return refused('malformed_bill', 'The header names a column twice.')
  const bad = new BadLines()
  const reader = new RowReader(columns)
  const rows: BillRow[] = []
  const lineByRef = new Map<string, number>()
  let withoutMoney = 0
  let summaryHeader: string | null = null
  let summary: string | null = null
  for (const { text: line, number } of lines) {
    if (summaryHeader !== null) {
      if (summary === null) summary = line
      else bad.add(number, 'text after the summary')
      continue
    }
    if (!line.startsWith('`')) {
      if (line.startsWith(countName)) summaryHeader = line
      else bad.add(number, 'the line does not begin with a backtick')
      continue
    }
    const row = reader.read(cellsOf(line))
    if (typeof row === 'string') bad.add(number, row)
    else if (row === null) withoutMoney++
    else {
      const earlier = lineByRef.get(row.ref)
      if (earlier !== undefined) bad.add(number, `the same trade as in line ${earlier}`)
      lineByRef.set(row.ref, number)
      rows.push(row)
    }
  }
  if (bad.count > 0) return bad.refusal()
  if (summaryHeader === null || summary === null) {
    return refused('malformed_bill', 'The bill has no summary at its end: it was cut off. Download it again.')
  }
  if (namesTwice(summaryHeader)) return refused('malformed_bill', 'The summary names a column twice.')
  return differenceOf(columnsOf(summaryHeader), cellsOf(summary), reader) ?? { outcome: 'parsed', rows, withoutMoney }
}

/** Reads cells by column name and keeps the sums, exact to the last decimal of the text. */
class RowReader {
  readonly columns: ReadonlyMap<string, number>
  readonly totals = new Map<string, bigint>()
  count = 0

  constructor(columns: ReadonlyMap<string, number>) {
    this.columns = columns
    for (const [, column] of sums) this.totals.set(column, 0n)
  }

  /** A row; null when no money moved; a string that says what is wrong. */
  read(cells: readonly string[]): BillRow | null | string {
    if (cells.length !== this.columns.size) return `${cells.length} cells where the header has ${this.columns.size}`
    this.count++
    const amounts = new Map<string, number>()
    for (const [, column, digits] of sums) {
      if (!this.columns.has(column)) continue
      const amount = parseDecimal(this.cell(cells, column), digits)
      if (amount === null) return `${column} is no amount with at most ${digits} decimals`
      if (amount < 0 && column !== '手续费') return `${column} is negative`
      amounts.set(column, amount)
      this.totals.set(column, this.totals.get(column)! + BigInt(amount))
    }
    if (this.cell(cells, '货币种类') !== 'CNY') return '货币种类 is not CNY'
    const occurredAt = parseInstant(this.cell(cells, '交易时间'))
    if (occurredAt === null) return '交易时间 is no time'
    const transactionId = this.cell(cells, '微信订单号')
    if (!idPattern.test(transactionId)) return '微信订单号 is no transaction id'
    const feeFen = roundToFen(amounts.get('手续费')!)
    const shared = { channel: null, shop: null, orderId: null, transactionId, feeFen, occurredAt }
    const state = this.cell(cells, '交易状态')
    if (state === 'SUCCESS') {
      const amountFen = amounts.get('订单金额')
      if (amountFen === undefined) return 'a payment in a bill without 订单金额'
      return { ...shared, ref: `${transactionId}:SUCCESS`, kind: 'payment', amountFen }
    }
    // A revoked trade (撤销) gives the money back as a refund does, under a refund id of its own.
    if (state === 'REFUND' || state === 'REVOKED') {
      const amountFen = amounts.get('申请退款金额')
      if (amountFen === undefined) return 'a refund in a bill without 申请退款金额'
      const refundId = this.cell(cells, '微信退款单号')
      if (!idPattern.test(refundId)) return '微信退款单号 is no refund id'
      const status = this.cell(cells, '退款状态')
      // The money stayed with, or came back to, the merchant: it is not refunded.
      if (status === 'FAIL' || status === 'CHANGE') return null
      if (status !== 'SUCCESS' && status !== 'PROCESSING') return '退款状态 is not a known word'
      return { ...shared, ref: `${transactionId}:${refundId}:${state}`, kind: 'refund', amountFen }
    }
    return '交易状态 is not a known word'
  }

  private cell(cells: readonly string[], column: string): string {
    const index = this.columns.get(column)
    return index === undefined ? '' : cells[index]!.trim()
  }
}

function differenceOf(
  columns: ReadonlyMap<string, number>,
  cells: readonly string[],
  reader: RowReader,
): RefusedBill | null {
  if (cells.length !== columns.size)
    return refused('malformed_bill', 'The summary has not as many cells as its header.')
  const differences: string[] = []
  const count = columns.get(countName)
  if (count === undefined) return refused('malformed_bill', `The summary has no column ${countName}.`)
  const given = cells[count]!.trim()
  if (given !== String(reader.count)) differences.push(`${countName} differs: ${reader.count} rows were read`)
  for (const [name, column, digits] of sums) {
    const index = columns.get(name)
    if (index === undefined) continue
    const stated = parseDecimal(cells[index]!.trim(), digits)
    if (stated === null) return refused('malformed_bill', `${name} in the summary is no amount.`)
    const difference = BigInt(stated) - reader.totals.get(column)!
    if (difference === 0n) continue
    const [summed, more] = [reader.totals.get(column)!, formatDecimal(difference, digits)]
    differences.push(`${name} is ${more} off: the rows add up to ${formatDecimal(summed, digits)}`)
  }
  if (differences.length === 0) return null
  const message = `The bill's summary does not agree with its rows; nothing was stored. ${differences.join('; ')}.`
  return refused('bill_summary_mismatch', message)
}

/** From 10^-5 yuan to fen. */
function roundToFen(fee: number): number {
  const fen = Math.floor((Math.abs(fee) + 500) / 1000)
  return fee < 0 && fen !== 0 ? -fen : fen
}

function columnsOf(line: string): Map<string, number> {
  return new Map(line.split(',').map((name, index) => [name.trim(), index]))
}

/** Whose cells would be meant is not guessed. */
function namesTwice(header: string): boolean {
  return columnsOf(header).size < header.split(',').length
}

function cellsOf(line: string): string[] {
  return line.slice(1).split(',`')
}

function* readLines(text: string): Generator<{ text: string; number: number }, undefined> {
  let number = 0
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start)
    const stop = end === -1 ? text.length : end
    const line = text.slice(start, text[stop - 1] === '\r' ? stop - 1 : stop)
    number++
    start = stop + 1
    if (line.trim() !== '') yield { text: line, number }
  }
}
