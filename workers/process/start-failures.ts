/**
 * What keeps Postgres or Redis of the settings from answering at the start: which setting it concerns, and what to do. Asked
 * before anything is written; what an embedded server cannot do it tells itself (./embedded/errors.ts).
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Stock } from '../../adapters/stock/stock.ts'
import { connect } from '../../adapters/store/postgres/connect.ts'
import type { Config } from './config.ts'
import { StartError } from './start-checks.mjs'

/** By the first code that the driver's error carries or its text begins with. */
const advice: readonly (readonly [pattern: RegExp, told: string])[] = [
  [/ECONNREFUSED/, 'nothing listens there. Start the server, or correct host and port'],
  [/ENOENT/, 'there is no such socket. Start the server, or correct the path'],
  [/ENOTFOUND|EAI_AGAIN/, 'the name of the host is not known. Correct the host'],
  [
    /ETIMEDOUT|CONNECT_TIMEOUT|EHOSTUNREACH|ENETUNREACH/,
    'no answer comes from there. Correct the host, or let this machine reach it',
  ],
  [/EACCES|EPERM/, 'this user may not open the socket. Start as another user, or change the rights of the socket'],
  [/28P01|28000|WRONGPASS|NOAUTH|AUTH/, 'the server refuses user or password. Correct them'],
  [/3D000/, 'the database does not exist. Create it, or correct its name'],
  [/42501|NOPERM/, 'the user lacks a right. Grant it'],
  [/53300/, 'the server has no connection left. Raise its max_connections, or close others'],
  [/57P03|LOADING/, 'the server is still starting. Try again in a moment'],
  [
    /ECONNRESET|CONNECTION_CLOSED|CONNECTION_ENDED|EPIPE|closed/i,
    'the server hung up. Check that it is the right one, and whether it wants TLS',
  ],
  [/CERT|SSL|TLS/i, 'the TLS certificate is not accepted. Correct the server’s certificate or the options of the URL'],
  [/NO_ANSWER/, 'what listens there does not speak as this server does. Correct host and port'],
  [/Redis 7/, 'the Redis there is too old. Use 7 or newer'],
]

export type ServerSetting = 'DATABASE_URL' | 'REDIS_URL'

/** Never quotes the URL, which may hold a password. */
export function unreachable(setting: ServerSetting, error: unknown): StartError {
  const { code, message = '' } = error as { code?: unknown; message?: string }
  const words = `${typeof code === 'string' ? code : ''} ${message}`
  const found = advice.find(([pattern]) => pattern.test(words))
  const server = setting === 'DATABASE_URL' ? 'Postgres' : 'Redis'
  const where = /\b[A-Z_]{5,} (\S+)$/.exec(message)?.[1]
  const from = where === undefined ? '' : ` at ${where}`
  const told = found?.[1] ?? 'see the code'
  const named = found?.[0].exec(words)?.[0] ?? (typeof code === 'string' ? code : 'no code')
  return new StartError('server_unreachable', `${setting}: ${server}${from} cannot be used: ${told} (${named}).`)
}

// Twice what a connection may take to open. The driver tries again for ever when what listens there only hangs up.
const answerMsMax = 10_000

/** Throws StartError. Servers that are not named by a setting are not asked. */
export async function mustAnswer(
  { databaseUrl, redisUrl }: Pick<Config, 'databaseUrl' | 'redisUrl'>,
  warn: (text: string) => void = () => undefined,
): Promise<void> {
  if (databaseUrl !== null) await postgresAnswers(databaseUrl)
  if (redisUrl !== null) await redisAnswers(redisUrl, warn)
}

async function postgresAnswers(url: string): Promise<void> {
  const sql = connect(url, { max: 1, applicationName: 'paidan start' })
  try {
    await inTime(sql`select 1`)
  } catch (error) {
    throw unreachable('DATABASE_URL', error)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function redisAnswers(url: string, warn: (text: string) => void): Promise<void> {
  const stock = new Stock({ redis: url })
  try {
    await inTime(stock.connect().then(() => stock.scriptsLoaded()))
    const policy = await stock.evictionPolicy()
    if (policy === null) warn(`REDIS_URL: Redis does not tell its maxmemory-policy. ${setNoeviction}`)
    else if (policy !== 'noeviction') throw evicting(policy)
  } catch (error) {
    if (error instanceof StartError) throw error
    throw unreachable('REDIS_URL', error)
  } finally {
    stock.close()
  }
}

const setNoeviction = 'Set it to noeviction, in redis.conf or with CONFIG SET.'

/** What Redis drops by itself it tells nobody. */
function evicting(policy: string): StartError {
  const told = `REDIS_URL: the maxmemory-policy of Redis is ${policy}, so it drops reservations when its memory is full. ${setNoeviction}`
  return new StartError('redis_evicts', told)
}

async function inTime(answer: Promise<unknown>): Promise<void> {
  const done = new AbortController()
  const late = delay(answerMsMax, undefined, { signal: done.signal }).then(() => {
    throw Object.assign(new Error(`no answer within ${answerMsMax / 1000} s`), { code: 'NO_ANSWER' })
  })
  try {
    await Promise.race([answer, late])
  } finally {
    done.abort()
    late.catch(() => undefined)
  }
}
