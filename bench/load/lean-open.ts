/**
 * Open loop: requests are due by the curve, whatever became of the earlier ones, as buyers do not wait for each other. An
 * answer's latency counts from the instant at which its request was due, so time that it waited for a connection or for
 * this process is in it: nothing is left out because it was slow. What is refused comes again, as platforms send it again.
 */
import { dueTimes } from './arrivals.ts'
import { type FiredOpen, type OpenRound, type SecondOfLoad, tally } from './fired.ts'
import { type LeanAnswer, LeanConnection, type LeanEvents, type LeanRequest } from './lean-connection.ts'
import type { Lean } from './lean-job.ts'

interface Due {
  readonly request: LeanRequest
  /** By performance.now(). */
  readonly dueAt: number
  readonly first: boolean
}

// A timer's own grain. Busy waiting would be finer, and would take a core from the service that is measured.
const tickMs = 1

export function shootOpen(lean: Lean, round: OpenRound): Promise<FiredOpen> {
  const { requests } = lean
  const before = requests.taken()
  return new Promise((resolve) => {
    const loop = new OpenLoop(lean, round, (seen) =>
      resolve({ ...seen, sent: requests.taken() - before, madeUnderLoad: requests.madeUnderLoad(before) }),
    )
    loop.tick()
  })
}

type Seen = Omit<FiredOpen, 'sent' | 'madeUnderLoad'>

class OpenLoop implements LeanEvents {
  readonly #lean: Lean
  readonly #round: OpenRound
  readonly #over: (seen: Seen) => void
  readonly #due: ReturnType<typeof dueTimes>
  readonly #lastDueMs: number
  readonly #counts: Counts
  readonly #waiting = queue<Due>()
  // Every retry waits equally long, so the first of them is always the next.
  readonly #retries = queue<{ readonly at: number; readonly again: Due }>()
  readonly #idle: LeanConnection[] = []
  readonly #busy = new Map<LeanConnection, Due>()
  #nextDue = 0
  #open = 0

  constructor(lean: Lean, round: OpenRound, over: (seen: Seen) => void) {
    this.#lean = lean
    this.#round = round
    this.#over = over
    this.#due = dueTimes(round.curve)
    this.#lastDueMs = round.curve.reduce((sum, { seconds }) => sum + seconds * 1000, 0)
    this.#counts = new Counts()
  }

  answered(connection: LeanConnection, request: LeanRequest, answer: LeanAnswer): void {
    const { dueAt } = this.#done(connection)
    if (answer === 'acknowledged') this.#counts.acknowledged(request.index, dueAt)
    else {
      this.#counts.refused(`${answer.status} ${answer.body.slice(0, 80)}`)
      this.#later(request, dueAt)
    }
    if (connection.open) this.#idle.push(connection)
    else this.#open -= 1
    this.#sendWaiting()
  }

  broken(connection: LeanConnection, request: LeanRequest): void {
    const { dueAt } = this.#done(connection)
    this.#counts.unanswered()
    this.#open -= 1
    this.#later(request, dueAt)
  }

  readonly tick = (): void => {
    const now = performance.now()
    const { started } = this.#counts
    while (this.#nextDue < this.#due.length && started + this.#due[this.#nextDue]! <= now) {
      const dueAt = started + this.#due[this.#nextDue]!
      this.#waiting.push({ request: this.#lean.requests.next(), dueAt, first: true })
      this.#counts.due(dueAt)
      this.#nextDue += 1
    }
    while (this.#retries.size > 0 && this.#retries.first()!.at <= now) this.#waiting.push(this.#retries.shift()!.again)
    // The connections that wait longest come first in the map.
    for (const [connection] of this.#busy) {
      if (now - connection.sentAtMs < this.#round.patienceMs) break
      connection.end()
    }
    this.#sendWaiting()
    const arriving = this.#nextDue < this.#due.length
    const settled = this.#busy.size + this.#waiting.size + this.#retries.size === 0
    const over = now - started > this.#lastDueMs + this.#round.tailSeconds * 1000
    if (arriving || !(settled || over)) setTimeout(this.tick, tickMs)
    else this.#finish()
  }

  #done(connection: LeanConnection): Due {
    const of = this.#busy.get(connection)!
    this.#busy.delete(connection)
    return of
  }

  #later(request: LeanRequest, dueAt: number): void {
    const { retryAfterMs } = this.#round
    if (retryAfterMs !== null)
      this.#retries.push({ at: performance.now() + retryAfterMs, again: { request, dueAt, first: false } })
  }

  #free(): LeanConnection | null {
    for (;;) {
      const connection = this.#idle.pop()
      if (connection?.open) return connection
      if (connection !== undefined) this.#open -= 1
      else if (this.#open >= this.#round.connectionsMax) return null
      else {
        this.#open += 1
        return new LeanConnection(this.#lean.host, this.#lean.port, this)
      }
    }
  }

  #sendWaiting(): void {
    while (this.#waiting.size > 0) {
      const connection = this.#free()
      if (connection === null) return
      const item = this.#waiting.shift()!
      this.#busy.set(connection, item)
      connection.send(item.request)
      if (item.first) this.#counts.late(connection.sentAtMs - item.dueAt)
    }
  }

  #finish(): void {
    // What is still under way is heard of no more: it may be stored, and then its redelivery would be a duplicate.
    const connections = [...this.#busy.keys(), ...this.#idle]
    const seen = this.#counts.seen(this.#due.length)
    for (const connection of connections) connection.end()
    this.#over(seen)
  }
}

/** What became of the requests, as it is told afterwards. */
class Counts {
  readonly started = performance.now()
  readonly #startedAtMs = Date.now()
  readonly #acknowledged: number[] = []
  readonly #ackMs: number[] = []
  readonly #dueAtMs: number[] = []
  readonly #latenessMs: number[] = []
  readonly #refused: Record<string, number> = {}
  readonly #seconds: { -readonly [K in keyof SecondOfLoad]: number }[] = []
  #errors = 0
  #ended = this.started

  acknowledged(index: number, dueAt: number): void {
    this.#ended = performance.now()
    this.#bin(this.#ended).acknowledged += 1
    this.#acknowledged.push(index)
    this.#ackMs.push(this.#ended - dueAt)
    this.#dueAtMs.push(this.#startedAtMs + (dueAt - this.started))
  }

  refused(what: string): void {
    this.#ended = performance.now()
    this.#bin(this.#ended).refused += 1
    tally(this.#refused, what)
  }

  unanswered(): void {
    this.#errors += 1
    this.#bin(performance.now()).unanswered += 1
  }

  due(at: number): void {
    this.#bin(at).due += 1
  }

  late(ms: number): void {
    this.#latenessMs.push(ms)
  }

  /** `due`: requests that the curve had. */
  seen(due: number): Seen {
    return {
      startedAtMs: this.#startedAtMs,
      endedAtMs: this.#startedAtMs + (this.#ended - this.started),
      acknowledged: Uint32Array.from(this.#acknowledged),
      ackMs: Float64Array.from(this.#ackMs),
      refused: this.#refused,
      errors: this.#errors,
      dueAtMs: Float64Array.from(this.#dueAtMs),
      latenessMs: Float64Array.from(this.#latenessMs),
      seconds: this.#seconds.slice(),
      givenUp: due - this.#acknowledged.length,
    }
  }

  #bin(now: number) {
    const at = Math.floor((now - this.started) / 1000)
    while (this.#seconds.length <= at) this.#seconds.push({ due: 0, acknowledged: 0, refused: 0, unanswered: 0 })
    return this.#seconds[at]!
  }
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
