/** Amounts as bills write them, without floats. */

/**
 * `text` × 10^digits as an integer: ('1.52', 5) is 152000. Null on anything but an optional minus, digits and at most
 * `digits` decimals, and on what is no safe integer.
 */
export function parseDecimal(text: string, digits: number): number | null {
  const match = /^(-?)(\d{1,15})(?:\.(\d+))?$/.exec(text)
  if (match === null) return null
  const decimals = match[3] ?? ''
  if (decimals.length > digits) return null
  const scaled = Number(match[2] + decimals.padEnd(digits, '0'))
  if (!Number.isSafeInteger(scaled)) return null
  return match[1] === '-' && scaled !== 0 ? -scaled : scaled
}

/** An integer scaled by 10^digits, written out again: (152000, 5) is '1.52000'. */
export function formatDecimal(scaled: bigint, digits: number): string {
  const text = (scaled < 0n ? -scaled : scaled).toString().padStart(digits + 1, '0')
  const whole = text.slice(0, text.length - digits)
  return `${scaled < 0n ? '-' : ''}${whole}${digits === 0 ? '' : `.${text.slice(-digits)}`}`
}
