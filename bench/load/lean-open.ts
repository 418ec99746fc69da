/**
 * Open loop: requests are due by the curve, whatever became of the earlier ones, as buyers do not wait for each other. An
 * answer's latency counts from the instant at which its request was due, so time that it waited for a connection or for
 * this process is in it: nothing is left out because it was slow. What is refused comes again, as platforms send it again.
 */
import { dueTimes } from './arrivals.ts'
import { type FiredOpen, type OpenRound, type SecondOfLoad, tally } from './fired.ts'
import { LeanConnection, type LeanEvents, type LeanRequest } from './lean-connection.ts'
import type { Lean } from './lean-job.ts'

interface Due {
  readonly request: LeanRequest
  /** By performance.now(). */
  readonly dueAt: number
  readonly first: boolean
}

// A timer's own grain. Busy waiting would be finer, and would take a core from the service that is measured.
const tickMs = 1

export function shootOpen({ host, port, requests }: Lean, round: OpenRound): Promise<FiredOpen> {
  const due = dueTimes(round.curve)
  const lastDueMs = round.curve.reduce((sum, { seconds }) => sum + seconds * 1000, 0)
  const before = requests.taken()
  const acknowledged: number[] = []
  const ackMs: number[] = []
  const dueAtMs: number[] = []
  const latenessMs: number[] = []
  const refused: Record<string, number> = {}
  const seconds: { -readonly [K in keyof SecondOfLoad]: number }[] = []
  const startedAtMs = Date.now()
  const started = performance.now()
  let errors = 0
  let ended = started
  let nextDue = 0
  let open = 0

  return new Promise((resolve) => {
    const waiting = queue<Due>()
    // Every retry waits equally long, so the first of them is always the next.
    const retries = queue<{ readonly at: number; readonly again: Due }>()
    const idle: LeanConnection[] = []
    const busy = new Map<LeanConnection, Due>()

    const bin = (now: number) => {
      const at = Math.floor((now - started) / 1000)
      while (seconds.length <= at) seconds.push({ due: 0, acknowledged: 0, refused: 0, unanswered: 0 })
      return seconds[at]!
    }

    const events: LeanEvents = {
      answered(connection, request, answer) {
        ended = performance.now()
        const { dueAt } = done(connection)
        if (answer === 'acknowledged') {
          bin(ended).acknowledged += 1
          acknowledged.push(request.index)
          ackMs.push(ended - dueAt)
          dueAtMs.push(startedAtMs + (dueAt - started))
        } else {
          bin(ended).refused += 1
          tally(refused, `${answer.status} ${answer.body.slice(0, 80)}`)
          later(request, dueAt)
        }
        if (connection.open) idle.push(connection)
        else open -= 1
        sendWaiting()
      },
      broken(connection, request) {
        const now = performance.now()
        const { dueAt } = done(connection)
        errors += 1
        bin(now).unanswered += 1
        open -= 1
        later(request, dueAt)
      },
    }

    function done(connection: LeanConnection): Due {
      const of = busy.get(connection)!
      busy.delete(connection)
      return of
    }

    function later(request: LeanRequest, dueAt: number): void {
      if (round.retryAfterMs !== null)
        retries.push({ at: performance.now() + round.retryAfterMs, again: { request, dueAt, first: false } })
    }

    function free(): LeanConnection | null {
      for (;;) {
        const connection = idle.pop()
        if (connection?.open) return connection
        if (connection !== undefined) open -= 1
        else if (open >= round.connectionsMax) return null
        else {
          open += 1
          return new LeanConnection(host, port, events)
        }
      }
    }

    function sendWaiting(): void {
      while (waiting.size > 0) {
        const connection = free()
        if (connection === null) return
        const item = waiting.shift()!
        busy.set(connection, item)
        connection.send(item.request)
        if (item.first) latenessMs.push(connection.sentAtMs - item.dueAt)
      }
    }

    function tick(): void {
      const now = performance.now()
      while (nextDue < due.length && started + due[nextDue]! <= now) {
        waiting.push({ request: requests.next(), dueAt: started + due[nextDue]!, first: true })
        bin(started + due[nextDue]!).due += 1
        nextDue += 1
      }
      while (retries.size > 0 && retries.first()!.at <= now) waiting.push(retries.shift()!.again)
      // The connections that wait longest come first in the map.
      for (const [connection] of busy) {
        if (now - connection.sentAtMs < round.patienceMs) break
        connection.end()
      }
      sendWaiting()
      const arriving = nextDue < due.length
      const settled = busy.size + waiting.size + retries.size === 0
      const over = now - started > lastDueMs + round.tailSeconds * 1000
      if (arriving || !(settled || over)) setTimeout(tick, tickMs)
      else finish()
    }

    function finish(): void {
      const givenUp = due.length - acknowledged.length
      // What is still under way is heard of no more: it may be stored, and then its redelivery would be a duplicate.
      for (const connection of [...busy.keys(), ...idle]) connection.end()
      resolve({
        startedAtMs,
        endedAtMs: startedAtMs + (ended - started),
        sent: requests.taken() - before,
        madeUnderLoad: requests.madeUnderLoad(before),
        acknowledged: Uint32Array.from(acknowledged),
        ackMs: Float64Array.from(ackMs),
        refused,
        errors,
        dueAtMs: Float64Array.from(dueAtMs),
        latenessMs: Float64Array.from(latenessMs),
        seconds: seconds.slice(),
        givenUp,
      })
    }

    tick()
  })
}

/** First in, first out, without moving what lies behind. */
function queue<Item>() {
  let items: Item[] = []
  let head = 0
  return {
    get size(): number {
      return items.length - head
    },
    first: (): Item | undefined => items[head],
    push(item: Item): void {
      items.push(item)
    },
    shift(): Item | undefined {
      const item = items[head++]
      if (head > 1024 && head * 2 > items.length) {
        items = items.slice(head)
        head = 0
      }
      return item
    },
  }
}
