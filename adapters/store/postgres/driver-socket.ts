/**
 * The socket under a connection of the driver, which does not get over a reset (3.4.9, see
 * https://github.com/porsager/postgres/pull/1215):
 *
 * - Between the socket's `error` and its `close` the driver still gives queries to the connection. It never rejects
 *   those: they wait for ever, or take the answer of a later one after the connection is made again, and from then on
 *   every answer goes to the wrong question. Here a connection that was greeted only closes, which the driver
 *   understands: all of them fail.
 * - What the driver was about to write stays in its buffer. It sends neither that nor anything after it, the greeting
 *   of the next connection included, until the buffer holds more than a kilobyte. Here every greeting is longer than
 *   that, and what is sent begins with the greeting.
 *
 * Without TLS: there the driver listens to a socket of its own.
 */
import { Socket } from 'node:net'

/** A parameter of a connection that makes its greeting long: the server takes spaces for no option at all. */
export const longGreeting = ' '.repeat(1024)

interface Target {
  readonly host: readonly string[]
  readonly port: readonly number[]
  readonly path?: string | false
}

/** For the driver's option `socket`; takes turns where there are several hosts. */
export function driverSockets(): (target: Target) => Socket {
  let turn = 0
  return ({ host, port, path }) => {
    const socket = new Socket()
    const at = turn++ % host.length
    closeOnly(socket)
    beginWithGreeting(socket)
    if (path) return socket.connect(path)
    // It names the server when TLS is asked for.
    return Object.assign(socket.connect(port[at]!, host[at]!), { host: host[at]! })
  }
}

// The last message of the server's greeting: ready, in no transaction.
const ready = Buffer.from([0x5a, 0, 0, 0, 5, 0x49])

function closeOnly(socket: Socket): void {
  const emit = socket.emit.bind(socket) as (name: string | symbol, ...words: unknown[]) => boolean
  let isGreeted = false
  socket.emit = ((name: string | symbol, ...words: unknown[]): boolean => {
    if (name === 'data' && !isGreeted) isGreeted = (words[0] as Buffer).subarray(-ready.length).equals(ready)
    if (isGreeted && name === 'error') return true
    if (isGreeted && name === 'close') return emit('close', false)
    // The driver listens a moment after it was given the socket.
    if ((name === 'error' || name === 'close') && socket.listenerCount(name) === 0) {
      setImmediate(() => emit(name, ...words))
      return true
    }
    return emit(name, ...words)
  }) as Socket['emit']
}

const protocol = 0x0003_0000

function beginWithGreeting(socket: Socket): void {
  const write = socket.write.bind(socket) as (chunk: Buffer, ...rest: unknown[]) => boolean
  socket.write = ((chunk: Buffer, ...rest: unknown[]): boolean => {
    socket.write = write as Socket['write']
    return write(chunk.subarray(greetingAt(chunk)), ...rest)
  }) as Socket['write']
}

/** Where the last greeting begins, which says its length and the protocol; 0 when there is none. */
function greetingAt(chunk: Buffer): number {
  for (let at = chunk.length - 8; at > 0; at--) {
    if (chunk.readUInt32BE(at + 4) === protocol && chunk.readUInt32BE(at) === chunk.length - at) return at
  }
  return 0
}
