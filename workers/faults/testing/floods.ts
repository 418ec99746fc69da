/** What rude and hostile callers do to a service's sockets. Each resolves when the damage is done, and ends when told. */
import { connect, type Socket } from 'node:net'

export interface Flood {
  readonly sockets: readonly Socket[]
  /** Hangs up on all of them. */
  end(): void
}

/** Opens `count` sockets and lets each do its worst; those that are hung up on count as well. */
export async function flood(port: number, count: number, act: (socket: Socket, index: number) => void): Promise<Flood> {
  const sockets: Socket[] = []
  // In waves: the queue of connections that wait to be accepted is short.
  for (let from = 0; from < count; from += 500) {
    const wave = Array.from({ length: Math.min(500, count - from) }, () => connect(port, '127.0.0.1'))
    sockets.push(...wave)
    await Promise.all(
      wave.map(
        (socket, at) =>
          new Promise<void>((resolve) => {
            socket.on('error', () => resolve())
            socket.on('close', () => resolve())
            socket.on('connect', () => {
              act(socket, from + at)
              resolve()
            })
          }),
      ),
    )
  }
  return {
    sockets,
    end: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** A byte now and then, for ever. */
export function trickle(socket: Socket, head: string, everyMs: number): void {
  socket.setNoDelay(true)
  socket.write(head)
  const timer = setInterval(() => socket.write('x'), everyMs)
  socket.on('close', () => clearInterval(timer))
  socket.resume()
}

export function bodyHead(path: string, bytes: number): string {
  return `POST ${path} HTTP/1.1\r\nhost: t\r\ncontent-length: ${bytes}\r\n\r\n`
}
