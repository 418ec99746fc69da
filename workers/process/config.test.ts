import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectRoot } from '../../adapters/shared/root.ts'
import { parseDatabaseUrl } from '../../adapters/store/postgres/connect.ts'
import { ConfigError, parseConfig } from './config.ts'
import { type Environment, rules, settingsProblems } from './settings.mjs'

const variableNames = Object.keys(rules)
const machine = { root: '/project', cores: 8 }
const example = readFileSync(join(projectRoot(), '.env.example'), 'utf8')
const exampleLines = [...example.matchAll(/^# ?([A-Z][A-Z_]*)=(.*)$/gm)].map(([, name = '', value = '']) => ({
  name,
  value,
}))

test('the manual names every setting once and nothing else', () => {
  expect(exampleLines.map((line) => line.name)).toEqual(variableNames)
})

test('the manual states the defaults', () => {
  const environment = Object.fromEntries(exampleLines.map(({ name, value }) => [name, value]))
  expect(parseConfig(environment, machine)).toEqual(parseConfig({}, machine))
})

test('every named setting is read, and no other', () => {
  const read: string[] = []
  const environment = new Proxy<Environment>({}, { get: (_, name) => void read.push(String(name)) })
  parseConfig(environment, machine)
  expect(read.sort()).toEqual([...variableNames].sort())
})

test('the configuration of an empty environment is complete and frozen', () => {
  const config = parseConfig({}, machine)
  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    dataDir: '/project/.data',
    databaseUrl: null,
    threads: 7,
  })
  expect(Object.isFrozen(config)).toBe(true)
  expect(parseConfig({}, { ...machine, cores: 1 }).threads).toBe(1)
})

test.each([
  { set: { PORT: '0' }, gives: { port: 0 } },
  { set: { PORT: ' 9000 ' }, gives: { port: 9000 } },
  { set: { HOST: '::1' }, gives: { host: '::1' } },
  { set: { SHARE_PORT: 'on' }, gives: { sharePort: true } },
  { set: { DATA_DIR: '/var/lib/paidan' }, gives: { dataDir: '/var/lib/paidan' } },
  { set: {}, gives: { durability: 'required' } },
  { set: { DURABILITY: 'off' }, gives: { durability: 'off' } },
  { set: { DATA_DIR: '../elsewhere' }, gives: { dataDir: '/elsewhere' } },
  { set: { REDIS_URL: '/run/redis.sock' }, gives: { redisUrl: '/run/redis.sock' } },
  { set: { REDIS_URL: 'rediss://u:p@r:6380/2' }, gives: { redisUrl: 'rediss://u:p@r:6380/2' } },
  { set: { DATABASE_URL: 'postgres:///a?host=/run' }, gives: { databaseUrl: 'postgres:///a?host=/run' } },
  { set: { WEBHOOK_TOLERANCE_SECONDS: '60' }, gives: { webhookToleranceSeconds: 60 } },
  { set: { THREADS: '' }, gives: { threads: 7 } },
  { set: { CREDENTIALS_KEY: `${'A'.repeat(43)}=` }, gives: { credentialsKey: Buffer.alloc(32) } },
  { set: { CREDENTIALS_KEY_LOST: 'on' }, gives: { credentialsKeyLost: true } },
])('$set', ({ set, gives }) => {
  expect(parseConfig(set, machine)).toMatchObject(gives)
})

test.each<[string, string]>([
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PORT', '80.5'],
  ['PORT', '0x50'],
  ['PORT', '1e3'],
  ['HOST', 'a b'],
  ['HOST', 'http://a'],
  ['SHARE_PORT', 'yes'],
  ['THREADS', '0'],
  ['BATCH_MAX', 'many'],
  ['LOG_LEVEL', 'loud'],
  ['DEMO', 'on'],
  ['DURABILITY', 'on'],
  ['DATABASE_URL', 'localhost:5432/orders'],
  ['DATABASE_URL', 'mysql://a/b'],
  ['DATABASE_URL', 'postgres://h/%zz'],
  ['REDIS_URL', 'http://a'],
  ['REDIS_URL', '//a'],
  ['ADMIN_TOKEN', 'short'],
  ['ADMIN_TOKEN', 'a token with spaces in it'],
  ['ADMIN_TOKEN', 'first-token-of-two,second'],
  ['ADMIN_TOKEN', 'first-token-of-three,second-token-of-three,third-token-of-three'],
  ['CREDENTIALS_KEY', 'short'],
  ['CREDENTIALS_KEY', 'A'.repeat(44)],
  ['CREDENTIALS_KEY', `${'A'.repeat(43)}= `.repeat(2)],
  ['CREDENTIALS_KEY_PREVIOUS', 'A'.repeat(43)],
  ['CREDENTIALS_KEY_LOST', 'yes'],
])('%s=%s is refused by name', (name, value) => {
  expect(() => parseConfig({ [name]: value }, machine)).toThrow(new RegExp(`^${name} must `))
})

test('a shared port has to be one that other processes can be told', () => {
  const shared = { SHARE_PORT: 'on', PORT: '0' }
  expect(() => parseConfig(shared, machine)).toThrow(/^PORT must not be 0 with SHARE_PORT=on: .* Set PORT to one port/)
  expect(settingsProblems(shared)).toEqual([expect.stringContaining('PORT must not be 0')])
  for (const fine of [{ SHARE_PORT: 'on' }, { PORT: '0' }, { SHARE_PORT: 'off', PORT: '00' }]) {
    expect(settingsProblems(fine)).toEqual([])
    parseConfig(fine, machine)
  }
})

test.each([
  'postgres://user:pass%40word@host:5432/name?sslmode=require',
  'postgresql://host',
  'postgres:///name?host=/run/postgresql&user=me',
  'postgres://%2Frun%2Fpostgresql/name',
])('a DATABASE_URL that is taken is one that the driver can read: %s', (url) => {
  expect(parseConfig({ DATABASE_URL: url }, machine).databaseUrl).toBe(url)
  expect(() => parseDatabaseUrl(url)).not.toThrow()
})

test('all that is wrong is told at once, without a secret', () => {
  const wrong = {
    PORT: 'x',
    LOG_LEVEL: 'y',
    ADMIN_TOKEN: 'hush',
    DATABASE_URL: 'mysql://me:hush@db/a',
    REDIS_URL: 'hush://',
  }
  let error: unknown
  try {
    parseConfig(wrong, machine)
  } catch (caught) {
    error = caught
  }
  expect(error).toBeInstanceOf(ConfigError)
  const { problems, message } = error as ConfigError
  expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
    'PORT',
    'DATABASE_URL',
    'REDIS_URL',
    'ADMIN_TOKEN',
    'LOG_LEVEL',
  ])
  expect(message).not.toContain('hush')
})
