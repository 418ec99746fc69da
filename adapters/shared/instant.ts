/** Instants as bills, carriers and their like write them, to epoch milliseconds. */

// Platforms in China write wall-clock text in one zone, without daylight saving.
const chinaOffsetMs = 8 * 3_600_000
// The year 2200: whatever is later was no instant but another number.
const epochMsMax = 7_258_118_400_000

const wallClock = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?$/

/**
 * `yyyy-MM-dd HH:mm:ss` as GMT+8, ISO 8601 with its own offset, or epoch milliseconds. Null on anything else, such as
 * a date that the calendar does not have, or ISO 8601 without an offset and with a T (which zone is meant is open).
 */
export function parseInstant(text: string): number | null {
  if (/^\d{12,13}$/.test(text)) {
    const epochMs = Number(text)
    return epochMs <= epochMsMax ? epochMs : null
  }
  const match = wallClock.exec(text)
  if (match === null) return null
  const offset = match[8]
  if (offset === undefined && text[10] === 'T') return null
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  if (hour > 23 || minute > 59 || second > 59) return null
  const utc = Date.UTC(year, month - 1, day, hour, minute, second)
  const date = new Date(utc)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || year < 1970) return null
  const offsetMs = offset === undefined ? chinaOffsetMs : parseOffset(offset)
  if (offsetMs === null) return null
  const milliseconds = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'))
  const epochMs = utc + milliseconds - offsetMs
  return epochMs >= 0 && epochMs <= epochMsMax ? epochMs : null
}

function parseOffset(text: string): number | null {
  if (text === 'Z') return 0
  const hours = Number(text.slice(1, 3))
  const minutes = Number(text.slice(-2))
  if (hours > 14 || minutes > 59) return null
  return (text[0] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
