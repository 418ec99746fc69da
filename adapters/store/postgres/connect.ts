/**
 * Connections to Postgres. One string names a database everywhere: what DATABASE_URL holds, what the embedded server
 * gives and what threads are handed. A unix socket is written as libpq writes it, `postgres:///db?host=/dir&user=name`.
 *
 * int8 comes back as text, never as a number that lost its last digits; undefined as a parameter throws.
 */
import postgres from 'postgres'
import { arrayTypes } from './array-types.ts'
import { driverSockets, longGreeting } from './driver-socket.ts'
import { withWholeRows } from './whole-rows.ts'

export type Sql = postgres.Sql
export type Transaction = postgres.TransactionSql
/** What a query file needs, whether it runs in a transaction or not. */
export type Queryable = postgres.ISql

export interface ConnectOptions {
  /** Connections at most; each is opened when it is first needed. */
  readonly max: number
  /** Seen in pg_stat_activity. */
  readonly applicationName: string
  /** 30,000 when absent; 0: none. Migrations and large imports need longer than a request may take. */
  readonly statementTimeoutMs?: number
  /** Of the session, beside those of every connection. */
  readonly settings?: Readonly<Record<string, string>>
}

// A local server answers in a millisecond, one in another zone in ten: five seconds without an answer is an outage.
const connectTimeoutSeconds = 5
// A query that runs longer than this holds locks that other transactions wait for.
const statementTimeoutMsDefault = 30_000
// A transaction left open by a stuck thread stops vacuum and blocks its rows.
const idleInTransactionMs = 60_000
// Postgres is back within seconds after a restart; waiting longer than this only adds to the outage.
const reconnectSecondsMax = 2

/**
 * For connections that ask for rows by their keys, some hundreds at once. What the planner knows of a table may be hours
 * old, and its plans as old as the connection: a `task` that was empty in the morning is read from end to end for each
 * pull. With this it goes by an index, whatever it believes. A join may still read that index from end to end: where
 * that would hurt, the query leaves no choice (`lateral … offset 0`).
 */
export const indexedPlans: Readonly<Record<string, string>> = { enable_seqscan: 'off' }

/** And row by row in the order of the keys given, which is the order in which rows are locked. */
export const keyedPlans: Readonly<Record<string, string>> = {
  ...indexedPlans,
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
}

/** Opens nothing yet. Close with `sql.end({ timeout: seconds })`. Throws TypeError on a string that is no URL. */
export function connect(databaseUrl: string, options: ConnectOptions): Sql {
  const { url, ...target } = parseDatabaseUrl(databaseUrl)
  const sql = postgres(url, {
    ...target,
    max: options.max,
    connect_timeout: connectTimeoutSeconds,
    backoff: (attempt) => Math.min(0.05 * 2 ** attempt, reconnectSecondsMax),
    onnotice: () => undefined,
    // Else each new connection asks for them, and a connection that fails then ends the process: see array-types.ts.
    fetch_types: false,
    types: arrayTypes(),
    connection: {
      application_name: options.applicationName,
      statement_timeout: options.statementTimeoutMs ?? statementTimeoutMsDefault,
      idle_in_transaction_session_timeout: idleInTransactionMs,
      ...options.settings,
      options: longGreeting,
    },
    // Documented, and missing in its types.
    ...{ socket: driverSockets() },
  })
  return withWholeRows(reservingWhatIsOpen(withoutRollbackToNobody(sql)))
}

type Work = (tx: Transaction) => unknown

/**
 * The driver rolls a failed transaction back on the connection that it had. When that one is what failed, it writes to a
 * closed socket from a timer, where no code can catch the TypeError: one restart of Postgres would end the process.
 * https://github.com/porsager/postgres/issues/1208. A transaction that lost its connection fails by the driver's own
 * watch over it; its work just has to keep quiet.
 */
function withoutRollbackToNobody(sql: Sql): Sql {
  const begin = sql.begin.bind(sql) as (options: string, work: Work) => Promise<unknown>
  const quietly =
    (work: Work): Work =>
    async (tx) => {
      try {
        return await work(tx)
      } catch (error) {
        if (isConnectionLost(error)) return await new Promise(() => undefined)
        throw error
      }
    }
  const guarded = (first: string | Work, second?: Work) => {
    const [options, work] = typeof first === 'string' ? [first, second!] : ['', first]
    let over = false
    const ended = () => {
      over = true
    }
    const running = begin(options, (tx) => quietly(work)(untilItIsOver(tx, () => over)))
    running.then(ended, ended)
    return running
  }
  return Object.assign(sql, { begin: guarded as Sql['begin'] })
}

/**
 * Work that awaits something else meanwhile does not see its transaction's connection go. What it would send then, the
 * driver writes to a closed socket, or to the next connection, outside any transaction: it throws instead.
 */
function untilItIsOver(tx: Transaction, isOver: () => boolean): Transaction {
  const refuse = () => {
    if (isOver())
      throw Object.assign(new Error('the transaction has lost its connection'), { code: 'CONNECTION_CLOSED' })
  }
  return new Proxy(tx, {
    apply(target, self, words) {
      refuse()
      return Reflect.apply(target as unknown as (...all: unknown[]) => unknown, self, words)
    },
    get(target, name, receiver) {
      if (name === 'unsafe' || name === 'savepoint') refuse()
      return Reflect.get(target, name, receiver)
    },
  })
}

/** The driver reserves a connection that is open; for the first one it would wait for ever. */
function reservingWhatIsOpen(sql: Sql): Sql {
  const reserve = sql.reserve.bind(sql)
  const opened = async (): ReturnType<Sql['reserve']> => {
    await sql`select 1`
    return await reserve()
  }
  return Object.assign(sql, { reserve: opened })
}

const lostCodes = new Set(['CONNECTION_CLOSED', 'CONNECTION_DESTROYED', 'CONNECTION_ENDED', 'ECONNRESET', 'EPIPE'])

/** Broken, or about to be: after a FATAL the server closes it. */
function isConnectionLost(error: unknown): boolean {
  const { code, severity } = error as { code?: unknown; severity?: unknown }
  return severity === 'FATAL' || severity === 'PANIC' || (typeof code === 'string' && lostCodes.has(code))
}

export interface DatabaseTarget {
  /** Without `host`, `port` and `user` in the query, which the driver would send to the server as settings. */
  readonly url: string
  readonly database?: string
  /** The socket file, when it is a unix socket; the two below only then. */
  readonly path?: string
  readonly user?: string
  readonly password?: string
}

/** Understands both of libpq's forms of a socket directory: `?host=/dir`, and `user@%2Fdir` in the host's place. */
export function parseDatabaseUrl(databaseUrl: string): DatabaseTarget {
  const url = new URL(databaseUrl)
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    throw new TypeError('a database URL begins with postgres:// or postgresql://')
  }
  // The driver takes the name as it stands in the URL, percent signs and all.
  const name = decodeURIComponent(url.pathname.slice(1))
  const database = name === '' ? {} : { database: name }
  const inPlaceOfHost = /^%2f/i.test(url.hostname) ? decodeURIComponent(url.hostname) : null
  const directory = url.searchParams.get('host') ?? inPlaceOfHost
  if (!directory?.startsWith('/')) return { url: databaseUrl, ...database }
  const port = (url.searchParams.get('port') ?? url.port) || '5432'
  const user = url.searchParams.get('user') ?? decodeURIComponent(url.username)
  const password = decodeURIComponent(url.password)
  for (const parameter of ['host', 'port', 'user']) url.searchParams.delete(parameter)
  return {
    url: `postgres://localhost/${url.search}`,
    ...database,
    path: `${directory}/.s.PGSQL.${port}`,
    ...(user === '' ? {} : { user }),
    ...(password === '' ? {} : { password }),
  }
}

/** The string form of a database behind a socket directory. */
export function socketDatabaseUrl(directory: string, user: string, database: string): string {
  const query = new URLSearchParams({ host: directory, user })
  return `postgres:///${encodeURIComponent(database)}?${query}`
}

/** The same server, another database. */
export function withDatabase(databaseUrl: string, database: string): string {
  const url = new URL(databaseUrl)
  url.pathname = `/${encodeURIComponent(database)}`
  return url.href
}
