/**
 * What the server runs: every route, JSON or raw, in the one form that the sockets need. `admit` is asked when the
 * headers are there, so that no body of a caller without permission is kept; `respond` when the body is whole.
 */
import type { HttpAnswer } from './answer.ts'
import type { ApiError } from './errors.ts'
import type { Caller, Method } from './route.ts'

export interface Request {
  readonly method: Method
  readonly params: Readonly<Record<string, string>>
  readonly query: string
  readonly contentType: string
  readonly authorization: string
  readonly remoteAddress: string
  readonly requestId: string
  /** Aborts when the caller hangs up or the server starts to close. Made on first use. */
  signal(): AbortSignal
  abort(): void
}

export type Admission =
  | { readonly outcome: 'admitted'; readonly caller: Caller | null }
  | { readonly outcome: 'refused'; readonly answer: HttpAnswer }

export interface Bound {
  /** The route's path, as metrics and logs name it. */
  readonly path: string
  readonly maxBodyBytes: number
  /** Only when true are authorization and remoteAddress filled: reading them costs. */
  readonly needsCredentials: boolean
  admit(request: Request): Admission | Promise<Admission>
  respond(request: Request, caller: Caller | null, body: Uint8Array): HttpAnswer | Promise<HttpAnswer>
  /** The error in this caller's words. */
  refuse(error: ApiError, params: Readonly<Record<string, string>>): HttpAnswer
}

export const admitted: Admission = { outcome: 'admitted', caller: null }
