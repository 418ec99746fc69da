/** Starts the processes of the parts, each fresh, and ends them. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { StreamSettings } from '../load/stream.ts'
import type { Told } from './child.ts'
import type { WorkJob } from './work.ts'

export interface PartProcess {
  readonly pid: number
  /** Runs what was prepared; gives the seconds that it took. */
  go(): Promise<number>
  stop(): Promise<void>
}

/** Resolves when it is prepared and warm. */
export async function startPart(job: WorkJob): Promise<PartProcess> {
  const child = start('./child.js')
  const told = async (): Promise<Told> => {
    const said = (await message(child)) as Told
    if ('failed' in said) throw new Error(`the part ${job.part} failed: ${said.failed}`)
    return said
  }
  try {
    child.send(job)
    await told()
  } catch (error) {
    await end(child)
    throw error
  }
  return {
    pid: child.pid!,
    go: async () => {
      const answer = told()
      child.send('go')
      const said = await answer
      return 'seconds' in said ? said.seconds : 0
    },
    stop: () => end(child),
  }
}

export interface HttpServer {
  readonly pid: number
  readonly url: string
  stop(): Promise<void>
}

export async function startHttpServer(stream: StreamSettings): Promise<HttpServer> {
  const child = start('./http-server.js')
  const said = message(child)
  child.send(stream)
  const { url } = (await said) as { readonly url: string }
  return { pid: child.pid!, url, stop: () => end(child) }
}

function start(file: string): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

function message(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`${child.spawnargs[1]} ended by itself (${code})`))
    child.once('exit', ended)
    child.once('message', (said) => {
      child.off('exit', ended)
      resolve(said)
    })
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGKILL')
  await gone
}
