/**
 * JSON as platforms write it: ids are bare numbers above 2^53, which JSON.parse rounds. Every integer literal of 16 or
 * more digits comes back as a string of exactly those digits; all else as JSON.parse has it. Throws SyntaxError.
 *
 * Linear in the text's length whatever the text is: parts of it are read before a signature has been checked.
 */
export function parseJson(text: string): unknown {
  return JSON.parse(longIntegersQuoted(text))
}

function longIntegersQuoted(text: string): string {
  return hasLongInteger.test(text) ? text.replace(stringOrLongInteger, quoteLongInteger) : text
}

// A cheap look first: most texts of the platforms that quote their numbers need no rewriting.
const hasLongInteger = /(?:^|[:,[\s-])[1-9]\d{15}/
// Strings are matched first and whole, so digits inside them are never touched; fractions and exponents are left alone.
// A number where a name belongs stays one, and the text stays no JSON.
// A string that never ends is matched to the end of the text: otherwise each quote in it would be tried anew, which is
// quadratic. Nothing after a loop can fail, so there is nothing to go back for.
const stringOrLongInteger = /"[^"\\]*(?:\\[\s\S]?[^"\\]*)*(?:"|$)|(?<![\d.eE+-])-?[1-9]\d{15,}(?![\d.eE]|\s*:)/g

function quoteLongInteger(match: string): string {
  return match.charCodeAt(0) === 34 ? match : `"${match}"`
}
