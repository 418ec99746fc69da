/**
 * Orders that a platform only hinted at: pulled from the shop's API, stored in the inbox as an event of their own, which in
 * the same commit answers all hints that led to it. Until then the hints stay pending.
 *
 * A pull has a number, given before it asks: its newest hint's, or a new one of the same sequence when the hints were read
 * back, since an answer to them may be stored already. What is pulled for the last hint was asked for after all that
 * happened, and so was whatever has a higher number: the highest one holds what is true in the end, whichever process
 * pulled it and whenever it was stored.
 */
import { setMaxListeners } from 'node:events'
import { pulledOrderEvent } from '../adapters/channels/wechat.ts'
import { WechatApi } from '../adapters/channels/wechat-api.ts'
import { WechatApiError } from '../adapters/channels/wechat-api-error.ts'
import type { Sql } from '../adapters/store/connect.ts'
import { raise } from '../adapters/store/exceptions.ts'
import { doubt, isStored, nextNumber, postpone } from '../adapters/store/intake.ts'
import { keyOf } from '../adapters/store/load.ts'
import type { CatalogWatch } from './catalog-watch.ts'
import { codeOf } from './error-code.ts'
import { type Intake, IntakeRefused } from './intake.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { sampled } from './sampled-log.ts'

export interface Hint {
  readonly seq: string
  readonly channel: string
  readonly shop: string
  readonly orderId: string
  /** When it happened by the platform's clock; 0 when it does not say. */
  readonly occurredAt: number
  readonly storedAtMs: number
  readonly attempts: number
  /** From `pending`: another pull for it may have been under way. */
  readonly readBack?: true
}

export interface PullerContext {
  readonly sql: Sql
  readonly log: Log
  readonly catalog: CatalogWatch
  readonly intake: Intake
  readonly metrics: Metrics
}

interface Job {
  readonly hints: Hint[]
  /** Hints that came while the pull was under way: what it brings may be older than they are. */
  late: Hint[]
}

/** Hints in memory at most; the rest waits in `pending` and is read back. */
const hintsMax = 30_000
/** Orders that are being asked for at once; each shop's own limit is the client's. */
const jobsMax = 64
/** The platform told of something that its own answer does not show yet: asked again so often at once, */
const staleAttemptsMax = 3
const staleDelayMs = 400
/** and then when the hint is so old, before the answer is believed: a copy that lags catches up meanwhile. */
const doubtedAtMs = [10_000, 60_000, 600_000]
/**
 * So little later than the answer a push may be stamped that tells of the very same change: asked for once more only. The
 * platform does not say which of its clocks is read first, and each order in its limits would cost three pulls more.
 */
const stampMs = 3_000
/** Then a person is told; it is tried on. */
const attemptsBeforeException = 3
const postponeMs = 2_000
const postponeMsMax = 10 * 60_000

export class Puller {
  readonly #service: PullerContext
  readonly #api = new WechatApi()
  readonly #jobs = new Map<string, Job>()
  readonly #known = new Set<string>()
  readonly #abort = new AbortController()
  #queue: string[] = []
  #running = 0

  constructor(service: PullerContext) {
    this.#service = service
    // Each call listens for the end of all.
    setMaxListeners(0, this.#abort.signal)
  }

  get size(): number {
    return this.#known.size
  }

  knows(seq: string): boolean {
    return this.#known.has(seq)
  }

  push(hints: readonly Hint[]): void {
    if (this.#abort.signal.aborted) return
    for (const { seq, channel, shop, orderId, occurredAt, storedAtMs, attempts, readBack } of hints) {
      if (this.#known.size >= hintsMax || this.#known.has(seq)) continue
      this.#known.add(seq)
      // Nothing else of it is kept: a stored event has a body.
      const hint = {
        ...{ seq, channel, shop, orderId, occurredAt, storedAtMs, attempts },
        ...(readBack && { readBack }),
      }
      const key = keyOf(hint)
      const job = this.#jobs.get(key)
      if (job === undefined) {
        this.#jobs.set(key, { hints: [hint], late: [] })
        this.#queue.push(key)
      } else job.late.push(hint)
    }
    this.#pump()
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    this.#queue = []
    while (this.#running > 0) await new Promise((resolve) => setTimeout(resolve, 10))
    await this.#api.close()
  }

  #pump(): void {
    while (this.#running < jobsMax && this.#queue.length > 0) {
      const key = this.#queue.shift()!
      this.#running += 1
      void this.#work(key).finally(() => {
        this.#running -= 1
        this.#pump()
      })
    }
  }

  async #work(key: string): Promise<void> {
    const job = this.#jobs.get(key)!
    // What waited in the queue is answered by this pull too.
    job.hints.push(...job.late)
    job.late = []
    try {
      await this.#pull(job)
    } catch (error) {
      await this.#putAside(job, error)
    }
    for (const { seq } of job.hints) this.#known.delete(seq)
    this.#jobs.delete(key)
    if (job.late.length > 0) {
      for (const { seq } of job.late) this.#known.delete(seq)
      this.push(job.late)
    }
  }

  async #pull(job: Job): Promise<void> {
    const { sql, catalog, intake, metrics } = this.#service
    const { channel, shop: shopName, orderId } = job.hints[0]!
    const shop = catalog.catalogue.shop(channel, shopName)
    if (shop?.apiBaseUrl == null) throw new PullError('shop_without_api')
    // The platform knows one secret only, the newest.
    const [credentials] = catalog.credentials(channel, shopName, Date.now())
    if (credentials === undefined) throw new PullError('credentials_unreadable')
    const { appId = '', appSecret = '' } = credentials
    const newest = job.hints.reduce((most, { seq }) => (BigInt(seq) > BigInt(most) ? seq : most), '0')
    const isReadBack = job.hints.some((h) => h.readBack === true)
    const number = isReadBack ? await nextNumber(sql) : newest
    for (let attempt = 1; ; attempt++) {
      const pulled = await this.#api.getOrder(
        { shop: shopName, apiBaseUrl: shop.apiBaseUrl, appId, appSecret },
        orderId,
        this.#abort.signal,
      )
      if (pulled.outcome === 'not_found') throw new PullError('order_not_found')
      const event = pulledOrderEvent(pulled.body, number)
      const doubts = event.kind === 'order' ? doubtsOf(job.hints, event.occurredAt, Date.now()) : nothingDoubted
      const isOld = doubts.seqs.size > 0
      if (isOld) metrics.pulls.inc({ outcome: 'older_than_hint' })
      // An answer that nobody can read may have been cut off on its way; one that stays so is kept for a person.
      if (attempt < staleAttemptsMax && (isOld ? !isReadBack : event.kind !== 'order')) {
        if (!isOld) metrics.pulls.inc({ outcome: 'unreadable' })
        await new Promise((resolve) => setTimeout(resolve, staleDelayMs * attempt))
        continue
      }
      if (event.kind === 'order' && event.orderId !== orderId) throw new PullError('other_order')
      const { kind, occurredAt, payload } = event
      // One that nobody can read is named by its bytes alone, and may have been given for other orders too.
      const eventId = kind === 'order' ? event.eventId : `${event.eventId}:${orderId}`
      const named = { channel, shop: shopName, eventId, occurredAt }
      if (isReadBack && kind === 'order') {
        // Nothing new since an earlier pull for them: it is not kept a second time.
        const earlier = { ...named, eventId: pulledOrderEvent(pulled.body, newest).eventId }
        if (await isStored(sql, earlier)) named.eventId = earlier.eventId
      }
      const answers = job.hints.map((h) => h.seq).filter((seq) => !doubts.seqs.has(seq))
      await intake.storeOwn({ ...named, orderId, kind, body: payload, answers })
      if (isOld) await doubt(sql, [...doubts.seqs], doubts.delayMs)
      metrics.pulls.inc({ outcome: 'pulled' })
      return
    }
  }

  async #putAside(job: Job, error: unknown): Promise<void> {
    const { sql, log, metrics } = this.#service
    if (this.#abort.signal.aborted) return
    const code =
      error instanceof PullError || error instanceof WechatApiError
        ? error.code
        : ((error as { code?: string }).code ?? 'unknown')
    metrics.pulls.inc({ outcome: code })
    const { channel, shop, orderId } = job.hints[0]!
    sampled(log).warn({ channel, shop, orderId, code }, 'order not pulled', code)
    const attempts = Math.max(...job.hints.map((h) => h.attempts)) + 1
    const delay = Math.min(postponeMs * 2 ** Math.min(attempts - 1, 20), postponeMsMax)
    try {
      await postpone(
        sql,
        job.hints.map((h) => h.seq),
        delay,
        code,
      )
      if (attempts >= attemptsBeforeException && !(error instanceof IntakeRefused)) {
        await raise(sql, [
          {
            kind: 'order_not_pulled',
            ref: `${channel}/${shop}/${orderId}`,
            detail: { channel, shop, orderId, code, attempts },
          },
        ])
      }
    } catch (failure) {
      sampled(log).warn({ code: codeOf(failure) }, 'a hint could not be put aside')
    }
  }
}

interface Doubts {
  readonly seqs: ReadonlySet<string>
  /** Until the first of them is to be asked for again. */
  readonly delayMs: number
}

const nothingDoubted: Doubts = { seqs: new Set(), delayMs: 0 }

/** Hints that tell of something later than the answer is, and are not old enough for it to be believed. */
function doubtsOf(hints: readonly Hint[], answeredAt: number, nowMs: number): Doubts {
  const seqs = new Set<string>()
  let delayMs = Number.POSITIVE_INFINITY
  for (const { seq, occurredAt, storedAtMs } of hints) {
    const ageMs = nowMs - storedAtMs
    const times = occurredAt - answeredAt <= stampMs ? doubtedAtMs.slice(0, 1) : doubtedAtMs
    const nextMs = times.find((ms) => ms > ageMs)
    if (occurredAt <= answeredAt || nextMs === undefined) continue
    seqs.add(seq)
    delayMs = Math.min(delayMs, Math.ceil(nextMs - ageMs))
  }
  return { seqs, delayMs: Math.min(delayMs, doubtedAtMs.at(-1)!) }
}

export class PullError extends Error {
  readonly code: 'shop_without_api' | 'credentials_unreadable' | 'order_not_found' | 'other_order'
  constructor(code: PullError['code']) {
    super(code)
    this.code = code
  }
}
