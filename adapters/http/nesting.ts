/**
 * Whether a JSON text nests deeper than allowed, by one scan that only knows strings and brackets. Run before
 * parsing: recursive code after it (validation, hashing, printing) then never meets a depth that it cannot take.
 */
export function nestsDeeper(text: string, depthMax: number): boolean {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === quote) {
      i = endOfString(text, i)
    } else if (c === openBracket || c === openBrace) {
      if (++depth > depthMax) return true
    } else if (c === closeBracket || c === closeBrace) {
      depth--
    }
  }
  return false
}

const quote = 34
const backslash = 92
const openBracket = 91
const closeBracket = 93
const openBrace = 123
const closeBrace = 125

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === backslash) i++
    else if (c === quote) return i
  }
  return text.length
}
