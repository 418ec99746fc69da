/** Structured logs, JSON lines on stderr. Fields are ids and codes of ours and of platforms; never a buyer's data. */
import { type Logger, pino } from 'pino'
import { errorFields } from '../adapters/shared/error-fields.ts'

export type Log = Logger

export function createLog(level: string): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: errorFields } },
    pino.destination({ dest: 2, sync: false }),
  )
}
