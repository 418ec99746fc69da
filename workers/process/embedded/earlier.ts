/**
 * A server that an earlier Paidan left running over the same data: it has to be gone before the next one starts. A number
 * in a pid file proves nothing, since numbers are given out again; a server of ours works in its own data folder, which
 * the kernel tells.
 */
import { readlinkSync, realpathSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { EmbeddedError } from './errors.ts'

const waitMsMax = 60_000
const pollMs = 20

/** Throws `earlier_server_does_not_stop`. `pid`: NaN when there is no pid file. */
export async function stopEarlier(
  name: string,
  pid: number,
  dataFolder: string,
  signal: NodeJS.Signals,
): Promise<void> {
  if (!worksIn(pid, dataFolder)) return
  process.kill(pid, signal)
  const deadline = performance.now() + waitMsMax
  while (worksIn(pid, dataFolder)) {
    if (performance.now() > deadline) {
      const advice = `An earlier ${name} (process ${pid}) still runs over ${dataFolder} and does not stop. End it and start again.`
      throw new EmbeddedError('earlier_server_does_not_stop', advice)
    }
    await delay(pollMs)
  }
}

export function worksIn(pid: number, dataFolder: string): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 1) return false
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataFolder)
  } catch {
    return false
  }
}
