/** The part of autocannon that cannon.ts uses: the package brings no types. */
declare module 'autocannon' {
  interface Request {
    method?: string
    path?: string
    headers?: Record<string, string>
    body?: Uint8Array
    /** Called before every request of a connection; what it puts into `context` is seen by the answer's `onResponse`. */
    setupRequest?(request: Request, context: Record<string, unknown>): Request | null
    onResponse?(status: number, body: string, context: Record<string, unknown>): void
  }

  interface Options {
    url: string
    connections: number
    /** Seconds; not looked at when `amount` is set. */
    duration?: number
    /** Requests in all. */
    amount?: number
    /** Seconds. */
    timeout?: number
    requests: Request[]
  }

  interface Result {
    readonly errors: number
    readonly timeouts: number
  }

  interface Run extends PromiseLike<Result> {
    on(event: 'response', listener: (client: unknown, status: number, bytes: number, ms: number) => void): this
    stop(): void
  }

  // biome-ignore lint/style/noDefaultExport: the package's own way
  export default function autocannon(options: Options): Run
}
