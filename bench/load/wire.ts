/** HTTP/1.1 as far as the lean generator needs it: one request's bytes, and where an answer ends. */
import type { WireRequest } from '../traffic/encode.ts'

/** Head and body in one buffer: one write, one packet where it fits. */
export function requestBytes(host: string, { method, path, query, headers, body }: WireRequest): Buffer {
  const target = query === '' ? path : `${path}?${query}`
  let head = `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\ncontent-length: ${body.length}\r\n`
  for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`
  const headBytes = Buffer.byteLength(head, 'latin1')
  // Not from the shared pool: what is prepared lives as long as the run.
  const bytes = Buffer.allocUnsafeSlow(headBytes + 2 + body.length)
  bytes.write(head, 0, 'latin1')
  bytes.write('\r\n', headBytes, 'latin1')
  body.copy(bytes, headBytes + 2)
  return bytes
}

export interface WireAnswer {
  readonly status: number
  readonly body: string
  /** The server will not take another request on this connection. */
  readonly closes: boolean
}

/** null: more bytes are to come. Throws on what is no answer of a known length, or longer than one request's answer. */
export function parseAnswer(bytes: Buffer): WireAnswer | null {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd === -1) return null
  const head = bytes.toString('latin1', 0, headEnd)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1])
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1])
  if (!Number.isSafeInteger(status) || !Number.isSafeInteger(length))
    throw new Error('an answer without a status or without a content-length')
  const from = headEnd + 4
  if (bytes.length < from + length) return null
  if (bytes.length > from + length) throw new Error('an answer longer than its content-length: nothing was pipelined')
  return {
    status,
    body: bytes.toString('utf8', from, from + length),
    closes: /\r\nconnection: *close/i.test(head),
  }
}
