/**
 * Orders that a platform only notified of: fetched from the shop's API, stored in the inbox as an event of their own, which in
 * the same commit answers all notifications that led to it. Until then the notifications stay pending.
 *
 * A fetch has a number, given before it asks: its newest notification's, or a new one of the same sequence when the notifications were read
 * back, since an answer to them may be stored already. What is fetched for the last notification was asked for after all that
 * happened, and so was whatever has a higher number: the highest one holds what is true in the end, whichever process
 * fetched it and whenever it was stored.
 */
import { setMaxListeners } from 'node:events'
import { WechatApiError } from '../../adapters/channels/outbound/errors.ts'
import type { WechatApi } from '../../adapters/channels/wechat/api.ts'
import { fetchedOrderEvent } from '../../adapters/channels/wechat/channel.ts'
import type { ExceptionStore, InboxStore } from '../../adapters/store/order-store.ts'
import { keyOf } from '../../adapters/store/orders/load.ts'
import type { CatalogWatch } from '../catalog/catalog-watch.ts'
import { type Intake, IntakeRefused } from '../intake/intake.ts'
import { type Clock, sleep } from '../process/clock.ts'
import { codeOf } from '../process/error-code.ts'
import type { Log } from '../process/log.ts'
import type { Metrics } from '../process/metrics.ts'
import { sampled } from '../process/sampled-log.ts'

export interface Notification {
  readonly seq: string
  readonly channel: string
  readonly shop: string
  readonly orderId: string
  /** When it happened by the platform's clock; 0 when it does not say. */
  readonly occurredAt: number
  readonly storedAtMs: number
  readonly attempts: number
  /** From `pending`: another fetch for it may have been under way. */
  readonly readBack?: true
}

export interface FetcherContext {
  readonly store: Pick<InboxStore, 'nextNumber' | 'isStored' | 'postpone' | 'doubt'> & Pick<ExceptionStore, 'raise'>
  readonly api: OrderApi
  readonly log: Log
  readonly catalog: Pick<CatalogWatch, 'current' | 'credentials'>
  readonly intake: Pick<Intake, 'storeOwn'>
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'fetches'>
}

/** What asks a platform for one order: its client, which keeps its limits. */
export type OrderApi = Pick<WechatApi, 'getOrder' | 'close'>

interface Job {
  readonly notifications: Notification[]
  /** Notifications that came while the fetch was under way: what it brings may be older than they are. */
  late: Notification[]
}

/** Notifications in memory at most; the rest waits in `pending` and is read back. */
const notificationsMax = 30_000
/** Orders that are being asked for at once; each shop's own limit is the client's. */
const jobsMax = 64
/** The platform told of something that its own answer does not show yet: asked again so often at once, */
const staleAttemptsMax = 3
const staleDelayMs = 400
/** and then when the notification is so old, before the answer is believed: a copy that lags catches up meanwhile. */
const doubtedAtMs = [10_000, 60_000, 600_000]
/**
 * So little later than the answer a push may be stamped that tells of the very same change: asked for once more only. The
 * platform does not say which of its clocks is read first, and each order in its limits would cost three fetches more.
 */
const stampMs = 3_000
/** Then a person is told; it is tried on. */
const attemptsBeforeException = 3
const postponeMs = 2_000
const postponeMsMax = 10 * 60_000

export class OrderFetcher {
  readonly #context: FetcherContext
  readonly #jobs = new Map<string, Job>()
  readonly #known = new Set<string>()
  readonly #abort = new AbortController()
  #queue: string[] = []
  #running = 0

  constructor(context: FetcherContext) {
    this.#context = context
    // Each call listens for the end of all.
    setMaxListeners(0, this.#abort.signal)
  }

  get size(): number {
    return this.#known.size
  }

  knows(seq: string): boolean {
    return this.#known.has(seq)
  }

  push(notifications: readonly Notification[]): void {
    if (this.#abort.signal.aborted) return
    for (const { seq, channel, shop, orderId, occurredAt, storedAtMs, attempts, readBack } of notifications) {
      if (this.#known.size >= notificationsMax || this.#known.has(seq)) continue
      this.#known.add(seq)
      // Nothing else of it is kept: a stored event has a body.
      const notification = {
        ...{ seq, channel, shop, orderId, occurredAt, storedAtMs, attempts },
        ...(readBack && { readBack }),
      }
      const key = keyOf(notification)
      const job = this.#jobs.get(key)
      if (job === undefined) {
        this.#jobs.set(key, { notifications: [notification], late: [] })
        this.#queue.push(key)
      } else job.late.push(notification)
    }
    this.#pump()
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    this.#queue = []
    while (this.#running > 0) await sleep(this.#context.clock, 10)
    await this.#context.api.close()
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
    // What waited in the queue is answered by this fetch too.
    job.notifications.push(...job.late)
    job.late = []
    try {
      await this.#fetch(job)
    } catch (error) {
      await this.#putAside(job, error)
    }
    for (const { seq } of job.notifications) this.#known.delete(seq)
    this.#jobs.delete(key)
    if (job.late.length > 0) {
      for (const { seq } of job.late) this.#known.delete(seq)
      this.push(job.late)
    }
  }

  async #fetch(job: Job): Promise<void> {
    const { store, api, catalog, intake, clock, metrics } = this.#context
    const { channel, shop: shopName, orderId } = job.notifications[0]!
    const shop = catalog.current.shop(channel, shopName)
    if (shop?.apiBaseUrl == null) throw new FetchError('shop_without_api')
    // The platform knows one secret only, the newest.
    const [credentials] = catalog.credentials(channel, shopName, clock.now())
    if (credentials === undefined) throw new FetchError('credentials_unreadable')
    const { appId = '', appSecret = '' } = credentials
    const newest = job.notifications.reduce((most, { seq }) => (BigInt(seq) > BigInt(most) ? seq : most), '0')
    const isReadBack = job.notifications.some((h) => h.readBack === true)
    const number = isReadBack ? await store.nextNumber() : newest
    for (let attempt = 1; ; attempt++) {
      const fetched = await api.getOrder(
        { shop: shopName, apiBaseUrl: shop.apiBaseUrl, appId, appSecret },
        orderId,
        this.#abort.signal,
      )
      if (fetched.outcome === 'not_found') throw new FetchError('order_not_found')
      const event = fetchedOrderEvent(fetched.body, number)
      const doubts =
        event.kind === 'order' ? doubtsOf(job.notifications, event.occurredAt, clock.now()) : nothingDoubted
      const isOld = doubts.seqs.size > 0
      if (isOld) metrics.fetches.inc({ outcome: 'older_than_notification' })
      // An answer that nobody can read may have been cut off on its way; one that stays so is kept for a person.
      if (attempt < staleAttemptsMax && (isOld ? !isReadBack : event.kind !== 'order')) {
        if (!isOld) metrics.fetches.inc({ outcome: 'unreadable' })
        await sleep(clock, staleDelayMs * attempt)
        continue
      }
      if (event.kind === 'order' && event.orderId !== orderId) throw new FetchError('other_order')
      const { kind, occurredAt, payload } = event
      // One that nobody can read is named by its bytes alone, and may have been given for other orders too.
      const eventId = kind === 'order' ? event.eventId : `${event.eventId}:${orderId}`
      const named = { channel, shop: shopName, eventId, occurredAt }
      if (isReadBack && kind === 'order') {
        // Nothing new since an earlier fetch for them: it is not kept a second time.
        const earlier = { ...named, eventId: fetchedOrderEvent(fetched.body, newest).eventId }
        if (await store.isStored(earlier)) named.eventId = earlier.eventId
      }
      const answers = job.notifications.map((h) => h.seq).filter((seq) => !doubts.seqs.has(seq))
      await intake.storeOwn({ ...named, orderId, kind, body: payload, answers })
      if (isOld) await store.doubt([...doubts.seqs], doubts.delayMs)
      metrics.fetches.inc({ outcome: 'fetched' })
      return
    }
  }

  async #putAside(job: Job, error: unknown): Promise<void> {
    const { store, log, metrics } = this.#context
    if (this.#abort.signal.aborted) return
    const code =
      error instanceof FetchError || error instanceof WechatApiError
        ? error.code
        : ((error as { code?: string }).code ?? 'unknown')
    metrics.fetches.inc({ outcome: code })
    const { channel, shop, orderId } = job.notifications[0]!
    sampled(log).warn({ channel, shop, orderId, code }, 'order not fetched', code)
    const attempts = Math.max(...job.notifications.map((h) => h.attempts)) + 1
    const delay = Math.min(postponeMs * 2 ** Math.min(attempts - 1, 20), postponeMsMax)
    try {
      await store.postpone(
        job.notifications.map((h) => h.seq),
        delay,
        code,
      )
      if (attempts >= attemptsBeforeException && !(error instanceof IntakeRefused)) {
        await store.raise([
          {
            kind: 'order_not_fetched',
            ref: `${channel}/${shop}/${orderId}`,
            detail: { channel, shop, orderId, code, attempts },
          },
        ])
      }
    } catch (failure) {
      sampled(log).warn({ code: codeOf(failure) }, 'a notification could not be put aside')
    }
  }
}

interface Doubts {
  readonly seqs: ReadonlySet<string>
  /** Until the first of them is to be asked for again. */
  readonly delayMs: number
}

const nothingDoubted: Doubts = { seqs: new Set(), delayMs: 0 }

/** Notifications that tell of something later than the answer is, and are not old enough for it to be believed. */
function doubtsOf(notifications: readonly Notification[], answeredAt: number, nowMs: number): Doubts {
  const seqs = new Set<string>()
  let delayMs = Number.POSITIVE_INFINITY
  for (const { seq, occurredAt, storedAtMs } of notifications) {
    const ageMs = nowMs - storedAtMs
    const times = occurredAt - answeredAt <= stampMs ? doubtedAtMs.slice(0, 1) : doubtedAtMs
    const nextMs = times.find((ms) => ms > ageMs)
    if (occurredAt <= answeredAt || nextMs === undefined) continue
    seqs.add(seq)
    delayMs = Math.min(delayMs, Math.ceil(nextMs - ageMs))
  }
  return { seqs, delayMs: Math.min(delayMs, doubtedAtMs.at(-1)!) }
}

export class FetchError extends Error {
  readonly code: 'shop_without_api' | 'credentials_unreadable' | 'order_not_found' | 'other_order'
  constructor(code: FetchError['code']) {
    super(code)
    this.code = code
  }
}
