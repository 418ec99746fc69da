/** Stops a server with all its children as one, so that its sockets are open and nobody answers; and lets it go on. */
import { readdirSync, readFileSync } from 'node:fs'

export async function paused(pid: number, during: () => Promise<unknown>): Promise<void> {
  const pids = familyOf(pid)
  for (const one of pids) process.kill(one, 'SIGSTOP')
  try {
    await during()
  } finally {
    for (const one of pids) process.kill(one, 'SIGCONT')
  }
}

/** The process first: what it forks from then on would not be stopped. */
function familyOf(pid: number): readonly number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => parentOf(other) === pid)
  return [pid, ...children.flatMap(familyOf)]
}

function parentOf(pid: number): number | null {
  try {
    // pid (name) state ppid …; the name may hold anything, even brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return null
  }
}
