/** The processes that a run needs beside the servers, each on its own so that its CPU can be told apart. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { projectRoot } from '../../adapters/shared/root.ts'
import type { CannonJob, CannonResult, CannonRound } from './cannon.ts'
import { ordersPerSecond, type StreamSettings } from './stream.ts'

export interface Child {
  readonly pid: number
  /** SIGTERM; resolves when it is gone. */
  stop(): Promise<void>
}

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** What `npm start` gives to node: `node --some-flag workers/setup.mjs start`. */
function flagsOfStart(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as {
    scripts: { start: string }
  }
  return scripts.start.split(' ').filter((word) => word.startsWith('--'))
}

/** A fresh Paidan by its environment; resolves with its URL when it listens. */
export async function startService(
  environment: Readonly<Record<string, string>>,
  profile: string | null,
): Promise<Child & { readonly url: string }> {
  const flags = [...flagsOfStart(), ...(profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`])]
  const child = spawn(process.execPath, [...flags, fileOf('./service.js')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...withoutSettings(process.env), ...environment },
  })
  const url = await firstMatch(child, /listens on (http:\S+),/)
  return { ...handle(child), url }
}

/** The bench decides what its own service runs on: a setting of the shell would make it measure something else. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { HOST, PORT, SHARE_PORT, DATA_DIR, DATABASE_URL, REDIS_URL, ADMIN_TOKEN, DEMO, ...rest } = environment
  return rest
}

export async function startStandin(settings: StreamSettings): Promise<Child & { readonly url: string }> {
  const { seed, startMs, mix } = settings
  const words = {
    port: 0,
    seed,
    start: startMs,
    rate: ordersPerSecond,
    mix: Object.entries(mix)
      .map(([channel, share]) => `${channel}=${share}`)
      .join(),
    // Whatever the push is about, the pulled order is as after all of its story: no pull waits for a later one.
    untouched: 'last',
  }
  const child = spawn(
    process.execPath,
    [fileOf('../standin/wechat.js'), ...Object.entries(words).flatMap(([name, value]) => [`--${name}`, `${value}`])],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const url = await firstMatch(child, /"url":"([^"]+)"/)
  return { ...handle(child), url }
}

export interface Cannon extends Child {
  /** Resolves when every request of the round is answered. */
  fire(round: CannonRound): Promise<CannonResult>
}

/** Resolves when its first requests are made. */
export async function loadCannon(job: CannonJob): Promise<Cannon> {
  const child = fork(fileOf('./cannon.js'), {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const said = message(child)
  child.send(job)
  await said
  return {
    ...handle(child),
    fire: (round) => {
      const result = message<CannonResult>(child)
      child.send(round)
      return result
    },
  }
}

function message<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    child.once('message', (said) => resolve(said as Message))
    child.once('exit', (code) => reject(new Error(`the generator ended by itself (${code})`)))
  })
}

function firstMatch(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout!.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
      const found = pattern.exec(text)?.[1]
      if (found !== undefined) resolve(found)
    })
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${child.spawnargs[1]} ended by itself (${code})`)))
  })
}

function handle(child: ChildProcess): Child {
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    pid: child.pid!,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      else return
      await gone
    },
  }
}
