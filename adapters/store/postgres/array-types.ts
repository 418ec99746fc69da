/**
 * Arrays as Postgres writes and reads them, for the types that our statements use.
 *
 * The driver would ask each new connection for the catalog of all array types, and handles no failure of that
 * question: a Postgres that dies, or a wire that is cut, just after a connection was opened would end the process with
 * an unhandled rejection. The numbers of built-in types never change, so nothing has to be asked.
 */

export interface DriverType {
  readonly to: number
  readonly from: number[]
  readonly serialize: (value: unknown) => string
  readonly parse: (text: string) => unknown
}

interface ElementType {
  /** Of the array, in pg_type. */
  readonly array: number
  readonly write: (value: unknown) => string
  readonly read: (text: string) => unknown
}

const asText = (value: unknown): string => String(value)
const asInstant = (value: unknown): string => (value instanceof Date ? value.toISOString() : String(value))
const same = (text: string): string => text

/** As the driver reads and writes the elements alone; int8 and numeric stay text. */
const elements: Readonly<Record<string, ElementType>> = {
  bool: { array: 1000, write: (value) => (value === true ? 't' : 'f'), read: (text) => text === 't' },
  int2: { array: 1005, write: asText, read: Number },
  int4: { array: 1007, write: asText, read: Number },
  text: { array: 1009, write: asText, read: same },
  varchar: { array: 1015, write: asText, read: same },
  int8: { array: 1016, write: asText, read: same },
  float8: { array: 1022, write: asText, read: Number },
  date: { array: 1182, write: asInstant, read: (text) => new Date(text) },
  timestamptz: { array: 1185, write: asInstant, read: (text) => new Date(text) },
  numeric: { array: 1231, write: asText, read: same },
  json: { array: 199, write: (value) => JSON.stringify(value), read: (text) => JSON.parse(text) as unknown },
  jsonb: { array: 3807, write: (value) => JSON.stringify(value), read: (text) => JSON.parse(text) as unknown },
}

/** What the driver's option `types` takes. */
export function arrayTypes(): Record<string, DriverType> {
  return Object.fromEntries(
    Object.entries(elements).map(([name, { array, write, read }]) => [
      `${name}_array`,
      {
        to: array,
        from: [array],
        serialize: (value: unknown) => (Array.isArray(value) ? writeArray(value, write) : String(value)),
        parse: (text: string) => readArray(text, read),
      },
    ]),
  )
}

/** Throws TypeError on undefined, as the driver does outside of arrays: it is no SQL value. */
export function writeArray(values: readonly unknown[], write: (value: unknown) => string): string {
  const parts = values.map((value) => {
    if (value === undefined) throw new TypeError('undefined stands in an array that is sent to Postgres')
    return value === null ? 'null' : `"${write(value).replace(/["\\]/g, '\\$&')}"`
  })
  return `{${parts.join()}}`
}

/** One dimension, from whatever lower bound. */
export function readArray(text: string, read: (text: string) => unknown): unknown[] {
  const values: unknown[] = []
  let at = text.indexOf('{') + 1
  while (text[at] !== '}') {
    if (text[at] === '"') {
      let value = ''
      for (at += 1; text[at] !== '"'; at++) {
        if (at >= text.length) throw new TypeError('an array of Postgres ends in the middle')
        value += text[at] === '\\' ? text[++at] : text[at]
      }
      at += 1
      values.push(read(value))
    } else {
      const comma = text.indexOf(',', at)
      const end = comma === -1 ? text.length - 1 : comma
      const value = text.slice(at, end)
      values.push(value === 'NULL' ? null : read(value))
      at = end
    }
    if (text[at] === ',') at += 1
  }
  return values
}
