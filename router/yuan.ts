/**
 * Yuan as text (`"259.00"`, `"-3.5"`, `"12"`) to fen, digit by digit: no floating point on the way, so no cent is ever
 * off. Everything but an optional minus, digits, and at most two decimals is junk; so is what leaves the safe integers.
 */
export function parseYuan(text: string): number | null {
  const match = pattern.exec(text)
  if (match === null) return null
  const fen = Number(match[2]! + (match[3] ?? '').padEnd(2, '0'))
  if (!Number.isSafeInteger(fen)) return null
  // Some comparisons tell minus zero from zero (Object.is), so minus zero is never returned.
  return match[1] === '-' && fen !== 0 ? -fen : fen
}

/** Two decimals, as platforms and bills write it. */
export function formatYuan(amountFen: number): string {
  const digits = String(Math.abs(amountFen)).padStart(3, '0')
  return `${amountFen < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

// Seventeen digits are beyond the safe integers already; the bound keeps hostile texts short.
const pattern = /^(-?)(\d{1,17})(?:\.(\d{1,2}))?$/
