/**
 * The plain bill, for every payment provider that has no parser of its own: a CSV with the header
 * `ref,channel,shop,orderId,kind,amountFen,feeFen,occurredAt`, in any order of columns.
 *
 * kind: payment, refund or fee. amountFen: an integer ≥ 0; feeFen: an integer, negative when given back, empty for 0.
 * occurredAt: epoch milliseconds, ISO 8601 with its offset, or `yyyy-MM-dd HH:mm:ss` in GMT+8. A payment or refund
 * names its order; a fee may leave channel, shop and orderId empty.
 *
 * The sender makes this file and can correct it. So a line that cannot be read refuses the file, and none is set aside.
 */
import { parse } from 'csv-parse/sync'
import { type BillKind, type BillRow, billKinds } from '../../router/bill.ts'
import { type ChannelName, channelNames } from '../../router/types.ts'
import { parseInstant } from '../shared/instant.ts'
import { BadLines, type BillFormat, decodeBill, notUtf8, type ParsedBill, refused } from './bill.ts'
import { parseDecimal } from './decimal.ts'

const columns = ['ref', 'channel', 'shop', 'orderId', 'kind', 'amountFen', 'feeFen', 'occurredAt'] as const
type Column = (typeof columns)[number]

// Longer ones are no keys of anything; the limit keeps index entries small.
const keyLengthMax = 200

export const generic: BillFormat = { name: 'generic', parse: parseGenericBill }

/** Throws nothing. */
export function parseGenericBill(bytes: Uint8Array): ParsedBill {
  const text = decodeBill(bytes)
  if (text === null) return refused('malformed_bill', notUtf8)
  const records = readCsv(text)
  if (typeof records === 'string') return refused('malformed_bill', records)
  const header = records[0]?.record.map((name) => name.trim())
  if (header === undefined) return refused('malformed_bill', 'The bill is empty.')
  const missing = columns.filter((name) => !header.includes(name))
  if (missing.length > 0) return refused('malformed_bill', `The header has no column ${missing.join(', ')}.`)
  if (new Set(header).size !== header.length) return refused('malformed_bill', 'The header names a column twice.')
  const index = Object.fromEntries(columns.map((name) => [name, header.indexOf(name)])) as Record<Column, number>
  const bad = new BadLines()
  const rows: BillRow[] = []
  for (const { record, info } of records.slice(1)) {
    if (record.length !== header.length) {
      bad.add(info.lines, `${record.length} cells where the header has ${header.length}`)
      continue
    }
    const row = readRow((name) => record[index[name]]!.trim())
    if (typeof row === 'string') bad.add(info.lines, row)
    else rows.push(row)
  }
  return bad.count > 0 ? bad.refusal() : { outcome: 'parsed', rows, setAside: [] }
}

function readRow(cell: (name: Column) => string): BillRow | string {
  const ref = cell('ref')
  if (!isKey(ref)) return `ref is empty, longer than ${keyLengthMax}, or holds control characters`
  const kind = billKinds.find((word) => word === cell('kind'))
  if (kind === undefined) return `kind is none of ${billKinds.join(', ')}`
  const amountFen = parseDecimal(cell('amountFen'), 0)
  if (amountFen === null || amountFen < 0) return 'amountFen is no integer ≥ 0'
  const feeFen = cell('feeFen') === '' ? 0 : parseDecimal(cell('feeFen'), 0)
  if (feeFen === null) return 'feeFen is no integer'
  const occurredAt = parseInstant(cell('occurredAt'))
  if (occurredAt === null) return 'occurredAt is no instant'
  const order = readOrder(kind, cell)
  if (typeof order === 'string') return order
  return { ref, kind, ...order, transactionId: null, amountFen, feeFen, occurredAt }
}

function readOrder(
  kind: BillKind,
  cell: (name: Column) => string,
): { channel: ChannelName | null; shop: string | null; orderId: string | null } | string {
  const [given, shop, orderId] = [cell('channel'), cell('shop'), cell('orderId')]
  const channel = channelNames.find((name) => name === given)
  if (given !== '' && channel === undefined) return `channel is none of ${channelNames.join(', ')}`
  if (kind === 'fee' && orderId === '') {
    if (shop !== '' && !isKey(shop)) return 'shop is no shop code'
    return { channel: channel ?? null, shop: shop === '' ? null : shop, orderId: null }
  }
  if (channel === undefined || !isKey(shop) || !isKey(orderId)) return `a ${kind} needs channel, shop and orderId`
  return { channel, shop, orderId }
}

function isKey(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return text !== '' && text.length <= keyLengthMax && !/[\u0000-\u001f\u007f]/.test(text)
}

interface CsvRecord {
  readonly record: readonly string[]
  readonly info: { readonly lines: number }
}

/** A message when the text is no CSV, as with a quote that is never closed. */
function readCsv(text: string): CsvRecord[] | string {
  try {
    return parse(text, {
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as CsvRecord[]
  } catch (error) {
    const line = (error as { lines?: unknown }).lines
    return `The text is no CSV${typeof line === 'number' ? ` from line ${line} on` : ''}: look for a quote that is not closed.`
  }
}
