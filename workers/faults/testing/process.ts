/** For tests that kill, drain or race whole service processes: each a child of its own, over servers that the test names. */
import { type ChildProcess, spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { testCredentialsKey } from '../../../adapters/store/testing.ts'

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

export interface ServiceProcess {
  readonly url: string
  readonly pid: number
  readonly exited: Promise<Exit>
  /** Everything that it has said so far, both streams. */
  said(): string
  /** Without a word: nothing of its own is run any more. */
  kill(): Promise<Exit>
  /** SIGTERM unless said otherwise; resolves when it is gone. */
  signal(name?: 'SIGTERM' | 'SIGINT'): Promise<Exit>
  /** One of its threads ends in the middle of whatever it does. */
  endThread(): void
}

/** What run-service.ts is told for that. */
export const threadDies = 'a thread dies'

export const adminToken = 'token-of-the-operator-of-a-test'

// A start over an existing database takes about a second on an idle machine, and tests share theirs.
const startMsMax = 120_000

/** Resolves when it listens. `environment` goes over the defaults: any free port, no demo network, errors only. */
export async function spawnService(environment: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  const script = fileURLToPath(new URL('./run-service.js', import.meta.url))
  const child = spawn(process.execPath, [script], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      PORT: '0',
      DEMO: 'off',
      // The tests' shared Postgres runs without fsync.
      DURABILITY: 'off',
      ADMIN_TOKEN: adminToken,
      CREDENTIALS_KEY: testCredentialsKey,
      // Never the folder of a service that a person runs from this clone. Nobody makes this one.
      DATA_DIR: join(tmpdir(), 'paidan-no-data'),
      LOG_LEVEL: 'error',
      ...environment,
    },
  })
  // It may be killed while something is still on its way there.
  child.stdin.on('error', () => undefined)
  const exited = exitOf(child)
  let text = ''
  const url = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`the service did not listen within ${startMsMax / 1000} s:\n${text}`))
    }, startMsMax)
    const hear = (chunk: Buffer): void => {
      text += chunk.toString()
      const found = /listens on (http:\/\/\S+?),/.exec(text)
      if (found === null) return
      clearTimeout(late)
      resolve(found[1]!)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    void exited.then(({ code, signal }) => {
      clearTimeout(late)
      reject(new Error(`the service ended while starting (${code ?? signal}):\n${text}`))
    })
  })
  const end = async (name: NodeJS.Signals): Promise<Exit> => {
    child.kill(name)
    return await exited
  }
  return {
    url,
    pid: child.pid!,
    exited,
    said: () => text,
    kill: () => end('SIGKILL'),
    signal: (name = 'SIGTERM') => end(name),
    endThread: () => void child.stdin.write(`${threadDies}\n`),
  }
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', () => resolve({ code: null, signal: null }))
  })
}
