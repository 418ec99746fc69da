/** Wall-clock text of Chinese platforms: `yyyy-MM-dd HH:mm:ss`, always GMT+8, never with daylight saving. */

const gmt8Ms = 8 * 3_600_000
const shape = '0000-00-00 00:00:00'

/** Epoch milliseconds; null when the text is no such instant. By character codes: an order holds half a dozen of these. */
export function parseGmt8(text: string): number | null {
  if (text.length !== shape.length) return null
  for (let at = 0; at < shape.length; at++) {
    const code = text.charCodeAt(at)
    const expected = shape.charCodeAt(at)
    if (expected === zero ? code < zero || code > zero + 9 : code !== expected) return null
  }
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  const [hour, minute, second] = [twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17)]
  // Date lets a day or an hour too many overflow quietly, so they are checked here. No platform is older than 1970.
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return null
  if (hour > 23 || minute > 59 || second > 59) return null
  return Date.UTC(year, month - 1, day, hour, minute, second) - gmt8Ms
}

const zero = 48

function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - zero) * 10 + text.charCodeAt(at + 1) - zero
}

/** The inverse; milliseconds are cut off. */
export function formatGmt8(epochMs: number): string {
  return new Date(epochMs + gmt8Ms).toISOString().slice(0, 19).replace('T', ' ')
}

function daysOf(year: number, month: number): number {
  if (month !== 2) return 30 + ((month + (month >> 3)) & 1)
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
}
