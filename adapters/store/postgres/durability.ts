/**
 * Whether this Postgres keeps what it has committed when the machine loses its power. An ACK is a promise that rests on
 * three settings of the server; a role or a database may carry its own value of one of them, so they are read as a
 * connection of ours has them. https://www.postgresql.org/docs/current/non-durability.html
 */
import { connect, type Queryable } from './connect.ts'

/** A setting that voids the promise, and its value. */
export interface Lack {
  readonly setting: 'fsync' | 'full_page_writes' | 'synchronous_commit'
  readonly value: string
}

/** Empty: what is committed is durable. On the connection that it is given. */
export async function durabilityLacks(sql: Queryable): Promise<Lack[]> {
  const [row] = await sql<Record<Lack['setting'], string>[]>`
    select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
      current_setting('synchronous_commit') as synchronous_commit`
  // Of synchronous_commit every other value waits for the local disk at least.
  return (Object.entries(row!) as [Lack['setting'], string][])
    .filter(([, value]) => value === 'off')
    .map(([setting, value]) => ({ setting, value }))
}

/**
 * On a connection of its own, since those that are open keep the role's settings of when they were opened. Throws
 * when Postgres cannot be reached.
 */
export async function durabilityOf(databaseUrl: string): Promise<Lack[]> {
  const sql = connect(databaseUrl, { max: 1, applicationName: 'paidan durability' })
  try {
    return await durabilityLacks(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** What to do about it, for a person. */
export function adviceOn(lacks: readonly Lack[]): string {
  return lacks.map(({ setting, value }) => `${setting} is ${value}: ${remedies[setting]}`).join(' ')
}

const remedies: Readonly<Record<Lack['setting'], string>> = {
  fsync: 'ALTER SYSTEM SET fsync = on, then SELECT pg_reload_conf().',
  full_page_writes: 'ALTER SYSTEM SET full_page_writes = on, then SELECT pg_reload_conf().',
  synchronous_commit:
    'set it to on where it was changed: ALTER SYSTEM, ALTER DATABASE or ALTER ROLE … RESET synchronous_commit ' +
    '(\\drds in psql shows the last two).',
}
