/**
 * Orders that a platform only notified of: fetched from the shop's API, stored in the inbox as an event of their own,
 * which in the same commit answers all notifications that led to it. Until then the notifications stay pending.
 *
 * A fetch has a number, given before it asks: its newest notification's, or a new one of the same sequence when the
 * notifications were read back, since an answer to them may be stored already. What is fetched for the last
 * notification was asked for after all that happened, and so was whatever has a higher number: the highest one holds
 * what is true in the end, whichever process fetched it and whenever it was stored.
 */

import { setMaxListeners } from 'node:events'
import type { FetchedOrders } from '../../adapters/channels/channel.ts'
import { channels } from '../../adapters/channels/channels.ts'
import type { OrderApis } from '../../adapters/channels/order-apis.ts'
import { OutboundError } from '../../adapters/channels/outbound/errors.ts'
import { refOf } from '../../adapters/store/exception-refs.ts'
import type { ExceptionStore, InboxStore } from '../../adapters/store/order-store.ts'
import { keyOf } from '../../adapters/store/orders/load.ts'
import { isChannelName } from '../../router/types.ts'
import type { CatalogWatch } from '../catalog/catalog-watch.ts'
import { type Intake, IntakeRefused } from '../intake/intake.ts'
import { type Clock, sleep } from '../process/clock.ts'
import { codeOf } from '../process/error-code.ts'
import type { Log } from '../process/log.ts'
import type { Metrics } from '../process/metrics.ts'
import { sampled } from '../process/sampled-log.ts'
import { doubtsOf, nothingDoubted } from './doubts.ts'

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
  /** What asks each platform for one order. */
  readonly apis: OrderApis
  readonly log: Log
  readonly catalog: Pick<CatalogWatch, 'current' | 'credentials'>
  readonly intake: Pick<Intake, 'storeOwn'>
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'fetches'>
}

interface Job {
  readonly notifications: Notification[]
  /** Notifications that came while the fetch was under way: what it brings may be older than they are. */
  late: Notification[]
}

/** Notifications in memory at most; the rest waits in `pending` and is read back. */
const notificationsMax = 30_000
/** Orders that are being asked for at once; each shop's own limit is the client's. */
const jobsMax = 64
/**
 * The platform told of something that its answer does not show yet: asked again this often at once, then by
 * ./doubts.ts.
 */
const staleAttemptsMax = 3
const staleDelayMs = 400
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
    await this.#context.apis.close()
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
    const { store, apis, catalog, intake, clock, metrics } = this.#context
    const { channel, shop: shopName, orderId } = job.notifications[0]!
    const shop = catalog.current.shop(channel, shopName)
    const [api, naming] = [apis.of(channel), fetchedOrdersOf(channel)]
    if (shop === undefined || api === null || naming === null) throw new FetchError('shop_without_api')
    // The platform knows one secret only, the newest.
    const [credentials] = catalog.credentials(channel, shopName, clock.now())
    if (credentials === undefined) throw new FetchError('credentials_unreadable')
    const newest = job.notifications.reduce((most, { seq }) => (BigInt(seq) > BigInt(most) ? seq : most), '0')
    const isReadBack = job.notifications.some((h) => h.readBack === true)
    const number = isReadBack ? await store.nextNumber() : newest
    for (let attempt = 1; ; attempt++) {
      const asked = { shop: shopName, apiBaseUrl: shop.apiBaseUrl ?? api.baseUrl, credentials }
      const fetched = await api.getOrder(asked, orderId, this.#abort.signal)
      if (fetched.outcome === 'not_found') throw new FetchError('order_not_found')
      const event = naming.eventOf(fetched.body, number)
      const doubts =
        event.kind === 'order' ? doubtsOf(job.notifications, event.occurredAt, clock.now()) : nothingDoubted
      const isOld = doubts.seqs.size > 0
      if (isOld) metrics.fetches.inc({ outcome: 'older_than_notification' })
      // An unreadable answer may have been cut off on its way; one that stays so is kept for a person.
      if (attempt < staleAttemptsMax && (isOld ? !isReadBack : event.kind !== 'order')) {
        if (!isOld) metrics.fetches.inc({ outcome: 'unreadable' })
        await sleep(clock, staleDelayMs * attempt)
        continue
      }
      if (event.kind === 'order' && event.orderId !== orderId) throw new FetchError('other_order')
      const { kind, occurredAt, payload } = event
      // An unreadable one is named by its bytes alone, and may have been given for other orders too.
      const eventId = kind === 'order' ? event.eventId : `${event.eventId}:${orderId}`
      const named = { channel, shop: shopName, eventId, occurredAt }
      if (isReadBack && kind === 'order') {
        // Nothing new since an earlier fetch for them: it is not kept a second time.
        const earlier = { ...named, eventId: naming.eventOf(fetched.body, newest).eventId }
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
      error instanceof FetchError || error instanceof OutboundError
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
            ref: refOf(channel, shop, orderId),
            detail: { channel, shop, orderId, code, attempts },
          },
        ])
      }
    } catch (failure) {
      sampled(log).warn({ code: codeOf(failure) }, 'a notification could not be put aside')
    }
  }
}

function fetchedOrdersOf(channel: string): FetchedOrders | null {
  return isChannelName(channel) ? (channels[channel].fetch ?? null) : null
}

/** When a notification as it is stored happened by the platform's clock; 0 when the platform does not say. */
export function notifiedAt({ channel, body }: { readonly channel: string; readonly body: Uint8Array }): number {
  return fetchedOrdersOf(channel)?.notifiedAt(body) ?? 0
}

export class FetchError extends Error {
  readonly code: 'shop_without_api' | 'credentials_unreadable' | 'order_not_found' | 'other_order'
  constructor(code: FetchError['code']) {
    super(code)
    this.code = code
  }
}
