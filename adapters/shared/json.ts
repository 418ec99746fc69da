/**
 * JSON as platforms write it: ids are bare numbers above 2^53, which JSON.parse rounds. Every integer literal of 16 or
 * more digits comes back as a string of exactly those digits; all else as JSON.parse has it. Throws SyntaxError.
 */
export function parseJson(text: string): unknown {
  return JSON.parse(hasLongInteger.test(text) ? text.replace(stringOrLongInteger, quoteLongInteger) : text)
}

const hasLongInteger = /[:,[\s-]\d{16}/
// Strings are matched first and whole, so digits inside them are never touched; fractions and exponents are left alone.
const stringOrLongInteger = /"[^"\\]*(?:\\[^][^"\\]*)*"|(?<![\d.eE+])-?\d{16,}(?![\d.eE])/g

function quoteLongInteger(match: string): string {
  return match.charCodeAt(0) === 34 ? match : `"${match}"`
}
