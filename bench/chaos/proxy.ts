/**
 * A wire between two processes that can be made bad: late, narrow, cut in the middle of a reply, or silent. Bytes are
 * never lost or changed while a connection lives, as TCP has it: a silent wire keeps what was sent and delivers it later,
 * or not at all when the connection is cut meanwhile.
 */
import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** A port of this machine, or the path of a unix socket. */
export type ProxyTarget = { readonly port: number } | { readonly path: string }

export interface Wire {
  readonly port: number
  /** Each piece of bytes waits so long, either way. */
  slow(ms: number): void
  /** Bytes a second of each connection, either way. */
  narrow(bytesPerSecond: number): void
  /** Nothing passes any more, though connections are accepted and stay open. */
  silence(): void
  /** A good wire again; what was kept is delivered. */
  heal(): void
  /** From now on each connection passes on `afterBytes` bytes of answers and is then reset; once a connection. */
  cutReplies(afterBytes: () => number): void
  /** Resets every connection; gives how many there were. */
  cut(): number
  close(): Promise<void>
}

interface Condition {
  delayMs: number
  bytesPerSecond: number
  /** Resolves when the silence is over; null: there is none. */
  silence: Promise<void> | null
  cutAfter: (() => number) | null
}

// Pieces of a narrow wire: small enough that a reply comes in many.
const pieceMs = 20

/** `target` is asked for at each connection: after a restart it may name another process; null refuses. */
export async function startProxy(target: () => ProxyTarget | null): Promise<Wire> {
  const wire: Condition = { delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY, silence: null, cutAfter: null }
  const pairs = new Set<readonly [Socket, Socket]>()
  let speak: () => void = () => undefined

  const server = createServer({ pauseOnConnect: true }, (near) => {
    const to = target()
    if (to === null) {
      reset(near)
      return
    }
    const far = createConnection(to)
    const pair = [near, far] as const
    pairs.add(pair)
    for (const [socket, other] of [pair, [far, near] as const]) {
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
      // Also when it ended well: both directions were passed on before.
      socket.once('close', () => {
        other.destroy()
        pairs.delete(pair)
      })
    }
    let repliedBytes = 0
    let allowedBytes: number | null = null
    const cutsAt = (bytes: number): number | null => {
      if (wire.cutAfter === null) {
        allowedBytes = null
        return null
      }
      allowedBytes ??= repliedBytes + wire.cutAfter()
      const left = allowedBytes - repliedBytes
      repliedBytes += bytes
      return left < bytes ? left : null
    }
    void pass(near, far, wire, () => null)
    void pass(far, near, wire, cutsAt)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const heal = (): void => {
    speak()
    Object.assign(wire, { delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY, silence: null, cutAfter: null })
  }
  const cut = (): number => {
    const count = pairs.size
    for (const [near, far] of pairs) {
      reset(near)
      reset(far)
    }
    return count
  }
  return {
    port: (server.address() as AddressInfo).port,
    slow: (ms) => {
      wire.delayMs = ms
    },
    narrow: (bytesPerSecond) => {
      wire.bytesPerSecond = bytesPerSecond
    },
    silence: () => {
      wire.silence ??= new Promise((resolve) => {
        speak = resolve
      })
    },
    heal,
    cutReplies: (afterBytes) => {
      wire.cutAfter = afterBytes
    },
    cut,
    close: async () => {
      heal()
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** `cutsAt`: how many of the given bytes may still pass before the connection ends; null: all of them. */
async function pass(
  from: Socket,
  to: Socket,
  wire: Condition,
  cutsAt: (bytes: number) => number | null,
): Promise<void> {
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (const piece of pieces(chunk, wire.bytesPerSecond)) {
        if (wire.delayMs > 0) await delay(wire.delayMs)
        if (wire.bytesPerSecond !== Number.POSITIVE_INFINITY) await delay(pieceMs)
        while (wire.silence !== null) await wire.silence
        const cutAt = cutsAt(piece.length)
        if (cutAt !== null) {
          if (cutAt > 0) await new Promise((resolve) => to.write(piece.subarray(0, cutAt), resolve))
          reset(to)
          reset(from)
          return
        }
        if (!to.write(piece)) await Promise.race([once(to, 'drain'), once(to, 'close')])
        if (to.destroyed) return
      }
    }
    to.end()
  } catch {
    to.destroy()
  }
}

function* pieces(chunk: Buffer, bytesPerSecond: number): Generator<Buffer> {
  const size = Math.max(1, Math.min(chunk.length, Math.floor((bytesPerSecond * pieceMs) / 1000)))
  for (let at = 0; at < chunk.length; at += size) yield chunk.subarray(at, at + size)
}

/** As a machine does that is gone; a unix socket knows no reset. */
function reset(socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy()
  else socket.resetAndDestroy()
}
