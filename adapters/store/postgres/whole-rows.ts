/**
 * The driver counts the rows of an answer and begins anew only when a statement has ended well. After one that failed
 * between two rows (a deadlock, a time-out, a connection that broke) the next answer on that connection would begin with
 * holes: `const [row] = await sql…` would be undefined where there is a row. Here such holes are taken out.
 */
import type postgres from 'postgres'

type Sql = postgres.Sql
type Transaction = postgres.TransactionSql
type Ask = (...words: readonly unknown[]) => unknown
type Work = (tx: Transaction) => unknown

/** The same connections; every answer begins with its first row. Also those of transactions and of reserved connections. */
export function withWholeRows(sql: Sql): Sql {
  const begin = sql.begin.bind(sql) as (options: string, work: Work) => Promise<unknown>
  const reserve = sql.reserve.bind(sql)
  const whole = asking(sql)
  const inside =
    (work: Work): Work =>
    (tx) =>
      work(asking(tx))
  return Object.assign(whole, {
    begin: ((first: string | Work, second?: Work) =>
      typeof first === 'string' ? begin(first, inside(second!)) : begin('', inside(first))) as Sql['begin'],
    reserve: (async () => asking(await reserve())) as Sql['reserve'],
  })
}

function asking<Asked extends Sql | Transaction>(sql: Asked): Asked {
  const unsafe = sql.unsafe.bind(sql) as Ask
  const whole = new Proxy(sql, { apply: (target, self, words) => mended(Reflect.apply(target as Ask, self, words)) })
  return Object.assign(whole, { unsafe: (...words: readonly unknown[]) => mended(unsafe(...words)) })
}

/** A query of the driver; what is no query (a name, a list of values, a fragment's parts) stays as it is. */
function mended(made: unknown): unknown {
  if (!(made instanceof Promise) || !Object.hasOwn(made, 'resolve')) return made
  const query = made as unknown as { resolve: (answer: unknown) => void }
  const { resolve } = query
  query.resolve = (answer) => resolve(Array.isArray(answer) ? closeUp(answer) : answer)
  return made
}

function closeUp(answer: unknown[]): unknown[] {
  while (answer.length > 0 && !Object.hasOwn(answer, 0)) answer.shift()
  // Several statements in one: the first of their answers.
  const [first] = answer
  if (Array.isArray(first)) closeUp(first)
  return answer
}
