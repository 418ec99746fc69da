/** The few pieces of Markdown that a report is made of. */
import { figureText } from './ticks.ts'

export type Cell = string | number

/** A first column of names to the left, figures to the right. */
export function table(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const isFigure = columns.map((_, at) => rows.length > 0 && rows.every((row) => typeof row[at] === 'number'))
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(columns.map(plain)),
    line(columns.map((_, at) => (isFigure[at] ? '---:' : '---'))),
    ...rows.map((row) => line(columns.map((_, at) => cellText(row[at] ?? '')))),
  ].join('\n')
}

function cellText(cell: Cell): string {
  return typeof cell === 'number' ? figureText(cell) : plain(cell)
}

/** One line that cannot break out of its table, and is not taken for markup. */
export function plain(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\|<>*`[\]]/g, (character) => `\\${character}`)
    .trim()
}

export function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return longest === 0 ? `${fence}${text}${fence}` : `${fence} ${text} ${fence}`
}
