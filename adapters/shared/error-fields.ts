/**
 * What may be logged of an error. Messages of others may quote what they were given: Postgres' name whole rows and bad
 * values, JSON.parse and URL their input, Node's the argument. So: name, code, where in our code, and what the database
 * names of its own (table, constraint); never a message, and no field that a library hung onto its error.
 */
export interface ErrorFields {
  readonly name: string
  readonly code?: string
  readonly table?: string
  readonly constraint?: string
  /** Places in the code, innermost first. */
  readonly at?: readonly string[]
  readonly cause?: ErrorFields
}

const framesMax = 12
const causesMax = 4

export function errorFields(error: unknown, causesLeft: number = causesMax): ErrorFields {
  if (!(error instanceof Error)) return { name: 'not an Error' }
  const { code, table_name: table, constraint_name: constraint, cause } = error as ErrorLike
  const at = framesOf(error)
  return {
    name: word(error.name) ?? 'Error',
    ...optional('code', word(code)),
    ...optional('table', word(table)),
    ...optional('constraint', word(constraint)),
    ...(at.length === 0 ? {} : { at }),
    ...(cause === undefined || causesLeft === 0 ? {} : { cause: errorFields(cause, causesLeft - 1) }),
  }
}

interface ErrorLike {
  readonly code?: unknown
  /** As the Postgres driver names them. */
  readonly table_name?: unknown
  readonly constraint_name?: unknown
  readonly cause?: unknown
}

/** The stack begins with the message, of however many lines; places are the lines that name a file. */
function framesOf(error: Error): readonly string[] {
  const lines = (error.stack ?? '').split('\n').map((line) => line.trim())
  return lines.filter((line) => frame.test(line)).slice(0, framesMax)
}

const frame = /^at (async )?([\w$.<>[\]# ]{1,80} )?\(?(file:\/\/|node:|\/)[\w@.+%/~-]{1,300}:\d+(:\d+)?\)?$/

/** Codes and names of tables: words in ASCII, as programs write them. */
function word(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : undefined
}

function optional<K extends string>(key: K, value: string | undefined): { readonly [key in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: string })
}
