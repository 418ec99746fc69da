/** What `npm start` and its siblings say before any set-up: on a clone in which nothing is installed or compiled. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { projectRoot } from '../adapters/shared/root.ts'

const clone = mkdtempSync(join(tmpdir(), 'paidan-clone-'))
afterAll(() => rmSync(clone, { recursive: true, force: true }))
mkdirSync(join(clone, 'workers', 'process'), { recursive: true })
// No package-lock.json: whatever goes on to install packages fails here, and says so.
for (const file of ['setup.mjs', 'setup-steps.mjs', 'process/settings.mjs', 'process/start-checks.mjs']) {
  cpSync(join(projectRoot(), 'workers', file), join(clone, 'workers', file))
}

interface Said {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

async function setUp(words: readonly string[], environment: Record<string, string> = {}): Promise<Said> {
  const child = spawn(process.execPath, ['workers/setup.mjs', ...words], {
    cwd: clone,
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', PORT: '0', ...environment },
  })
  let out = ''
  let error = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    error += chunk
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, error }
}

test.each<[string, Record<string, string>, RegExp]>([
  ['an operator’s token that is too short', { ADMIN_TOKEN: 'short' }, /^✗ ADMIN_TOKEN must be 16 to 256 /],
  [
    'a folder in which nothing can be made',
    { DATA_DIR: '/proc/xx' },
    /^✗ DATA_DIR: the folder \/proc\/xx cannot be made/,
  ],
  ['one deeper below it', { DATA_DIR: '/proc/xx/yy/zz' }, /^✗ DATA_DIR: the folder \/proc\/xx\/yy\/zz cannot be made/],
  ['a file in place of the folder', { DATA_DIR: 'workers/setup.mjs' }, /^✗ DATA_DIR: .* \(ENOTDIR\)/],
  ['a file above the folder', { DATA_DIR: 'workers/setup.mjs/x' }, /^✗ DATA_DIR: .* \(ENOTDIR\)/],
  ['a database that is none of Postgres', { DATABASE_URL: 'mysql://a/b' }, /^✗ DATABASE_URL must look like postgres:/],
  [
    'an address of another machine',
    { HOST: '192.0.2.1', PORT: '18080' },
    /^✗ HOST: 192\.0\.2\.1 is no address of this machine/,
  ],
])('%s is told before anything is set up', async (_, environment, told) => {
  const { code, out, error } = await setUp(['start'], environment)
  expect(error).toMatch(told)
  expect(error).toContain('.env.example')
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(existsSync(join(clone, 'node_modules'))).toBe(false)
})

test('all that is wrong is told at once, and a setting of demo and audit as well', async () => {
  const wrong = { ADMIN_TOKEN: 'short', THREADS: '0' }
  for (const verb of ['start', 'demo', 'audit']) {
    const { code, error } = await setUp([verb], wrong)
    expect(code).toBe(1)
    expect(error).toMatch(/^✗ ADMIN_TOKEN must .*\nTHREADS must .*\n/)
  }
})

test('a port in use is told with its remedy; one that may be shared is not asked for', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = String((server.address() as AddressInfo).port)
  const { code, error } = await setUp(['start'], { PORT: port })
  expect(error).toMatch(
    new RegExp(`^✗ PORT: ${port} on 127.0.0.1 is in use\\. Stop the program .* set PORT to another`),
  )
  expect(code).toBe(1)
  const shared = await setUp(['start'], { PORT: port, SHARE_PORT: 'on' })
  expect(shared.error).not.toContain('PORT')
  server.close()
})

test('what is right goes on to the set-up', async () => {
  const { code, error } = await setUp(['start'], { ADMIN_TOKEN: 'long-enough-for-a-token' })
  expect(error).toContain('package-lock.json')
  expect(code).toBe(1)
})

const verbs = Object.keys(
  (JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { scripts: Record<string, string> })
    .scripts,
)

test('--help names every command of package.json', async () => {
  const { code, out } = await setUp(['--help'])
  expect(code).toBe(0)
  for (const verb of verbs) expect(out).toMatch(new RegExp(`^  npm (run )?${verb} +\\w`, 'm'))
})

test.each(['start', 'demo', 'test'])('%s knows --help before any set-up', async (verb) => {
  for (const flag of ['--help', '-h']) {
    const { code, out, error } = await setUp([verb, flag])
    expect(out).toMatch(new RegExp(`^Usage: npm (run )?${verb}`))
    expect({ code, error }).toEqual({ code: 0, error: '' })
  }
})

test.each([
  ['start', '--port=9000'],
  ['start', 'now'],
  ['demo', '--fast'],
])('%s refuses %s as a wrong command line', async (verb, word) => {
  const { code, error } = await setUp([verb, word])
  expect(error).toMatch(new RegExp(`does not know ${word}\\.\\nUsage: npm`))
  expect(code).toBe(2)
})

test('a command that does not exist is refused with the list of those that do', async () => {
  const { code, error } = await setUp(['strat'])
  expect(error).toContain('There is no command "strat"')
  for (const verb of verbs) expect(error).toContain(verb)
  expect(code).toBe(2)
})
