/**
 * What processes tell each other of availability: figures that Redis answered to one of them, on a channel of the same
 * Redis. Nothing depends on it: a message that is lost, late or out of turn leaves an older figure. Redis refuses a
 * plan made with an older figure, and its refusal carries the right one. So messages are neither kept nor acknowledged,
 * and a large one is cut.
 *
 * A process that is alone does not publish. Redis counts who hears a message; while that is only the process itself, one
 * message a second asks whether another process has come.
 */
import { Redis } from 'ioredis'
import type { StockOptions } from './client.ts'
import type { SkuAtp } from './counters.ts'

export interface NodeFigures {
  readonly node: string
  readonly rows: readonly SkuAtp[]
}

/** Of one message: some 60 KB. A batch of orders has a few hundred. */
const figuresMax = 2_000
const askEveryMs = 1_000
const reconnectMsMax = 1_000

function channelOf(keyPrefix: string | undefined): string {
  return `${keyPrefix ?? 'pd:'}figures`
}

/** Tells the other processes, over a connection that is there anyway. */
export class FiguresTeller {
  readonly #redis: Redis
  readonly #channel: string
  #othersHear = false
  #askAtMs = 0

  constructor(redis: Redis, keyPrefix: string) {
    this.#redis = redis
    this.#channel = channelOf(keyPrefix)
  }

  /** `owner` is the process' own name. Never throws, and its caller does not wait for it. */
  tell(owner: string, figures: readonly NodeFigures[]): void {
    if (figures.length === 0) return
    const nowMs = performance.now()
    if (!this.#othersHear && nowMs < this.#askAtMs) return
    this.#askAtMs = nowMs + askEveryMs
    this.#redis
      .publish(this.#channel, messageOf(owner, figures))
      .then((heardBy) => {
        // The process itself listens, too.
        this.#othersHear = heardBy > 1
      })
      .catch(() => {
        this.#othersHear = false
      })
  }
}

/** [owner, [node, SKU, atp, SKU, atp, …], …] */
function messageOf(owner: string, figures: readonly NodeFigures[]): string {
  const parts: (string | number)[][] = []
  let left = figuresMax
  for (const { node, rows } of figures) {
    if (left <= 0) break
    const part: (string | number)[] = [node]
    for (const { sku, atp } of rows.slice(0, left)) part.push(sku, atp)
    left -= rows.length
    parts.push(part)
  }
  return JSON.stringify([owner, ...parts])
}

/** Hears the other processes, on a connection of its own that is opened again by itself. */
export class FiguresFeed {
  readonly #redis: Redis
  readonly #channel: string
  readonly #owner: string
  readonly #onFigures: (node: string, rows: readonly SkuAtp[]) => void

  constructor(options: StockOptions, owner: string, onFigures: (node: string, rows: readonly SkuAtp[]) => void) {
    this.#owner = owner
    this.#onFigures = onFigures
    this.#channel = channelOf(options.keyPrefix)
    this.#redis = new Redis(options.redis, {
      lazyConnect: true,
      // Subscriptions are made again after every connect.
      autoResubscribe: true,
      retryStrategy: (times) => Math.min(20 * 2 ** Math.min(times, 10), reconnectMsMax),
    })
    this.#redis.on('error', options.onError ?? (() => {}))
    this.#redis.on('message', (_channel: string, message: string) => this.#hear(message))
  }

  /** Returns when it listens, or when the first try failed: then it goes on trying. */
  async open(): Promise<void> {
    await this.#redis.subscribe(this.#channel).catch(() => undefined)
  }

  close(): void {
    this.#redis.disconnect()
  }

  #hear(message: string): void {
    let parts: unknown
    try {
      parts = JSON.parse(message)
    } catch {
      return
    }
    if (!Array.isArray(parts) || parts[0] === this.#owner) return
    for (const part of parts.slice(1) as unknown[]) {
      if (!Array.isArray(part) || typeof part[0] !== 'string') continue
      const rows: SkuAtp[] = []
      for (let at = 1; at + 1 < part.length; at += 2) {
        const [sku, atp] = [part[at] as unknown, part[at + 1] as unknown]
        if (typeof sku === 'string' && Number.isSafeInteger(atp)) rows.push({ sku, atp: atp as number })
      }
      this.#onFigures(part[0], rows)
    }
  }
}
