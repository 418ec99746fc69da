/** What simulated processes log and count: a line that tells of a bug ends the world; what was counted says how far it went. */
import type { Log } from '../../workers/process/log.ts'
import type { Metrics } from '../../workers/process/metrics.ts'

/** How often each thing was counted, by the metric's name and its labels. */
export type Counts = Map<string, number>

const bugs: ReadonlySet<unknown> = new Set(['Error', 'TypeError', 'RangeError', 'ReferenceError', 'unknown'])

/** Failures of operation have a code; what has none is a bug. `onDrift`: Redis and Postgres differed, seen twice. */
export function logOf(onBug: (what: string) => void, onDrift: () => void): Log {
  const look = (fields: { readonly code?: unknown; readonly err?: unknown }, message: string): void => {
    if (message === 'stock differs between Redis and Postgres') onDrift()
    if (!bugs.has(fields.code)) return
    const { stack } = (fields.err ?? {}) as { stack?: string }
    onBug(`${message}: ${stack ?? JSON.stringify(fields)}`)
  }
  const ignore = (): void => undefined
  return { ...{ debug: ignore, info: ignore, warn: look, error: look, fatal: look } } as unknown as Log
}

export function countingMetrics(counts: Counts): Metrics {
  const add = (name: string, labels: unknown): void => {
    const key = typeof labels === 'object' ? `${name} ${Object.values(labels as object).join(' ')}` : name
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const kinds = new Map<string, object>()
  const metricOf = (name: string): object => ({
    // An amount of nothing says nothing.
    inc: (labels?: unknown, amount?: number) => (amount === 0 ? undefined : add(name, labels)),
    observe: () => undefined,
    set: () => undefined,
  })
  const metrics = new Proxy(
    { watch: () => undefined, stages: () => undefined },
    {
      get: (own: Record<string, unknown>, name: string) => {
        if (name in own) return own[name]
        const known = kinds.get(name) ?? metricOf(name)
        kinds.set(name, known)
        return known
      },
    },
  )
  return metrics as unknown as Metrics
}
