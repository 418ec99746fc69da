/** CPU time of process trees, from /proc. Linux only: elsewhere nothing is known. */
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'

// USER_HZ: a hundred on every Linux that Node runs on, whatever the kernel's own tick is.
const ticksPerSecond = 100

interface Stat {
  readonly parent: number
  /** Its own and that of children that ended and were waited for. */
  readonly seconds: number
}

/** Seconds since the start of each tree's root; an unknown pid counts as nothing. */
export function cpuSeconds(roots: Readonly<Record<string, number>>): Record<string, number> {
  const stats = readAll()
  const children = new Map<number, number[]>()
  for (const [pid, { parent }] of stats) children.set(parent, [...(children.get(parent) ?? []), pid])
  const isRoot = new Set(Object.values(roots))
  // A tree ends where another begins: an embedded Postgres is a child of the service.
  const sum = (pid: number): number =>
    (children.get(pid) ?? []).reduce(
      (total, child) => total + (isRoot.has(child) ? 0 : sum(child)),
      stats.get(pid)?.seconds ?? 0,
    )
  return Object.fromEntries(Object.entries(roots).map(([name, pid]) => [name, sum(pid)]))
}

function readAll(): Map<number, Stat> {
  const stats = new Map<number, Stat>()
  for (const name of listProc()) {
    const stat = parseStat(name)
    if (stat !== null) stats.set(Number(name), stat)
  }
  return stats
}

function listProc(): readonly string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

/** null: it ended while we looked. See proc(5). */
function parseStat(pid: string): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name may hold anything, so the fields are counted from its closing bracket: state is the first.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const [utime, stime, cutime, cstime] = fields.slice(11, 15) as [number, number, number, number]
    return { parent: fields[1]!, seconds: (utime + stime + cutime + cstime) / ticksPerSecond }
  } catch {
    return null
  }
}

/** Seconds that all cores together were not idle. */
export function busySeconds(): number {
  let busy = 0
  for (const { times } of cpus()) busy += times.user + times.nice + times.sys + times.irq
  return busy / 1000
}
