/** Plain text for a terminal of 100 columns, in which a Chinese character takes two. Colour only where one looks. */

export const columnsMax = 100

export type Align = 'left' | 'right'

export interface Column {
  readonly head: string
  readonly align?: Align
  /** Columns of the terminal; longer text is cut. Absent: as wide as its widest cell. */
  readonly max?: number
}

export interface Paper {
  title(text: string): void
  /** Heading of a chapter: English, and the trade's own word. */
  chapter(text: string, chinese: string): void
  /** A paragraph, wrapped; `indent` columns from the left. */
  say(text: string, indent?: number): void
  /** A line of a command that is to be pasted: never wrapped. */
  command(text: string): void
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void
  /** Something that was promised, and whether it is so; `found` says what is there instead. */
  claim(kept: boolean, sentence: string, found?: string): void
  gap(): void
}

export interface PaperOptions {
  readonly write: (text: string) => void
  readonly colour: boolean
}

type Paint = 'bold' | 'dim' | 'green' | 'red' | 'cyan'
const codes: Readonly<Record<Paint, string>> = { bold: '1', dim: '2', green: '32', red: '31', cyan: '36' }

export function paperOf({ write, colour }: PaperOptions): Paper {
  const paint = (how: Paint, text: string) => (colour ? `\u001b[${codes[how]}m${text}\u001b[0m` : text)
  const line = (text = '') => write(`${text}\n`)
  return {
    title: (text) => line(paint('bold', text)),
    chapter: (text, chinese) => {
      line()
      const rest = '─'.repeat(Math.max(2, columnsMax - widthOf(`── ${text} · ${chinese} `)))
      line(`${paint('cyan', '──')} ${paint('bold', text)} · ${chinese} ${paint('cyan', rest)}`)
    },
    say: (text, indent = 0) => {
      for (const part of wrapped(text, columnsMax - indent)) line(' '.repeat(indent) + part)
    },
    command: (text) => line(`  ${text}`),
    table: (columns, rows) => {
      const [head, ...body] = laidOut(columns, rows)
      line(paint('dim', head!))
      for (const row of body) line(row)
    },
    claim: (kept, sentence, found) => {
      const text = kept ? sentence : `${sentence}: NOT SO${found === undefined ? '' : `, but ${found}`}`
      const [first = '', ...more] = wrapped(text, columnsMax - 4)
      line(`  ${kept ? paint('green', '✓') : paint('red', '✗')} ${kept ? first : paint('red', first)}`)
      for (const part of more) line(`    ${kept ? part : paint('red', part)}`)
    },
    gap: () => line(),
  }
}

/** Head and rows as lines, indented by two and no wider than the terminal as long as `max` is given where it matters. */
export function laidOut(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const cut = rows.map((row) => columns.map(({ max }, i) => clipped(row[i] ?? '', max ?? columnsMax)))
  const widths = columns.map(({ head }, i) => Math.max(widthOf(head), ...cut.map((row) => widthOf(row[i]!))))
  const lay = (cells: readonly string[]) =>
    `  ${cells.map((cell, i) => padded(cell, widths[i]!, columns[i]!.align ?? 'left')).join('  ')}`.trimEnd()
  return [lay(columns.map(({ head }) => head)), ...cut.map(lay)]
}

/** Terminal columns of a text: East Asian wide and full-width characters take two (Unicode TR11, the ranges in use here). */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += isWide(character.codePointAt(0)!) ? 2 : 1
  return width
}

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  )
}

function clipped(text: string, max: number): string {
  if (widthOf(text) <= max) return text
  let kept = ''
  for (const character of text) {
    if (widthOf(kept + character) > max - 1) break
    kept += character
  }
  return `${kept}…`
}

function padded(text: string, width: number, align: Align): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'left' ? text + space : space + text
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let current = ''
  for (const word of text.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`
    if (current !== '' && widthOf(longer) > width) {
      lines.push(current)
      current = word
    } else current = longer
  }
  lines.push(current)
  return lines
}
