// @ts-check
/**
 * What each setting may hold. Plain JavaScript without packages: the set-up checks settings before it installs or compiles
 * anything, and ./config.ts reads them with the same rules.
 */

/**
 * A value, or what is wrong: a phrase that follows the setting's name.
 * @template Value
 * @typedef {{ readonly value: Value } | { readonly problem: string }} Parsed
 */
/**
 * @template Value
 * @typedef {(text: string) => Parsed<Value>} Parser
 */
/** @typedef {Readonly<Record<string, string | undefined>>} Environment */

export const logLevels = /** @type {const} */ (['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])

const onOrOff = /** @type {const} */ (['on', 'off'])

/** In the order of .env.example. */
export const rules = {
  HOST: host,
  PORT: integer(0, 65_535),
  SHARE_PORT: oneOf(onOrOff),
  DATA_DIR: plain,
  DATABASE_URL: databaseUrl,
  REDIS_URL: redisUrl,
  ADMIN_TOKEN: tokens,
  CREDENTIALS_KEY: credentialsKey,
  CREDENTIALS_KEY_PREVIOUS: credentialsKey,
  CREDENTIALS_KEY_LOST: oneOf(onOrOff),
  THREADS: integer(1, 256),
  BATCH_MAX: integer(1, 4096),
  THREAD_CONCURRENCY: integer(1, 16),
  BACKLOG_MAX: integer(1, 100_000_000),
  BODY_BYTES_MAX: integer(1024, 16_777_216),
  LOG_LEVEL: oneOf(logLevels),
  WEBHOOK_TOLERANCE_SECONDS: integer(1, 86_400),
  DEMO: oneOf(/** @type {const} */ (['auto', 'off'])),
  DURABILITY: oneOf(/** @type {const} */ (['required', 'off'])),
  DRAIN_SECONDS: integer(0, 600),
  SWEEP_SECONDS: integer(1, 3600),
}

export const manual = 'The manual of all settings is .env.example.'

/**
 * Empty when a setting is not set.
 * @param {Environment} environment
 * @param {string} name
 * @returns {string}
 */
export function settingOf(environment, name) {
  return environment[name]?.trim() ?? ''
}

/**
 * A sentence for each setting that is wrong. None quotes a secret.
 * @param {Environment} environment
 * @returns {string[]}
 */
export function settingsProblems(environment) {
  const wrong = Object.entries(rules).flatMap(([name, parse]) => {
    const text = settingOf(environment, name)
    const parsed = text === '' ? null : parse(text)
    return parsed !== null && 'problem' in parsed ? [`${name} ${parsed.problem}`] : []
  })
  const port = settingOf(environment, 'PORT')
  const sharePort = settingOf(environment, 'SHARE_PORT') === 'on'
  return [...wrong, ...contradictions({ sharePort, port: port === '' ? null : Number(port) })]
}

/**
 * A sentence for each two that do not go together.
 * @param {{ readonly sharePort: boolean, readonly port: number | null }} settings
 * @returns {string[]}
 */
export function contradictions({ sharePort, port }) {
  if (!sharePort || port !== 0) return []
  return [
    'PORT must not be 0 with SHARE_PORT=on: each process would get another port. Set PORT to one port for all of them, or SHARE_PORT=off.',
  ]
}

/** @type {Parser<string>} */
function plain(value) {
  return { value }
}

/** @type {Parser<string>} */
function host(value) {
  return /^[0-9A-Za-z.:_-]+$/.test(value) ? { value } : { problem: 'must be an address or a host name' }
}

/**
 * @param {number} min
 * @param {number} max
 * @returns {Parser<number>}
 */
function integer(min, max) {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return { value }
    return { problem: `must be a whole number from ${min} to ${max}, and is ${JSON.stringify(text)}` }
  }
}

/**
 * @template {string} Word
 * @param {readonly Word[]} words
 * @returns {Parser<Word>}
 */
function oneOf(words) {
  return (text) => {
    const value = words.find((word) => word === text)
    if (value !== undefined) return { value }
    return { problem: `must be one of ${words.join(', ')}, and is ${JSON.stringify(text)}` }
  }
}

// Those below hold secrets: what is wrong is said without quoting them.

/** @type {Parser<string>} */
function databaseUrl(value) {
  try {
    const { protocol, pathname, username, password } = new URL(value)
    for (const part of [pathname, username, password]) decodeURIComponent(part)
    if (protocol === 'postgres:' || protocol === 'postgresql:') return { value }
  } catch {
    // No URL, or a percent sign that stands for nothing.
  }
  return {
    problem: 'must look like postgres://user:password@host:5432/database or postgres:///database?host=/socket/dir',
  }
}

/** @type {Parser<string>} */
function redisUrl(value) {
  const isSocket = value.startsWith('/') && !value.startsWith('//')
  const isUrl = /^rediss?:\/\//.test(value) && URL.canParse(value)
  if (isSocket || isUrl) return { value }
  return { problem: 'must look like redis://host:6379/0, rediss://… or the absolute path of a unix socket' }
}

/** @type {Parser<string>} */
function tokens(value) {
  const fine = value.split(',')
  if (fine.length <= 2 && fine.every((token) => /^[\x21-\x7e]{16,256}$/.test(token))) return { value }
  return {
    problem: 'must be 16 to 256 visible ASCII characters without spaces and commas, or two such separated by a comma',
  }
}

/** @type {Parser<Buffer>} */
function credentialsKey(text) {
  const value = Buffer.from(text, 'base64')
  // Whatever is no base64 is skipped when it is read: what comes out is held against what was given.
  if (value.length === 32 && value.toString('base64') === text) return { value }
  return { problem: 'must be 32 bytes in base64, as `openssl rand -base64 32` makes them' }
}
