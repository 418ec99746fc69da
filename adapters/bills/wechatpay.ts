/**
 * WeChat Pay's trade bill: the CSV text that the download URL of `GET /v3/bill/tradebill` gives (bill_type ALL,
 * SUCCESS or REFUND). Columns are found by name, so one parser reads the three. Header and summary header are plain;
 * every other cell begins with a backtick, and cells may hold commas.
 *
 * The summary is checked against the rows, on the exact text (./wechatpay-sums.ts): a bill that does not add up was cut
 * or changed on its way, and is refused whole. So is a bill with a line whose amounts cannot be read, since nothing
 * proves then that it adds up. Any other row that cannot be booked is set aside with its reason, and the day is taken:
 * a row in another currency, a revoked trade without a refund id, a word that is not known.
 *
 * Amounts: a payment's is 订单金额 (what the order says, coupons included), a refund's 申请退款金额. A fee has five
 * decimals of yuan in the file; as fen it is rounded half away from zero (四舍五入, as it is settled per trade).
 *
 * A refund says how far it is in 退款状态 [D]: PROCESSING, then SUCCESS, or FAIL or CHANGE (the money stayed with, or came
 * back to, the merchant). A later bill names it again with a later word; router/bill.ts says which word stands.
 */
import { createHash } from 'node:crypto'
import { type BillProgress, type BillRow, compareSameRef } from '../../router/bill.ts'
import { parseInstant } from '../shared/instant.ts'
import {
  BadLines,
  type BillFormat,
  decodeBill,
  notUtf8,
  type ParsedBill,
  refused,
  type SetAsideRow,
  setAsideMax,
} from './bill.ts'
import { parseDecimal } from './decimal.ts'
import { countName, differenceOf, Sums, sums } from './wechatpay-sums.ts'

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
  const { bad, reader, rows, setAside, summaryHeader, summary } = readRows(columns, lines)
  if (bad.count > 0) return bad.refusal()
  if (summaryHeader === null || summary === null) {
    return refused('malformed_bill', 'The bill has no summary at its end: it was cut off. Download it again.')
  }
  if (namesTwice(summaryHeader)) return refused('malformed_bill', 'The summary names a column twice.')
  const [names, figures] = [columnsOf(summaryHeader), cellsOf(summary)]
  const difference = differenceOf(names, figures, reader.all)
  // Whether the summary counts rows in another currency is not documented: it may leave them out.
  if (difference !== null && differenceOf(names, figures, reader.all.without(reader.foreign)) !== null)
    return difference
  if (setAside.length > setAsideMax) {
    const [first] = setAside
    return refused(
      'malformed_bill',
      `${setAside.length} of the bill's rows cannot be booked, and more than ${setAsideMax} are no exception; nothing was stored. Line ${first!.line}: ${first!.reason}.`,
    )
  }
  return { outcome: 'parsed', rows: [...rows.values()], setAside }
}

type Lines = Iterable<{ readonly text: string; readonly number: number }>

/** All lines behind the header. */
function readRows(columns: ReadonlyMap<string, number>, lines: Lines) {
  const bad = new BadLines()
  const reader = new RowReader(columns)
  const rows = new Map<string, BillRow>()
  const setAside: SetAsideRow[] = []
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
    const cells = cellsOf(line)
    const read = reader.read(cells)
    if (read.outcome === 'unreadable') bad.add(number, read.problem)
    else if (read.outcome === 'odd') setAside.push(reader.odd(cells, line, number, read.reason))
    else {
      const { row } = read
      const earlier = rows.get(row.ref)
      const is = earlier === undefined ? 'replaces' : compareSameRef(earlier, row, false)
      if (is === 'replaces') rows.set(row.ref, row)
      else if (is !== 'older') setAside.push(reader.odd(cells, line, number, 'an earlier line has the same trade'))
    }
  }
  return { bad, reader, rows, setAside, summaryHeader, summary }
}

/** `unreadable`: the line's figures are not known, so the bill cannot be shown to add up. */
type ReadRow =
  | { readonly outcome: 'row'; readonly row: BillRow }
  | { readonly outcome: 'odd'; readonly reason: string }
  | { readonly outcome: 'unreadable'; readonly problem: string }

const unreadable = (problem: string): ReadRow => ({ outcome: 'unreadable', problem })
const odd = (reason: string): ReadRow => ({ outcome: 'odd', reason })

const progressOf: ReadonlyMap<string, BillProgress> = new Map([
  ['PROCESSING', 'pending'],
  ['SUCCESS', 'done'],
  ['FAIL', 'failed'],
  ['CHANGE', 'failed'],
])

/** Cells that name a row to a person, without the payer and what was bought. */
const shownColumns = [
  ...['交易时间', '微信订单号', '商户订单号', '交易状态', '货币种类', '订单金额', '微信退款单号', '商户退款单号'],
  ...['申请退款金额', '退款状态', '手续费'],
]
// The longest id has 64 characters; a cell that is longer is no figure and no id.
const shownMax = 64

/** Reads cells by column name and keeps the sums. */
class RowReader {
  readonly columns: ReadonlyMap<string, number>
  readonly all = new Sums()
  readonly foreign = new Sums()

  constructor(columns: ReadonlyMap<string, number>) {
    this.columns = columns
  }

  read(cells: readonly string[]): ReadRow {
    if (cells.length !== this.columns.size)
      return unreadable(`${cells.length} cells where the header has ${this.columns.size}`)
    const amounts = new Map<string, number>()
    for (const [, column, digits] of sums) {
      if (!this.columns.has(column)) continue
      const amount = parseDecimal(this.cell(cells, column), digits)
      if (amount === null) return unreadable(`${column} is no amount with at most ${digits} decimals`)
      if (amount < 0 && column !== '手续费') return unreadable(`${column} is negative`)
      amounts.set(column, amount)
    }
    this.all.add(amounts)
    if (this.cell(cells, '货币种类') !== 'CNY') {
      this.foreign.add(amounts)
      return odd('货币种类 is not CNY')
    }
    return this.book(cells, amounts)
  }

  private book(cells: readonly string[], amounts: ReadonlyMap<string, number>): ReadRow {
    const occurredAt = parseInstant(this.cell(cells, '交易时间'))
    if (occurredAt === null) return odd('交易时间 is no time')
    const transactionId = this.cell(cells, '微信订单号')
    if (!idPattern.test(transactionId)) return odd('微信订单号 is no transaction id')
    const feeFen = roundToFen(amounts.get('手续费')!)
    const shared = { channel: null, shop: null, orderId: null, transactionId, feeFen, occurredAt }
    const state = this.cell(cells, '交易状态')
    if (state === 'SUCCESS') {
      const amountFen = amounts.get('订单金额')
      if (amountFen === undefined) return odd('a payment in a bill without 订单金额')
      return { outcome: 'row', row: { ...shared, ref: `${transactionId}:SUCCESS`, kind: 'payment', amountFen } }
    }
    // A revoked trade (撤销) gives the money back as a refund does, under a refund id of its own.
    if (state !== 'REFUND' && state !== 'REVOKED') return odd('交易状态 is not a known word')
    const amountFen = amounts.get('申请退款金额')
    if (amountFen === undefined) return odd('a refund in a bill without 申请退款金额')
    const refundId = this.cell(cells, '微信退款单号')
    if (!idPattern.test(refundId)) return odd('微信退款单号 is no refund id')
    const progress = progressOf.get(this.cell(cells, '退款状态'))
    if (progress === undefined) return odd('退款状态 is not a known word')
    const ref = `${transactionId}:${refundId}:${state}`
    return { outcome: 'row', row: { ...shared, ref, kind: 'refund', amountFen, progress } }
  }

  odd(cells: readonly string[], text: string, line: number, reason: string): SetAsideRow {
    const shown = shownColumns.map((name) => [name, this.cell(cells, name)] as const)
    const kept = shown.filter(([, cell]) => cell !== '' && cell.length <= shownMax && !/[\p{Cc}\p{Cs}]/u.test(cell))
    const ref = createHash('sha256').update(text).digest('hex').slice(0, 32)
    return { line, reason, ref, cells: Object.fromEntries(kept) }
  }

  private cell(cells: readonly string[], column: string): string {
    const index = this.columns.get(column)
    return index === undefined ? '' : cells[index]!.trim()
  }
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
