/**
 * Everything that a fresh clone needs before a verb can run: the packages of package-lock.json, redis-server, the
 * compiled files. Each step says what it does, and is not done again while nothing has changed.
 *
 *   node workers/setup.mjs start | demo | bench | test … [arguments]
 *
 * Plain JavaScript without any package, since at its beginning there are none.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { manual, settingsProblems } from './process/settings.mjs'
import { startProblems } from './process/start-checks.mjs'
import { build, has, installPackages, installRedis, isUnset, must, root, SetupError, say } from './setup-steps.mjs'

const nodeVersionMin = [20, 18, 1]

/** Settings that are wrong are told before anything is installed, compiled or started. */
const settings = async () => settingsProblems(process.env)
const none = async () => []

/**
 * What each verb runs. `redis`: it may start a redis-server of its own. `check`: what is wrong before it begins. `words`:
 * what may follow it on the command line; a verb without them answers --help, and refuses all else, before any set-up.
 */
const verbs = {
  start: {
    does: 'runs the service, with an embedded Postgres and Redis unless DATABASE_URL and REDIS_URL are set',
    ...{ run: () => runMain('workers/main.js'), redis: () => isUnset('REDIS_URL') },
    check: () => startProblems(process.env, root),
  },
  demo: {
    does: 'plays a day of three platforms against the service that runs, and checks every claim',
    ...{ run: () => runMain('bench/demo.js'), redis: () => false, check: settings },
  },
  bench: {
    ...{ does: 'measures services of its own and checks every invariant', words: '[scenarios] [options]' },
    ...{ run: () => runMain('bench/run.js'), redis: () => isUnset('REDIS_URL'), check: none },
  },
  audit: {
    ...{ does: 'checks every promise over a whole database', words: '[options]' },
    ...{ run: () => runMain('workers/operate/audit/main.js'), redis: () => false, check: settings },
  },
  simulate: {
    ...{ does: 'plays the decision way in virtual time', words: '[options]' },
    ...{ run: () => runMain('bench/simulate.js'), redis: () => false, check: none },
  },
  chaos: {
    ...{ does: 'breaks running processes and checks what they promised', words: '[options]' },
    ...{ run: () => runMain('bench/chaos.js'), redis: () => true, check: none },
  },
  fuzz: {
    ...{ does: 'feeds parsers, decisions and endpoints with inputs that are nearly right', words: '[options]' },
    ...{ run: () => runMain('bench/fuzz.js'), redis: () => true, check: none },
  },
  test: {
    ...{ does: 'types, lint and all tests, or those named: dist/router/source', words: '[files] [options of vitest]' },
    ...{ run: runTests, redis: () => true, check: none },
  },
}

/** The command line was wrong. Exit code 2, which no verb uses for what it found. */
class UsageError extends Error {}

function usage() {
  const lines = Object.entries(verbs).map(([name, { does }]) => `  ${commandOf(name).padEnd(18)}${does}`)
  return `${lines.join('\n')}\nAfter -- come the options of a command: npm run bench -- --help. ${manual}`
}

function usageOf(name) {
  const { does, words } = verbs[name]
  return `Usage: ${commandOf(name)}${words === undefined ? '' : ` -- ${words}`}\n  ${does}.\n  ${manual}`
}

/** As a person types it. */
function commandOf(name) {
  return name === 'start' || name === 'test' ? `npm ${name}` : `npm run ${name}`
}

/** true: help was asked for, and has been given. Throws UsageError on what the verb does not know. */
function isHelp(name, words) {
  const isAsked = words.some((word) => word === '--help' || word === '-h')
  const isOurs = verbs[name].words === undefined || name === 'test'
  if (isAsked && isOurs) console.log(usageOf(name))
  if (isAsked) return isOurs
  if (verbs[name].words === undefined && words.length > 0) {
    throw new UsageError(`${commandOf(name)} does not know ${words.join(' ')}.\n${usageOf(name)}`)
  }
  return false
}

async function setUp() {
  const [name = '', ...words] = process.argv.slice(2)
  if (name === '--help' || name === '-h') return console.log(usage())
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (verb === undefined) throw new UsageError(`There is no command ${JSON.stringify(name)}. There are:\n${usage()}`)
  if (isHelp(name, words)) return
  refuseOldNode()
  process.chdir(root)
  const envFile = join(root, '.env')
  if (name !== 'test' && existsSync(envFile)) process.loadEnvFile(envFile)
  const problems = await verb.check()
  if (problems.length > 0) throw new SetupError([...problems, manual].join('\n'))

  // Two that start in one clone take turns: one installs and builds, the other finds it done.
  await oneAtATime(`paidan set-up ${root}`, async () => {
    installPackages()
    // Two clones on one machine take turns as well: the system has one package manager.
    if (verb.redis() && !has('redis-server')) await oneAtATime('paidan set-up redis-server', installRedis)
    build()
  })
  await verb.run()
}

async function runMain(file) {
  const path = join(root, 'dist', file)
  if (!existsSync(path)) throw new SetupError(`${relative(root, path)} is not there: its source is missing`)
  process.argv = [process.execPath, path, ...process.argv.slice(3)]
  const { main } = await import(pathToFileURL(path).href)
  await main()
}

/** What the tests start is theirs alone: no setting of the surrounding shell may point them at somebody's database. */
const settingsOfTheShell = ['DATABASE_URL', 'REDIS_URL', 'DATA_DIR', 'ADMIN_TOKEN', 'HOST', 'PORT']

function runTests() {
  const env = { ...process.env }
  for (const name of settingsOfTheShell) delete env[name]
  const bin = (name) => join('node_modules', '.bin', name)
  say('types: green (tsc)')
  say('format and lint (biome)')
  const colours = process.stdout.isTTY ? [] : ['--colors=off']
  must([bin('biome'), 'ci', '--diagnostic-level=warn', ...colours, '.'], { env })
  say('tests (vitest)')
  must([bin('vitest'), 'run', ...process.argv.slice(3)], { env })
}

function refuseOldNode() {
  const version = process.versions.node.split('.').map(Number)
  const index = version.findIndex((part, at) => part !== nodeVersionMin[at])
  if (index !== -1 && version[index] < nodeVersionMin[index]) {
    throw new SetupError(`Node ${nodeVersionMin.join('.')} or newer is needed; this is ${process.versions.node}`)
  }
}

/** Held by a socket in the kernel's own name space, so it goes with its holder. Linux only; elsewhere nobody waits. */
async function oneAtATime(name, work) {
  const path = `\0${createHash('sha256').update(name).digest('hex')}`
  let claim = await listen(path)
  if (claim === null) say('waiting for another set-up to finish')
  while (claim === null) {
    await delay(200)
    claim = await listen(path)
  }
  try {
    await work()
  } finally {
    claim.close()
  }
}

function listen(path) {
  if (process.platform !== 'linux') return Promise.resolve({ close: () => undefined })
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)))
    server.listen({ path }, () => resolve(server))
  })
}

try {
  await setUp()
} catch (error) {
  // What a person can mend is told in a sentence; anything else is ours to mend, and comes with its stack.
  const told =
    error instanceof SetupError ||
    error instanceof UsageError ||
    (typeof error?.code === 'string' && error.syscall === undefined)
  console.error(told ? `✗ ${error.message}` : error)
  process.exit(error instanceof UsageError ? 2 : 1)
}
