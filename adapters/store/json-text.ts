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

// JSON escapes control characters, so that none stands in a value.
const recordSeparator = '\x1e'

const mayHoldUnstorable = /\\u(?:0000|d[89a-f])/
// Every escape is matched whole, so that an escaped backslash before "u0000" is left alone.
const escapes = /\\(?:u[0-9a-f]{4}|[^u])/g
const unstorable = /^\\u(?:0000|d[89a-f])/
