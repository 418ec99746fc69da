/** The processes that a run needs beside the servers, each on its own so that its CPU can be told apart. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { projectRoot } from '../../adapters/shared/root.ts'
import type { ClosedRound, Fired, FiredOpen, GeneratorJob, OpenRound } from './fired.ts'
import type { LeanRound } from './lean.ts'
import type { StandinJob } from './standin.ts'
import type { StreamSettings } from './stream.ts'

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
    stdio: ['pipe', 'pipe', 'inherit'],
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

export interface StandinProcess extends Child {
  readonly url: string
  /** Resolves when the answers that were asked for lie ready; until then the stand-in answers no request. */
  readonly prepared: Promise<unknown>
}

/** `prepared`: orders whose answers are made beforehand. */
export async function startStandin(stream: StreamSettings, prepared = 0): Promise<StandinProcess> {
  const child = forked('./standin.js')
  const told = message<string>(child)
  child.send({ stream, prepared } satisfies StandinJob)
  const url = await told
  const ready = message(child)
  // A caller that never waits for `prepared` must not fail because the process ended.
  ready.catch(() => undefined)
  return { ...handle(child), url, prepared: ready }
}

export interface Cannon extends Child {
  /** Resolves when every request of the round is answered. */
  fire(round: ClosedRound): Promise<Fired>
}

/** autocannon. Resolves when its first requests are made. */
export async function loadCannon(job: GeneratorJob): Promise<Cannon> {
  const { child, ask } = await loadGenerator('./cannon.js', job)
  return { ...handle(child), fire: (round) => ask<Fired>(round) }
}

export interface LeanCannon extends Cannon {
  fireOpen(round: OpenRound): Promise<FiredOpen>
}

/** The lean one, see lean.ts. Resolves when its first requests are made. */
export async function loadLean(job: GeneratorJob): Promise<LeanCannon> {
  const { child, ask } = await loadGenerator('./lean.js', job)
  return {
    ...handle(child),
    fire: (round) => ask<Fired>({ loop: 'closed', ...round } satisfies LeanRound),
    fireOpen: (round) => ask<FiredOpen>({ loop: 'open', ...round } satisfies LeanRound),
  }
}

async function loadGenerator(file: string, job: GeneratorJob) {
  const child = forked(file)
  const said = message(child)
  child.send(job)
  await said
  const ask = <Answer>(round: unknown): Promise<Answer> => {
    const answer = message<Answer>(child)
    child.send(round as object)
    return answer
  }
  return { child, ask }
}

function forked(file: string): ChildProcess {
  return fork(fileOf(file), { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}

function message<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`${child.spawnargs[1]} ended by itself (${code})`))
    child.once('exit', ended)
    child.once('message', (said) => {
      child.off('exit', ended)
      resolve(said as Message)
    })
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
