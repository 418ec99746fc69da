/** What a simulated process tells to nobody: its log and its metrics. */
import pino from 'pino'
import type { Log } from '../../workers/process/log.ts'
import type { Metrics } from '../../workers/process/metrics.ts'

export const silentLog = pino({ level: 'silent' }) as unknown as Log

const nothing = (): void => undefined
const deaf = new Proxy({}, { get: () => nothing })

/** Every counter, gauge and histogram takes what it is told and keeps nothing. */
export const silentMetrics = new Proxy(
  {},
  {
    get: (_, name) => (name === 'stages' || name === 'watch' ? nothing : deaf),
  },
) as Metrics
