// @ts-check
/**
 * What a start needs of this machine, asked before anything is installed, compiled or started: a data folder that can be
 * made, and a port that is free. Plain JavaScript without packages, for the set-up and for the service.
 */
import { accessSync, chmodSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { settingOf, settingsProblems } from './settings.mjs'

/** @typedef {import('./settings.mjs').Environment} Environment */

/** A person can mend it: the message names the setting and says what to do. */
export class StartError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message)
    this.code = code
  }
}

/**
 * A sentence for each thing that keeps `npm start` from starting, as far as the settings tell.
 * @param {Environment} environment
 * @param {string} root what DATA_DIR is relative to
 * @returns {Promise<string[]>}
 */
export async function startProblems(environment, root) {
  const wrong = settingsProblems(environment)
  if (wrong.length > 0) return wrong
  const setting = (/** @type {string} */ name) => settingOf(environment, name)
  /** @type {string[]} */
  const found = []
  const dataDir = resolve(root, setting('DATA_DIR') || '.data')
  const isWritten =
    ['DATABASE_URL', 'REDIS_URL', 'ADMIN_TOKEN'].some((name) => setting(name) === '') ||
    (setting('CREDENTIALS_KEY') === '' && !existsSync(join(dataDir, 'credentials-key')))
  if (isWritten) await note(found, async () => makeDataFolder(dataDir))
  if (setting('SHARE_PORT') !== 'on') {
    await note(found, () => mustBeFree(setting('HOST') || '127.0.0.1', Number(setting('PORT') || '8080')))
  }
  return found
}

/**
 * @param {string[]} found
 * @param {() => Promise<void>} check
 */
async function note(found, check) {
  try {
    await check()
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    found.push(error.message)
  }
}

/**
 * Makes the folder and those above it. One after the other: Node's own recursive mkdir never ends below a folder in which
 * nothing can be made, such as /proc. Throws StartError.
 * @param {string} path absolute
 */
export function makeDataFolder(path) {
  /** @type {string[]} */
  const missing = []
  for (let folder = path; !existsSync(folder) && folder !== dirname(folder); folder = dirname(folder)) {
    missing.unshift(folder)
  }
  try {
    if (missing.length === 0 && !statSync(path).isDirectory()) throw withCode('ENOTDIR')
    if (missing.length === 0) accessSync(path, constants.W_OK | constants.X_OK)
    for (const folder of missing) makeFolder(folder)
    // As root the servers run as another user: it has to pass through, but need not see what lies beside its own folder.
    if (missing.length > 0) chmodSync(path, process.getuid?.() === 0 ? 0o711 : 0o700)
  } catch (error) {
    const code = codeOf(error)
    const told = `DATA_DIR: the folder ${path} cannot be made or written (${code}). Set DATA_DIR to a folder that this user may make and write.`
    throw new StartError('data_dir_not_writable', told)
  }
}

/** @param {string} folder */
function makeFolder(folder) {
  try {
    mkdirSync(folder)
  } catch (error) {
    // Another start may have made it meanwhile.
    if (codeOf(error) !== 'EEXIST' || !statSync(folder).isDirectory()) throw error
  }
}

/**
 * Throws StartError when the service could not listen there. Listens itself for a moment.
 * @param {string} host
 * @param {number} port
 * @returns {Promise<void>}
 */
export function mustBeFree(host, port) {
  if (port === 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error) => reject(new StartError('cannot_listen', listenProblem(host, port, codeOf(error)))))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()))
  })
}

/**
 * @param {string} host
 * @param {number} port
 * @param {string} code
 * @returns {string}
 */
export function listenProblem(host, port, code) {
  if (code === 'EADDRINUSE') {
    return `PORT: ${port} on ${host} is in use. Stop the program that listens there, or set PORT to another one (PORT=0: any free one).`
  }
  if (code === 'EACCES') return `PORT: this user may not listen on ${port}. Set PORT to one from 1024 on.`
  return `HOST: ${host} is no address of this machine (${code}). Set HOST to one that is, such as 127.0.0.1 or 0.0.0.0.`
}

/** @param {string} code */
function withCode(code) {
  return Object.assign(new Error(code), { code })
}

/**
 * @param {unknown} error
 * @returns {string}
 */
function codeOf(error) {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : String(error)
}
