/**
 * What parsing a bill file can come to. A bill is refused whole when the file itself cannot be trusted: it was cut or
 * changed on its way. A sound file is taken; a row of it that Paidan cannot book is set aside with its reason.
 */
import type { BillRow } from '../../router/bill.ts'
import type { BillFormatName } from '../shared/bill-formats.ts'

export interface BillFormat {
  /** In the path to which such a bill is sent. */
  readonly name: BillFormatName
  /** Throws nothing, whatever the bytes. */
  parse(bytes: Uint8Array): ParsedBill
}

export type ParsedBill =
  | {
      readonly outcome: 'parsed'
      readonly rows: readonly BillRow[]
      /** Rows that are well formed and that no rule of ours can book. */
      readonly setAside: readonly SetAsideRow[]
    }
  | RefusedBill

export interface SetAsideRow {
  /** Line 1 is the file's first. */
  readonly line: number
  /** For a person; names columns and words of the format, never a cell that is not in `cells`. */
  readonly reason: string
  /** The same whenever the same line is delivered again. */
  readonly ref: string
  /** What a person needs to find the row: ids, words, amounts and times, as the file has them. No personal data. */
  readonly cells: Readonly<Record<string, string>>
}

// A bill with more is no day with an odd row: it is of another currency, or of a form that Paidan does not know.
export const setAsideMax = 1_000

export type BillRefusalCode = 'malformed_bill' | 'bill_summary_mismatch'

export interface RefusedBill {
  readonly outcome: 'refused'
  readonly code: BillRefusalCode
  /** For the person who sent the file; names columns and figures, never a cell's text. */
  readonly message: string
  /** The first bad lines, at most `badLinesShown`; line 1 is the file's first. */
  readonly badLines: readonly BadLine[]
  readonly badLineCount: number
}

export interface BadLine {
  readonly line: number
  readonly problem: string
}

// Enough to see what is wrong with a file, few enough for one answer.
export const badLinesShown = 20

/** Gathers bad lines without keeping a million of them. */
export class BadLines {
  readonly shown: BadLine[] = []
  count = 0

  add(line: number, problem: string): void {
    this.count++
    if (this.shown.length < badLinesShown) this.shown.push({ line, problem })
  }

  refusal(): RefusedBill {
    const message = `${this.count} of the bill's lines cannot be read; nothing was stored. Correct the file and send it again.`
    return { outcome: 'refused', code: 'malformed_bill', message, badLines: this.shown, badLineCount: this.count }
  }
}

export function refused(code: BillRefusalCode, message: string): RefusedBill {
  return { outcome: 'refused', code, message, badLines: [], badLineCount: 0 }
}

/** The file's text without its byte order mark; null when the bytes are not UTF-8. */
export function decodeBill(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

export const notUtf8 = 'The bill is not UTF-8 text. Save it as CSV in UTF-8 and send it again.'
