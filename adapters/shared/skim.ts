/**
 * A few members of a large JSON text, read off its bytes without making anything of the rest: an event has to be named
 * before it is stored, and is parsed whole only when it is decided.
 */

/** Stands for a member that is an object or an array: that it is one is all that is said. */
export const skimmedObject: Readonly<Record<string, never>> = Object.freeze({})
export const skimmedArray: readonly never[] = Object.freeze([])

/**
 * The members at `paths`, each a list of names from the root, as `parseJson` gives them (long integers as their digits);
 * undefined where there is none, the last one where a name stands twice. Null when it cannot be told at a glance: then
 * the text has to be parsed. It is looked at whole as to its quotes and brackets, but what stands between them is not
 * checked.
 */
export function skim(bytes: Uint8Array, paths: readonly Path[]): unknown[] | null {
  const found: unknown[] = paths.map(() => undefined)
  const wanted = paths.map((path, slot): Wanted => ({ path, at: 0, slot }))
  try {
    const end = object(bytes, blanks(bytes, 0), wanted, found)
    return blanks(bytes, end) === bytes.length ? found : null
  } catch (error) {
    if (error === unclear) return null
    throw error
  }
}

type Path = readonly string[]

interface Wanted {
  readonly path: Path
  /** The name that is looked for next. */
  readonly at: number
  readonly slot: number
}

const unclear = new Error('not to be told at a glance')
const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** `from` is its brace; gives the index behind its closing one. */
function object(bytes: Uint8Array, from: number, wanted: readonly Wanted[], found: unknown[]): number {
  if (bytes[from] !== openBrace) throw unclear
  let at = blanks(bytes, from + 1)
  if (bytes[at] === closeBrace) return at + 1
  for (;;) {
    if (bytes[at] !== quote) throw unclear
    const name = at + 1
    at = behindString(bytes, at)
    const nameEnd = at - 1
    at = blanks(bytes, at)
    if (bytes[at] !== colon) throw unclear
    at = blanks(bytes, at + 1)
    const here = named(bytes, name, nameEnd, wanted)
    at = here === null ? behindValue(bytes, at) : member(bytes, at, here, found)
    at = blanks(bytes, at)
    if (bytes[at] === closeBrace) return at + 1
    if (bytes[at] !== comma) throw unclear
    at = blanks(bytes, at + 1)
  }
}

function member(bytes: Uint8Array, from: number, wanted: readonly Wanted[], found: unknown[]): number {
  const deeper: Wanted[] = []
  let end = -1
  for (const { path, at, slot } of wanted) {
    if (at + 1 < path.length) deeper.push({ path, at: at + 1, slot })
    else if (bytes[from] === openBrace) found[slot] = skimmedObject
    else if (bytes[from] === openBracket) found[slot] = skimmedArray
    else {
      end = behindValue(bytes, from)
      found[slot] = scalar(bytes, from, end)
    }
  }
  // A second member of the name takes the place of the first, with all that was in it.
  for (const { slot } of deeper) found[slot] = undefined
  if (deeper.length > 0 && bytes[from] === openBrace) return object(bytes, from, deeper, found)
  return end === -1 ? behindValue(bytes, from) : end
}

function scalar(bytes: Uint8Array, from: number, end: number): unknown {
  const isText = bytes[from] === quote
  const text = isText ? ascii(bytes, from + 1, end - 1) : ascii(bytes, from, end)
  if (isText || longInteger.test(text)) return text
  if (text === 'true') return true
  if (text === 'false') return false
  if (text === 'null') return null
  if (!number.test(text)) throw unclear
  return Number(text)
}

const longInteger = /^-?[1-9]\d{15,}$/
const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** Names and values that are nothing but printable ASCII without escapes. */
function ascii(bytes: Uint8Array, from: number, end: number): string {
  let text = ''
  for (let at = from; at < end; at++) {
    const byte = bytes[at]!
    if (byte < 0x20 || byte > 0x7e || byte === backslash) throw unclear
    text += String.fromCharCode(byte)
  }
  return text
}

/** Null when none of them is looked for under this name. A name with an escape in it might be any name. */
function named(bytes: Uint8Array, from: number, end: number, wanted: readonly Wanted[]): Wanted[] | null {
  for (let at = from; at < end; at++) if (bytes[at] === backslash) throw unclear
  let here: Wanted[] | null = null
  for (let i = 0; i < wanted.length; i++) {
    const { path, at } = wanted[i]!
    if (!isName(bytes, from, end, path[at]!)) continue
    here ??= []
    here.push(wanted[i]!)
  }
  return here
}

function isName(bytes: Uint8Array, from: number, end: number, name: string): boolean {
  if (end - from !== name.length) return false
  for (let at = 0; at < name.length; at++) if (bytes[from + at] !== name.charCodeAt(at)) return false
  return true
}

/** `from` is its first quote. */
function behindString(bytes: Uint8Array, from: number): number {
  for (let at = from + 1; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) return at + 1
    if (byte === backslash) at += 1
  }
  throw unclear
}

function behindValue(bytes: Uint8Array, from: number): number {
  const first = bytes[from]
  if (first === quote) return behindString(bytes, from)
  if (first !== openBrace && first !== openBracket) return behindWord(bytes, from)
  let depth = 0
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) at = behindString(bytes, at) - 1
    else if (byte === openBrace || byte === openBracket) depth += 1
    else if (byte === closeBrace || byte === closeBracket) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  throw unclear
}

/** A number, true, false or null: up to what cannot be part of one. */
function behindWord(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && isWord(bytes[at]!)) at += 1
  if (at === from) throw unclear
  return at
}

function isWord(byte: number): boolean {
  const isDigitOrSign = (byte >= 0x30 && byte <= 0x39) || byte === 0x2b || byte === 0x2d || byte === 0x2e
  return isDigitOrSign || (byte >= 0x61 && byte <= 0x7a) || byte === 0x45
}

function blanks(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09))
    at += 1
  return at
}
