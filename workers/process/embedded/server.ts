/**
 * One child server: started in a session of its own, so that a Ctrl-C at the terminal reaches only us and the drain can
 * finish; logged to a file; told to stop when we stop or die.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Launch } from './account.ts'
import { EmbeddedError } from './errors.ts'

export interface RunningServer {
  readonly pid: number
  /** Resolves when the process is gone, whatever the reason; the text says which. */
  readonly exited: Promise<string>
  /** Asked for first; a server that does not answer is ended. Safe to call twice. */
  stop(): Promise<void>
}

export interface ServerSpec {
  readonly name: string
  readonly launch: Launch
  readonly cwd: string
  readonly logFile: string
  readonly environment: Readonly<Record<string, string>>
  readonly stopSignal: 'SIGINT' | 'SIGTERM'
  /** When stopSignal was not enough. */
  readonly endSignal: 'SIGQUIT' | 'SIGKILL'
  /** Asked again and again until it says yes or the process is gone. */
  ready(pid: number): Promise<boolean>
}

// A crash recovery over 4 GB of WAL takes tens of seconds on a slow disk; loading a large append-only file as well.
const startMsMax = 300_000
// A fast shutdown writes a checkpoint; a server that takes longer than this is stuck.
const stopMsMax = 60_000
const pollMs = 20
// Two runs' worth of lines is enough to see what happened; the file must not grow for ever.
const logBytesMax = 16 * 1024 * 1024
const tailLines = 20

/** Throws `server_did_not_start` with the server's own last lines. */
export async function startServer(spec: ServerSpec): Promise<RunningServer> {
  rotate(spec.logFile)
  const log = openSync(spec.logFile, 'a', 0o600)
  const logStart = statSync(spec.logFile).size
  const child = spawn(spec.launch.command, [...spec.launch.arguments], {
    ...spec.launch.options,
    cwd: spec.cwd,
    detached: true,
    stdio: ['ignore', log, log],
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', ...spec.environment },
  })
  closeSync(log)
  const exited = exitOf(child)
  let gone: string | null = null
  exited.then((reason) => {
    gone = reason
  })
  const fail = (what: string): never => {
    throw new EmbeddedError('server_did_not_start', `${spec.name} ${what}.${tail(spec.logFile, logStart)}`)
  }
  if (child.pid === undefined) return fail(`could not be started: ${await exited}`)
  const server = { pid: child.pid, exited, stop: () => stop(child, exited, spec) }
  const deadline = performance.now() + startMsMax
  while (!(await spec.ready(child.pid))) {
    if (gone !== null) return fail(`ended while starting (${gone})`)
    if (performance.now() > deadline) {
      await server.stop()
      return fail(`was not ready within ${startMsMax / 1000} s`)
    }
    await delay(pollMs)
  }
  return server
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`))
  })
}

async function stop(child: ChildProcess, exited: Promise<string>, spec: ServerSpec): Promise<void> {
  child.kill(spec.stopSignal)
  const late = new AbortController()
  const inTime = await Promise.race([
    exited.then(() => true),
    delay(stopMsMax, false, { signal: late.signal, ref: false }).catch(() => false),
  ])
  late.abort()
  if (inTime) return
  child.kill(spec.endSignal)
  await exited
}

function rotate(logFile: string): void {
  try {
    if (statSync(logFile).size > logBytesMax) renameSync(logFile, `${logFile}.1`)
  } catch {
    // No log yet.
  }
}

function tail(logFile: string, from: number): string {
  const lines = readFileSync(logFile).subarray(from).toString('utf8').trim().split('\n').slice(-tailLines)
  return lines[0] === '' ? ` It said nothing (${logFile}).` : ` Its last lines (${logFile}):\n  ${lines.join('\n  ')}`
}
