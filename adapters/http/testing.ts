/** For tests: a server with small limits, and a socket that speaks bytes, since good clients refuse to be rude. */
import { connect, type Socket } from 'node:net'
import type { RawRoute } from './route.ts'
import type { ServeOptions, Server } from './serve-options.ts'
import { serve } from './server.ts'

export async function withServer<T>(
  options: Omit<ServeOptions, 'host' | 'port'>,
  use: (server: Server, origin: string) => Promise<T>,
): Promise<T> {
  const server = await serve({ host: '127.0.0.1', port: 0, checkAnswers: true, ...options })
  try {
    return await use(server, `http://127.0.0.1:${server.port}`)
  } finally {
    await server.close(0)
  }
}

export interface RawSocket {
  readonly socket: Socket
  write(bytes: string | Uint8Array): void
  /** All that came so far, once it satisfies the condition or the connection is over. */
  until(condition: (received: string) => boolean): Promise<string>
  /** All that came until the other side closed. */
  closed(): Promise<string>
}

export function rawSocket(port: number): RawSocket {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  let over = false
  let wake: (() => void) | null = null
  const notify = (): void => wake?.()
  socket.setEncoding('latin1')
  socket.on('data', (data) => {
    received += data
    notify()
  })
  // A reset is an answer like any other here: what came before it is what counts.
  socket.on('error', () => undefined)
  socket.on('close', () => {
    over = true
    notify()
  })
  async function until(condition: (received: string) => boolean): Promise<string> {
    while (!over && !condition(received)) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return received
  }
  return { socket, write: (bytes) => socket.write(bytes), until, closed: () => until(() => false) }
}

/** Writes, waits for one whole answer or the end, hangs up. */
export async function talk(port: number, bytes: string | Uint8Array): Promise<string> {
  const raw = rawSocket(port)
  raw.write(bytes)
  const answer = await raw.until((text) => isWhole(text))
  raw.socket.destroy()
  return answer
}

export function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return false
  const length = /^content-length: (\d+)/im.exec(text.slice(0, end))?.[1]
  return length === undefined || text.length >= end + 4 + Number(length)
}

export function post(path: string, body: string, headers = ''): string {
  return `POST ${path} HTTP/1.1\r\nhost: test\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** A raw route in one line. */
export function raw(
  method: RawRoute['method'],
  path: string,
  handle: RawRoute['handle'],
  more: Partial<RawRoute> = {},
): RawRoute {
  return { raw: true, method, path, auth: 'webhook', tag: 't', summary: 's', handle, ...more }
}
export const text = (body: string | Uint8Array, status = 200) => ({ status, contentType: 'text/plain', body })
export const size = raw('POST', '/size', ({ body }) => text(String(body.length)))
export const later = raw('POST', '/later', async ({ body }) => {
  await new Promise((resolve) => setImmediate(resolve))
  return text(Buffer.from(body).toString('hex'))
})

/** Holds a handler until the test lets it go. */
export function gate() {
  let open = (): void => undefined
  let arrive = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  return { open: () => open(), opened, arrive: () => arrive(), arrived }
}
