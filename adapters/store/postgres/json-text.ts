/**
 * JSON for a json parameter. Postgres has no NUL in text and refuses half a surrogate pair; a platform's free text may
 * hold either. They become U+FFFD; the inbox keeps the bytes as they came.
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value)
  if (!mayHoldUnstorable.test(text)) return text
  return text.replace(escapes, (sequence) => (unstorable.test(sequence) ? '\\ufffd' : sequence))
}

/**
 * A column of json values as one text parameter; in SQL `unnest(string_to_array($1, chr(30)))`, then the cast. In a json
 * parameter of rows a value would be lexed three times: with the whole, when it is taken out, and when it is cast.
 */
export function jsonColumn(values: readonly unknown[]): string {
  return values.map(jsonText).join(recordSeparator)
}

/** The same of texts and numbers: ids and codes, which hold no control characters. Null is told as the empty text. */
export function textColumn(values: readonly (string | number | null)[]): string {
  return values.map(plain).join(recordSeparator)
}

/** A column of lists of texts or numbers; in SQL each value is taken apart by `string_to_array(value, chr(31))`. */
export function listColumn(values: readonly (readonly (string | number)[])[]): string {
  return values.map((list) => list.map(plain).join(unitSeparator)).join(recordSeparator)
}

function plain(value: string | number | null): string {
  const text = value === null ? '' : String(value)
  return separating.test(text) ? text.replace(separatingAll, '\ufffd') : text
}

// JSON escapes control characters, so that none stands in a value.
const recordSeparator = '\x1e'
const unitSeparator = '\x1f'
const separating = /[\p{Cc}\p{Cs}]/u
const separatingAll = /[\p{Cc}\p{Cs}]/gu

const mayHoldUnstorable = /\\u(?:0000|d[89a-f])/
// Every escape is matched whole, so that an escaped backslash before "u0000" is left alone.
const escapes = /\\(?:u[0-9a-f]{4}|[^u])/g
const unstorable = /^\\u(?:0000|d[89a-f])/
