/** Closed loop: every connection sends its next request as soon as its last one is answered. */
import { type ClosedRound, type Fired, tally } from './fired.ts'
import { LeanConnection, type LeanEvents } from './lean-connection.ts'
import type { Lean } from './lean-job.ts'

export function shootClosed({ job, host, port, requests }: Lean, round: ClosedRound): Promise<Fired> {
  const acknowledged: number[] = []
  const ackMs: number[] = []
  const refused: Record<string, number> = {}
  const before = requests.taken()
  let errors = 0
  let left = round.requests ?? Number.POSITIVE_INFINITY
  let underWay = 0
  const startedAtMs = Date.now()
  const started = performance.now()
  const until = round.requests === null ? started + round.seconds * 1000 : Number.POSITIVE_INFINITY
  let ended = started

  return new Promise((resolve) => {
    const all = new Set<LeanConnection>()

    function next(connection: LeanConnection): void {
      if (left === 0 || performance.now() >= until) {
        finishWhenAnswered()
        return
      }
      left -= 1
      underWay += 1
      connection.send(requests.next())
    }

    const events: LeanEvents = {
      answered(connection, request, answer) {
        ended = performance.now()
        underWay -= 1
        if (answer === 'acknowledged') {
          acknowledged.push(request.index)
          ackMs.push(ended - connection.sentAtMs)
        } else tally(refused, `${answer.status} ${answer.body.slice(0, 80)}`)
        next(connection.open ? connection : replaced(connection))
      },
      broken(connection) {
        errors += 1
        underWay -= 1
        next(replaced(connection))
      },
    }

    function open(): LeanConnection {
      const connection = new LeanConnection(host, port, events)
      all.add(connection)
      return connection
    }

    function replaced(connection: LeanConnection): LeanConnection {
      all.delete(connection)
      return open()
    }

    // A server that does not answer at all must not keep the run from ending.
    const watch = setInterval(() => {
      const late = performance.now() - timeoutMs
      for (const connection of all) if (connection.busy && connection.sentAtMs < late) connection.end()
    }, timeoutMs / 60)

    function finishWhenAnswered(): void {
      if (underWay > 0) return
      clearInterval(watch)
      for (const connection of all) connection.end()
      resolve({
        startedAtMs,
        endedAtMs: startedAtMs + (ended - started),
        sent: requests.taken() - before,
        madeUnderLoad: requests.madeUnderLoad(before),
        acknowledged: Uint32Array.from(acknowledged),
        ackMs: Float64Array.from(ackMs),
        refused,
        errors,
      })
    }

    const count = Math.min(job.connections, round.requests ?? job.connections)
    for (let i = 0; i < count; i++) next(open())
  })
}

// As autocannon's here: an answer that takes longer is an error.
const timeoutMs = 30_000
