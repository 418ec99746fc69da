import { STATUS_CODES } from 'node:http'
import type { HttpAnswer } from './answer.ts'

/** The few verbs of the socket library's response that an exchange uses. */
export interface WireResponse {
  cork(write: () => void): unknown
  writeStatus(status: string): unknown
  writeHeader(key: string, value: string): unknown
  end(body: string | Uint8Array, close?: boolean): unknown
  endWithoutBody(): unknown
  tryEnd(rest: Uint8Array, totalBytes: number): [ok: boolean, done: boolean]
  /** Hangs up at once; what was registered by onAborted is called. */
  close(): unknown
  onWritable(resume: (offsetBytes: number) => boolean): unknown
  onAborted(handler: () => void): unknown
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): unknown
}

export interface Pending {
  /** The last byte has been handed over; the response must not be touched any more. */
  done(): void
}

// What surely fits the library's own buffer goes out in one call; larger answers wait for a slow reader piece by piece.
export const oneCallBytesMax = 16 * 1024

export function writeAnswer(
  res: WireResponse,
  answer: HttpAnswer,
  { headOnly, close, requestId }: { headOnly: boolean; close: boolean; requestId: string },
  pending: Pending,
): void {
  let done = true
  res.cork(() => {
    res.writeStatus(statusLine(answer.status))
    res.writeHeader('content-type', answer.contentType)
    // Joins what the caller saw with what the log says.
    if (answer.status >= 500) res.writeHeader('x-request-id', requestId)
    if (answer.headers !== undefined) {
      for (const key in answer.headers) res.writeHeader(key, answer.headers[key]!)
    }
    const { body } = answer
    if (headOnly) {
      // The library never counts an answer as done that announces a length and has no body: the length goes by hand.
      res.writeHeader('content-length', String(Buffer.byteLength(body)))
      if (close) res.writeHeader('connection', 'close')
      res.endWithoutBody()
    } else if (body.length <= oneCallBytesMax || close) {
      res.end(body, close)
    } else done = writeLarge(res, typeof body === 'string' ? Buffer.from(body) : body, pending)
  })
  if (done) pending.done()
}

/** True when everything is out already; else `pending.done` is called when it is. */
function writeLarge(res: WireResponse, bytes: Uint8Array, pending: Pending): boolean {
  const [, done] = res.tryEnd(bytes, bytes.length)
  if (done) return true
  res.onWritable((offsetBytes) => {
    const [ok, doneNow] = res.tryEnd(bytes.subarray(offsetBytes), bytes.length)
    if (doneNow) pending.done()
    return ok
  })
  return false
}

const statusLines = new Map<number, string>()

function statusLine(status: number): string {
  const known = statusLines.get(status)
  if (known !== undefined) return known
  const line = `${status} ${STATUS_CODES[status] ?? 'Other'}`
  statusLines.set(status, line)
  return line
}
