/**
 * A route is data: what a path takes and gives, as zod schemas that validate, type the handler and make the OpenAPI
 * document. An `Endpoint` is the contract alone; `implement` adds the handler. A `RawRoute` gets bytes and gives
 * bytes, for callers whose formats are not ours (webhooks, metrics).
 */
import type { z } from 'zod'
import type { HttpAnswer } from './answer.ts'
import type { ErrorCode } from './errors.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type Auth = 'none' | 'admin' | 'node'
export type Caller = { readonly kind: 'admin' } | { readonly kind: 'node'; readonly node: string }

/** The caller that a route asks for: none in particular, the operator, or one warehouse or store. */
export interface CallerOf {
  readonly none: null
  readonly admin: { readonly kind: 'admin' }
  readonly node: { readonly kind: 'node'; readonly node: string }
}

export type Schema = z.ZodType
export type ObjectSchema = z.ZodObject
export type AnswerSchemas = Readonly<Record<number, Schema>>

export interface Endpoint<
  A extends Auth = Auth,
  P extends ObjectSchema = ObjectSchema,
  Q extends ObjectSchema = ObjectSchema,
  B extends Schema = Schema,
  S extends AnswerSchemas = AnswerSchemas,
> {
  readonly method: Method
  /** `/v1/nodes/{node}/stock`: literal segments and whole-segment parameters. */
  readonly path: string
  readonly auth: A
  readonly summary: string
  /** Groups operations in the OpenAPI document. */
  readonly tag: string
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** The body is not JSON and is handed on as bytes, unread: its media type and what it is. */
  readonly bytes?: { readonly contentType: string; readonly description: string }
  readonly answers: S
  /** Codes beside those that every route of this kind can give. */
  readonly errors?: readonly ErrorCode[]
  /** The server's bodyBytesMax when absent. */
  readonly maxBodyBytes?: number
}

type Parsed<T> = T extends Schema ? z.output<T> : undefined

export type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

/** `{ status, body }`, one variant a documented status. */
export type Reply<S extends AnswerSchemas> = {
  [K in keyof S & number]: { readonly status: K; readonly body: DeepReadonly<z.input<S[K]>> }
}[keyof S & number]

export interface Context<A extends Auth, P, Q, B> {
  readonly params: P
  readonly query: Q
  readonly body: B
  readonly caller: CallerOf[A]
  readonly nowMs: number
  /** The body as it came: the only form there is when the endpoint declares `bytes`. */
  readonly bytes: Uint8Array
  readonly requestId: string
  /** Aborts when the caller hangs up or the server starts to close: a pull that waits for work then stops. */
  readonly signal: AbortSignal
}

export type ContextOf<E extends Endpoint> = Context<
  E['auth'],
  Parsed<E['params']>,
  Parsed<E['query']>,
  Parsed<E['body']>
>
export type ReplyOf<E extends Endpoint> = Reply<E['answers']>

/** An endpoint with its handler. The handler's exact types were checked by `implement`. */
export interface JsonRoute extends Endpoint {
  readonly handle: (context: Context<Auth, unknown, unknown, unknown>) => Promise<AnyReply> | AnyReply
}
export interface AnyReply {
  readonly status: number
  readonly body: unknown
}

export interface RawRequest {
  readonly method: Method
  /** Percent-decoded path parameters. */
  readonly params: Readonly<Record<string, string>>
  /** Without the question mark, still percent-encoded. */
  readonly query: string
  readonly contentType: string
  /** Its memory belongs to the handler alone. */
  readonly body: Uint8Array
  readonly requestId: string
}

export interface RawRoute {
  readonly raw: true
  readonly method: Method
  readonly path: string
  /** webhook: the handler itself verifies the signature. */
  readonly auth: 'none' | 'webhook'
  readonly summary: string
  readonly tag: string
  readonly maxBodyBytes?: number
  readonly handle: (request: RawRequest) => HttpAnswer | Promise<HttpAnswer>
  /** How this caller is told about errors that happen before or instead of the handler; our error shape when absent. */
  readonly refuse?: (code: ErrorCode, params: Readonly<Record<string, string>>) => HttpAnswer
}

export type Route = JsonRoute | RawRoute

/** Declares an endpoint, keeping the exact types of its schemas. */
export function endpoint<const E extends Endpoint>(declared: E): E {
  return declared
}

export function implement<E extends Endpoint>(
  declared: E,
  handle: (context: ContextOf<E>) => Promise<ReplyOf<E>> | ReplyOf<E>,
): JsonRoute {
  return { ...declared, handle: handle as unknown as JsonRoute['handle'] }
}

/** A handler's 200. Keeps the literal types of what it is given. */
export function ok<const B>(body: B): { readonly status: 200; readonly body: B } {
  return { status: 200, body }
}

export function isRaw(route: Route | Endpoint): route is RawRoute {
  return 'raw' in route
}
