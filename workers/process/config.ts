/**
 * Every setting, read once, by the rules of ./settings.mjs. Defaults, limits and explanations stand in .env.example, which
 * is the manual; a test keeps the two equal.
 */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { projectRoot } from '../../adapters/shared/root.ts'
import { contradictions, type Environment, type logLevels, manual, rules, settingOf } from './settings.mjs'

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

export type VariableName = keyof typeof rules
type ValueOf<Name extends VariableName> = Extract<
  ReturnType<(typeof rules)[Name]>,
  { readonly value: unknown }
>['value']

export interface Machine {
  /** What DATA_DIR is relative to. */
  readonly root: string
  readonly cores: number
}

export class ConfigError extends Error {
  readonly code = 'bad_configuration'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super([...problems, manual].join('\n'))
    this.problems = problems
  }
}

/** Throws ConfigError, which lists every bad variable. An empty variable counts as not set. */
export function parseConfig(environment: Environment, machine: Machine = thisMachine()): Config {
  const problems: string[] = []
  function read<Name extends VariableName, Default>(name: Name, fallback: Default): ValueOf<Name> | Default {
    const text = settingOf(environment, name)
    if (text === '') return fallback
    const parsed = rules[name](text)
    if ('value' in parsed) return parsed.value as ValueOf<Name>
    problems.push(`${name} ${parsed.problem}`)
    return fallback
  }
  const config: Config = {
    host: read('HOST', '127.0.0.1'),
    port: read('PORT', 8080),
    sharePort: read('SHARE_PORT', 'off') === 'on',
    dataDir: resolve(machine.root, read('DATA_DIR', '.data')),
    databaseUrl: read('DATABASE_URL', null),
    redisUrl: read('REDIS_URL', null),
    adminToken: read('ADMIN_TOKEN', null),
    credentialsKey: read('CREDENTIALS_KEY', null),
    credentialsKeyPrevious: read('CREDENTIALS_KEY_PREVIOUS', null),
    credentialsKeyLost: read('CREDENTIALS_KEY_LOST', 'off') === 'on',
    threads: read('THREADS', Math.max(1, machine.cores - 1)),
    batchMax: read('BATCH_MAX', 512),
    threadConcurrency: read('THREAD_CONCURRENCY', 2),
    backlogMax: read('BACKLOG_MAX', 200_000),
    bodyBytesMax: read('BODY_BYTES_MAX', 262_144),
    logLevel: read('LOG_LEVEL', 'info'),
    webhookToleranceSeconds: read('WEBHOOK_TOLERANCE_SECONDS', null),
    demo: read('DEMO', 'auto'),
    durability: read('DURABILITY', 'required'),
    drainSeconds: read('DRAIN_SECONDS', 20),
    sweepSeconds: read('SWEEP_SECONDS', 5),
  }
  problems.push(...contradictions(config))
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(config)
}

function thisMachine(): Machine {
  return { root: projectRoot(), cores: availableParallelism() }
}
