/**
 * Reads the fields of a platform's object into typed values. What is not as documented becomes `Unintelligible`, whose
 * message names the field and never holds its content: it ends in logs, and content is personal data.
 */
import { parseYuan } from '../../router/yuan.ts'
import { parseGmt8 } from '../shared/time.ts'
import { type ShopSettings, Unintelligible } from './channel.ts'

export type Json = Readonly<Record<string, unknown>>

/** More units of one thing than any parcel order holds; keeps sums far inside a Postgres integer. */
const quantityMax = 1_000_000
/** Ten billion yuan. Two thousand of it still add up inside the safe integers. */
export const amountFenMax = 1_000_000_000_000
/** More lines than a platform puts in one order; a body at its size limit could hold a few more. */
const linesMax = 2_000
/** Seconds at the year 2100: beyond it a number is no instant in seconds (milliseconds by mistake, an id, junk). */
const epochSecondsMax = 4_102_444_800

export function unintelligible(field: string): never {
  throw new Unintelligible(`${field} is missing or not as documented`)
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function objectIn(parent: Json, key: string): Json {
  const value = parent[key]
  return isObject(value) ? value : unintelligible(key)
}

/** An empty object where the platform leaves it out. */
export function optionalObjectIn(parent: Json, key: string): Json {
  const value = parent[key]
  return value === undefined || value === null ? {} : isObject(value) ? value : unintelligible(key)
}

export function objects(value: unknown, field: string): readonly Json[] {
  if (!Array.isArray(value) || value.length > linesMax || !value.every(isObject)) unintelligible(field)
  return value
}

/**
 * Free text, empty when absent. What Postgres cannot hold (NUL, half a surrogate pair) is replaced: no order is lost to
 * an odd sign in a note.
 */
export function textIn(parent: Json, key: string): string {
  const value = parent[key]
  if (value === undefined || value === null) return ''
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string') unintelligible(key)
  return hasUnstorable.test(value) ? value.replace(unstorable, '\ufffd') : value
}
const hasUnstorable = /[\0\p{Cs}]/u
const unstorable = /[\0\p{Cs}]/gu

/** A merchant's code, without the blanks around it that people leave and cannot see; empty when absent. */
export function codeIn(parent: Json, key: string): string {
  const text = textIn(parent, key)
  let [start, end] = [0, text.length]
  while (start < end && isBlank(text[start]!)) start++
  while (end > start && isBlank(text[end - 1]!)) end--
  return text.slice(start, end)
}

/** The blanks of Unicode, and those that take no room at all. */
function isBlank(sign: string): boolean {
  return sign.trim() === '' || (sign >= '\u200b' && sign <= '\u200d') || sign === '\u2060'
}

/** An id: text, or a number that JSON did not round. Null when absent, empty, `0` (JD and others write it for none) or no id. */
export function idIn(parent: Json, key: string): string | null {
  const value = parent[key]
  const text = typeof value === 'string' ? value : Number.isSafeInteger(value) ? String(value) : ''
  return text !== '0' && id.test(text) ? text : null
}
const id = /^[\x21-\x7e]{1,64}$/

export function requiredIdIn(parent: Json, key: string): string {
  return idIn(parent, key) ?? unintelligible(key)
}

/** A word of the platform's own, such as a status. */
export function wordIn(parent: Json, key: string): string {
  const value = parent[key]
  return typeof value === 'string' && word.test(value) ? value : unintelligible(key)
}
const word = /^[\w-]{1,48}$/

/** A whole number from `min` to `max`, as a number or as its digits; null when absent or empty. */
export function wholeIn(parent: Json, key: string, min: number, max: number): number | null {
  const value = parent[key]
  if (value === undefined || value === null || value === '') return null
  const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < min || number > max) unintelligible(key)
  return number
}

export function quantityIn(parent: Json, key: string): number {
  return wholeIn(parent, key, 1, quantityMax) ?? unintelligible(key)
}

/** Yuan text as fen, not negative; null when absent or empty. */
export function yuanIn(parent: Json, key: string): number | null {
  const value = parent[key]
  if (value === undefined || value === null || value === '') return null
  // A number's shortest text is the literal that stood there, so this is still reading digits.
  const amountFen = typeof value === 'string' || typeof value === 'number' ? parseYuan(String(value)) : null
  if (amountFen === null || amountFen < 0 || amountFen > amountFenMax) unintelligible(key)
  return amountFen
}

export function requiredYuanIn(parent: Json, key: string): number {
  return yuanIn(parent, key) ?? unintelligible(key)
}

/** Integer fen, not negative; null when absent. */
export function fenIn(parent: Json, key: string): number | null {
  return wholeIn(parent, key, 0, amountFenMax)
}

/**
 * GMT+8 wall-clock text as epoch milliseconds; null when absent or none. Systems without an empty date write zeros for
 * none, or an instant up to the beginning of 1970.
 */
export function gmt8In(parent: Json, key: string): number | null {
  const value = parent[key]
  if (value === undefined || value === null || value === 0) return null
  if (typeof value !== 'string') unintelligible(key)
  if (zeroDate.test(value)) return null
  const epochMs = parseGmt8(value) ?? unintelligible(key)
  return epochMs <= 0 ? null : epochMs
}
/** Nothing but zeros, or a year before 1970: the first days of several calendars stand for none. */
const zeroDate = /^[0 :/.T-]*Z?$|^(0\d{3}|1[0-8]\d\d|19[0-6]\d)[-/]/

/** Epoch seconds as milliseconds; null when absent or not after 1970: WeChat writes 0 for "not yet", others the year 1. */
export function epochSecondsIn(parent: Json, key: string): number | null {
  const seconds = wholeIn(parent, key, -epochSecondsMax * 20, epochSecondsMax)
  return seconds === null || seconds <= 0 ? null : seconds * 1000
}

/** The latest of the instants that are there: when the platform leaves out its own "modified". */
export function latest(instants: readonly (number | null)[]): number | null {
  let last: number | null = null
  for (const instant of instants) if (instant !== null && (last === null || instant > last)) last = instant
  return last
}

/** The shop's map may be written in the merchant's codes or in the platform's ids; the merchant's code goes first. */
export function mapSku(code: string, platformSku: string, settings: ShopSettings): string {
  const { skuMap } = settings
  if (code !== '' && Object.hasOwn(skuMap, code)) return skuMap[code]!
  if (platformSku !== '' && Object.hasOwn(skuMap, platformSku)) return skuMap[platformSku]!
  return code
}

/**
 * Ids that are unique within one order, for platforms without a sub-order id: of several lines of one id the second is
 * `id-2`. Which is the first follows from what is said of the lines (`words`, in the sequence of `ids`), never from the
 * sequence in which the platform lists them. Lines of which the same is said can stand for each other.
 */
export function uniqueLineIds(
  ids: readonly string[],
  words: readonly (readonly (string | number)[])[],
): readonly string[] {
  if (new Set(ids).size === ids.length) return ids
  const unique = [...ids]
  const said = words.map((of) =>
    of.map((word) => (typeof word === 'number' ? String(word).padStart(16, '0') : word)).join(),
  )
  for (const id of new Set(ids)) {
    const twins = ids.flatMap((of, index) => (of === id ? [index] : []))
    twins.sort((a, b) => (said[a]! < said[b]! ? -1 : said[a]! > said[b]! ? 1 : 0))
    for (const [rank, index] of twins.entries()) if (rank > 0) unique[index] = `${id}-${rank + 1}`
  }
  return unique
}
