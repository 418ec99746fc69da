/** Names of what exceptions are about. Codes may hold any character, so each part is escaped: no two things have one name. */

/** Of a place, an event, an order: its codes from the outside in. Codes without `/` and `%` stand as they are. */
export function refOf(...parts: readonly string[]): string {
  return parts.map((part) => part.replaceAll('%', '%25').replaceAll('/', '%2F')).join('/')
}

/** The same as an expression of SQL, of expressions that give the parts. */
export function refInSql(...parts: readonly string[]): string {
  return parts.map((part) => `replace(replace(${part}, '%', '%25'), '/', '%2F')`).join(` || '/' || `)
}

/** One row of one bill. */
export function billRowRef(source: string, account: string, ref: string): string {
  return `${source}:${account.replaceAll('%', '%25').replaceAll(':', '%3A')}:${ref}`
}
