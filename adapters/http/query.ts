/**
 * A query string, strictly: a malformed escape or a key given twice is null. Which of two values was meant is not
 * guessed. `+` is a space, as forms have it.
 */
export function parseQuery(raw: string): Record<string, string> | null {
  const pairs: Record<string, string> = Object.create(null)
  for (const part of raw.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const key = decode(equals < 0 ? part : part.slice(0, equals))
    const value = decode(equals < 0 ? '' : part.slice(equals + 1))
    if (key === null || value === null || key in pairs) return null
    pairs[key] = value
  }
  // A plain object, since that is what schemas take; `__proto__` as a key can only be an unknown key then.
  return Object.fromEntries(Object.entries(pairs))
}

function decode(text: string): string | null {
  return decodePercent(text.includes('+') ? text.replaceAll('+', ' ') : text)
}

/** Percent-decoded text; null when it is malformed, not UTF-8, or holds control characters. */
export function decodePercent(text: string): string | null {
  let decoded = text
  if (text.includes('%')) {
    try {
      decoded = decodeURIComponent(text)
    } catch {
      return null
    }
  }
  // The socket layer turns bytes that are not UTF-8 into U+FFFD.
  return unfit.test(decoded) ? null : decoded
}

const unfit = /[\p{Cc}\uFFFD]/u
