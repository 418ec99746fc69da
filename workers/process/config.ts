/**
 * Every setting, read once. Defaults, limits and explanations stand in .env.example, which is the manual; a test keeps
 * the two equal.
 */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { projectRoot } from '../../adapters/shared/root.ts'
import { parseDatabaseUrl } from '../../adapters/store/postgres/connect.ts'

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export interface Config {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Several processes may listen on the port, and the kernel shares the connections out. */
  readonly sharePort: boolean
  /** Absolute. */
  readonly dataDir: string
  /** null: the embedded Postgres. */
  readonly databaseUrl: string | null
  /** null: the embedded Redis. */
  readonly redisUrl: string | null
  /** null: made at the first start. */
  readonly adminToken: string | null
  /** 32 bytes; null: made at the first start and kept in a file. */
  readonly credentialsKey: Buffer | null
  /** Opens what it sealed; seals nothing. */
  readonly credentialsKeyPrevious: Buffer | null
  /** What other keys sealed is given up. */
  readonly credentialsKeyLost: boolean
  readonly threads: number
  readonly batchMax: number
  readonly threadConcurrency: number
  readonly backlogMax: number
  readonly bodyBytesMax: number
  readonly logLevel: LogLevel
  /** null: what each platform documents. */
  readonly webhookToleranceSeconds: number | null
  readonly demo: 'auto' | 'off'
  /** off: a Postgres that may lose what it has committed is good enough. */
  readonly durability: 'required' | 'off'
  readonly drainSeconds: number
  readonly sweepSeconds: number
}

export const variableNames = [
  'HOST',
  'PORT',
  'SHARE_PORT',
  'DATA_DIR',
  'DATABASE_URL',
  'REDIS_URL',
  'ADMIN_TOKEN',
  'CREDENTIALS_KEY',
  'CREDENTIALS_KEY_PREVIOUS',
  'CREDENTIALS_KEY_LOST',
  'THREADS',
  'BATCH_MAX',
  'THREAD_CONCURRENCY',
  'BACKLOG_MAX',
  'BODY_BYTES_MAX',
  'LOG_LEVEL',
  'WEBHOOK_TOLERANCE_SECONDS',
  'DEMO',
  'DURABILITY',
  'DRAIN_SECONDS',
  'SWEEP_SECONDS',
] as const
export type VariableName = (typeof variableNames)[number]

export interface Machine {
  /** What DATA_DIR is relative to. */
  readonly root: string
  readonly cores: number
}

export class ConfigError extends Error {
  readonly code = 'bad_configuration'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`${problems.join('\n')}\nThe manual of all settings is .env.example.`)
    this.problems = problems
  }
}

export type Environment = Readonly<Record<string, string | undefined>>

/** A value, or what is wrong with it: a phrase that follows the variable's name. */
type Parsed<Value> = { readonly value: Value } | { readonly problem: string }
type Parser<Value> = (text: string) => Parsed<Value>

/** Throws ConfigError, which lists every bad variable. An empty variable counts as not set. */
export function parseConfig(environment: Environment, machine: Machine = thisMachine()): Config {
  const problems: string[] = []
  function read<Value, Default>(name: VariableName, parse: Parser<Value>, fallback: Default): Value | Default {
    const text = environment[name]?.trim() ?? ''
    if (text === '') return fallback
    const parsed = parse(text)
    if ('value' in parsed) return parsed.value
    problems.push(`${name} ${parsed.problem}`)
    return fallback
  }
  const config: Config = {
    host: read('HOST', host, '127.0.0.1'),
    port: read('PORT', integer(0, 65_535), 8080),
    sharePort: read('SHARE_PORT', oneOf(['on', 'off']), 'off') === 'on',
    dataDir: resolve(machine.root, read('DATA_DIR', plain, '.data')),
    databaseUrl: read('DATABASE_URL', databaseUrl, null),
    redisUrl: read('REDIS_URL', redisUrl, null),
    adminToken: read('ADMIN_TOKEN', tokens, null),
    credentialsKey: read('CREDENTIALS_KEY', credentialsKey, null),
    credentialsKeyPrevious: read('CREDENTIALS_KEY_PREVIOUS', credentialsKey, null),
    credentialsKeyLost: read('CREDENTIALS_KEY_LOST', oneOf(['on', 'off']), 'off') === 'on',
    threads: read('THREADS', integer(1, 256), Math.max(1, machine.cores - 1)),
    batchMax: read('BATCH_MAX', integer(1, 4096), 512),
    threadConcurrency: read('THREAD_CONCURRENCY', integer(1, 16), 2),
    backlogMax: read('BACKLOG_MAX', integer(1, 100_000_000), 200_000),
    bodyBytesMax: read('BODY_BYTES_MAX', integer(1024, 16_777_216), 262_144),
    logLevel: read('LOG_LEVEL', oneOf(logLevels), 'info'),
    webhookToleranceSeconds: read('WEBHOOK_TOLERANCE_SECONDS', integer(1, 86_400), null),
    demo: read('DEMO', oneOf(['auto', 'off']), 'auto'),
    durability: read('DURABILITY', oneOf(['required', 'off']), 'required'),
    drainSeconds: read('DRAIN_SECONDS', integer(0, 600), 20),
    sweepSeconds: read('SWEEP_SECONDS', integer(1, 3600), 5),
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(config)
}

function thisMachine(): Machine {
  return { root: projectRoot(), cores: availableParallelism() }
}

const plain: Parser<string> = (value) => ({ value })

const host: Parser<string> = (value) =>
  /^[0-9A-Za-z.:_-]+$/.test(value) ? { value } : { problem: 'must be an address or a host name' }

function integer(min: number, max: number): Parser<number> {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return { value }
    return { problem: `must be a whole number from ${min} to ${max}, and is ${JSON.stringify(text)}` }
  }
}

function oneOf<const Word extends string>(words: readonly Word[]): Parser<Word> {
  return (text) => {
    const value = words.find((word) => word === text)
    if (value !== undefined) return { value }
    return { problem: `must be one of ${words.join(', ')}, and is ${JSON.stringify(text)}` }
  }
}

// Those below hold secrets: what is wrong is said without quoting them.

const databaseUrl: Parser<string> = (value) => {
  try {
    parseDatabaseUrl(value)
    return { value }
  } catch {
    return {
      problem: 'must look like postgres://user:password@host:5432/database or postgres:///database?host=/socket/dir',
    }
  }
}

const redisUrl: Parser<string> = (value) => {
  const isSocket = value.startsWith('/') && !value.startsWith('//')
  const isUrl = /^rediss?:\/\//.test(value) && URL.canParse(value)
  if (isSocket || isUrl) return { value }
  return { problem: 'must look like redis://host:6379/0, rediss://… or the absolute path of a unix socket' }
}

const tokens: Parser<string> = (value) => {
  const fine = value.split(',')
  if (fine.length <= 2 && fine.every((token) => /^[\x21-\x7e]{16,256}$/.test(token))) return { value }
  return {
    problem: 'must be 16 to 256 visible ASCII characters without spaces and commas, or two such separated by a comma',
  }
}

const credentialsKey: Parser<Buffer> = (text) => {
  const value = Buffer.from(text, 'base64')
  // Whatever is no base64 is skipped when it is read: what comes out is held against what was given.
  if (value.length === 32 && value.toString('base64') === text) return { value }
  return { problem: 'must be 32 bytes in base64, as `openssl rand -base64 32` makes them' }
}
