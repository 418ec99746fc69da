/** What a server is told, and what it tells. */
import type { Authenticate } from './admission.ts'
import type { Attempts } from './attempts.ts'
import type { Route } from './route.ts'

export interface ServeOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Several processes listen on one port (SO_REUSEPORT); else a port in use is an error. */
  readonly sharePort?: boolean
  readonly routes: readonly Route[]
  /** Needed as soon as one route asks who calls. */
  readonly authenticate?: Authenticate
  /** For routes that name no limit of their own. Default 256 KiB, the largest webhook there is room for. */
  readonly bodyBytesMax?: number
  /** Default 15 s for a body that trickles below 32 KB/s. */
  readonly bodyMsMax?: number
  /** Default 60 s: twice the longest documented wait of a handler. Then the caller is told to try again. */
  readonly answerMsMax?: number
  /** Default 128 MiB: what all requests hold together; the slowest give way above it. */
  readonly heldBytesMax?: number
  /** Default 20,000 at a time; more are told to try again. */
  readonly requestsMax?: number
  /** Default: 16,384, or what the limit of open files leaves. More are hung up on as they come. */
  readonly connectionsMax?: number
  /** Wrong tokens by address; one made here when absent. */
  readonly attempts?: Attempts
  readonly now?: () => number
  readonly log?: Log
  /** Which failures of handlers pass by themselves: the caller is told to try again. None when absent. */
  readonly passes?: (error: unknown) => boolean
  /** Once an answer, for metrics: the route's path, not the caller's. */
  readonly observe?: (method: string, path: string, status: number, ms: number) => void
  /** For tests: answers are held against their own schemas. */
  readonly checkAnswers?: boolean
}

/** pino's shape. */
export interface Log {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

export interface Server {
  readonly port: number
  /** Requests being read, worked on or answered. */
  inFlight(): number
  /** Bytes of bodies and answers that they hold together. */
  heldBytes(): number
  connections(): number
  /** Takes nothing new at once, lets running requests finish up to the deadline (10 s), then closes all sockets. */
  close(deadlineMs?: number): Promise<void>
}
