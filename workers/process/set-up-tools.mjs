// @ts-check
/** What the set-up is made of: programs that it runs, files that it reads, words that it says. Plain JavaScript without packages. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The clone in which the set-up runs. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')

const nodeVersionMin = [20, 18, 1]

/** A person can mend it. Exit code 1. */
export class SetupError extends Error {}

/** @param {string} text */
export function say(text) {
  console.log(`▸ ${text}`)
}

/** @param {string} path */
export function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : null
}

/** @param {string} program */
export function has(program) {
  return (process.env.PATH ?? '').split(':').some((folder) => folder !== '' && existsSync(join(folder, program)))
}

/**
 * The program's exit code. Output goes where ours goes, and the program cannot ask anything.
 * @param {readonly string[]} command
 * @param {import('node:child_process').SpawnSyncOptions} options
 */
export function run([program = '', ...words], options = {}) {
  const done = spawnSync(program, words, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options })
  if (done.error !== undefined) throw new SetupError(`${program} could not be run: ${done.error.message}`)
  return done.status ?? 1
}

/**
 * Throws SetupError when the program fails.
 * @param {readonly string[]} command
 * @param {import('node:child_process').SpawnSyncOptions} options
 */
export function must(command, options = {}) {
  const code = run(command, options)
  if (code !== 0)
    throw new SetupError(`failed (exit code ${code}): ${command.map((word) => relativeWord(word)).join(' ')}`)
}

/** @param {string} word */
function relativeWord(word) {
  return word === process.execPath ? 'node' : word
}

/** Throws SetupError. */
export function refuseOldNode() {
  const version = process.versions.node.split('.').map(Number)
  const index = version.findIndex((part, at) => part !== nodeVersionMin[at])
  if (index !== -1 && (version[index] ?? 0) < (nodeVersionMin[index] ?? 0)) {
    throw new SetupError(`Node ${nodeVersionMin.join('.')} or newer is needed; this is ${process.versions.node}`)
  }
}
