/** What every answer of the service has to be, whatever was asked. */
import { type ErrorCode, errorTable } from '../../../adapters/http/errors.ts'
import { expectThat } from '../target.ts'
import type { Call } from './calls.ts'

export interface Told {
  readonly status: number
  readonly text: string
  readonly ms: number
}

/** Longer than the longest documented wait: 30 s that a pull may ask for. */
const answerMsMax = 40_000

export function checkAnswer({ path }: Call, { status, text, ms }: Told): void {
  expectThat(ms < answerMsMax, `an answer in time: ${Math.round(ms)} ms`)
  expectThat(
    status >= 200 && (status < 500 || status === 503 || status === 505),
    `no fault of ours: ${status} ${shown(text)}`,
  )
  // A request line that comes in pieces is a page of the HTTP library's own.
  if (!path.startsWith('/v1/') || status < 400 || status === 505 || text === '') return
  const { error } = parsed(text) as { error?: { code?: unknown; message?: unknown } }
  const code = String(error?.code)
  expectThat(Object.hasOwn(errorTable, code), `a documented error: ${shown(text)}`)
  expectThat(errorTable[code as ErrorCode][0] === status, `${code} with its status, not ${status}`)
  expectThat(typeof error?.message === 'string' && error.message.length < 5_000, 'a sentence of what to do')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) ?? {}
  } catch {
    return {}
  }
}

function shown(text: string): string {
  return text.slice(0, 200)
}
