/**
 * Where platforms push: verify over the raw bytes, make the event durable, answer in the platform's own words.
 *
 * The same signed request again (a redelivery that was not signed anew, a replay): acknowledged as the duplicate that
 * it is. Its signature with another content, or at another shop: refused like a wrong one, and counted apart.
 */
import { hash } from 'node:crypto'
import type {
  Answer,
  Channel,
  Credentials,
  Received,
  ReceivedEvent,
  RefusalCode,
  WebhookRequest,
} from '../../adapters/channels/channel.ts'
import { channels } from '../../adapters/channels/channels.ts'
import { unintelligibleEvent } from '../../adapters/channels/event.ts'
import { ReplayMemory } from '../../adapters/channels/replay-memory.ts'
import { codeAnswer, type HttpAnswer } from '../../adapters/http/answer.ts'
import type { RawRequest, RawRoute } from '../../adapters/http/route.ts'
import { isChannelName } from '../../router/types.ts'
import type { CatalogWatch } from '../catalog/catalog-watch.ts'
import type { Config } from '../process/config.ts'
import type { Log } from '../process/log.ts'
import type { Metrics } from '../process/metrics.ts'
import { sampled } from '../process/sampled-log.ts'
import { type Intake, IntakeRefused } from './intake.ts'

export interface WebhookContext {
  readonly config: Pick<Config, 'bodyBytesMax' | 'webhookToleranceSeconds'>
  readonly catalog: Pick<CatalogWatch, 'current' | 'credentials'>
  readonly intake: Pick<Intake, 'store'>
  readonly metrics: Pick<Metrics, 'webhooks' | 'ack'>
  readonly log: Log
}

export function webhookRoutes(context: WebhookContext): RawRoute[] {
  const replays = new ReplayMemory()
  const platform = {
    raw: true,
    path: '/webhooks/{channel}/{shop}',
    auth: 'webhook',
    tag: 'webhooks',
    maxBodyBytes: context.config.bodyBytesMax,
    handle: (request: RawRequest) => takeWebhook(context, replays, request),
    refuse: (code: string, params: Readonly<Record<string, string>>): HttpAnswer => refusePlatform(code, params),
  } as const
  return [
    { ...platform, method: 'GET', summary: 'The platform checks that the URL is ours.' },
    { ...platform, method: 'POST', summary: 'An event of a shop, signed as its platform signs.' },
  ]
}

/** What went wrong before the handler, in the words that the platform understands. */
function refusePlatform(code: string, params: Readonly<Record<string, string>>): HttpAnswer {
  const channel = channelOf(params)
  const known: Readonly<Record<string, RefusalCode>> = {
    body_too_large: 'body_too_large',
    method_not_allowed: 'not_supported',
    malformed_path: 'malformed',
    body_too_slow: 'try_again',
    try_again: 'try_again',
    shutting_down: 'try_again',
    internal: 'try_again',
  }
  return channel === null ? codeAnswer('not_found') : channel.refusal(known[code] ?? 'malformed')
}

function channelOf(params: Readonly<Record<string, string>>): Channel | null {
  const name = params.channel ?? ''
  return isChannelName(name) ? channels[name] : null
}

async function takeWebhook(context: WebhookContext, replays: ReplayMemory, request: RawRequest): Promise<HttpAnswer> {
  const channel = channelOf(request.params)
  if (channel === null) return codeAnswer('not_found')
  const started = performance.now()
  const { outcome, answer } = await receive(context, replays, channel, request)
  context.metrics.webhooks.inc({ channel: channel.name, outcome })
  context.metrics.ack.observe({ channel: channel.name }, (performance.now() - started) / 1000)
  return answer
}

async function receive(
  { config, catalog, intake, log }: WebhookContext,
  replays: ReplayMemory,
  channel: Channel,
  request: RawRequest,
): Promise<{ outcome: string; answer: Answer }> {
  const refused = (code: RefusalCode) => ({ outcome: code, answer: channel.refusal(code) })
  const shop = catalog.current.shop(channel.name, request.params.shop ?? '')
  if (shop === undefined) return refused('unknown_shop')
  if (request.method !== 'GET' && request.method !== 'POST') return refused('not_supported')
  const nowMs = Date.now()
  const credentials = catalog.credentials(channel.name, shop.shop, nowMs)
  // No signature can be told right from wrong: the platform shall keep its event until the credentials are put again.
  if (credentials.length === 0) return { outcome: 'credentials_unreadable', answer: channel.refusal('try_again') }
  const { method, query, contentType, body } = request
  const toleranceMs = config.webhookToleranceSeconds === null ? undefined : config.webhookToleranceSeconds * 1000
  const received = verify(channel, { method, query, contentType, body }, credentials, nowMs, toleranceMs)
  switch (received.outcome) {
    case 'echo':
      return { outcome: 'echo', answer: { status: 200, contentType: 'text/plain;charset=utf-8', body: received.body } }
    case 'ignored':
      return { outcome: 'ignored', answer: channel.acknowledgement }
    case 'refused':
      return refused(received.code)
    case 'event': {
      const bodyHash = hash('sha256', received.payload)
      const place = `${channel.name}/${shop.shop}`
      if (received.signature !== undefined && replays.note(received.signature, place, bodyHash) === 'other_content') {
        sampled(log).warn({ channel: channel.name, shop: shop.shop }, 'a known signature came with another content')
        return { outcome: 'replayed_signature', answer: channel.refusal('bad_signature') }
      }
      try {
        const { eventId, orderId, kind, occurredAt } = storable(received)
        const event = { channel: channel.name, shop: shop.shop, eventId, orderId, kind, occurredAt }
        const stored = await intake.store({ ...event, body: received.payload, bodyHash })
        return { outcome: stored.outcome, answer: channel.acknowledgement }
      } catch (error) {
        if (!(error instanceof IntakeRefused)) throw error
        const fields = { channel: channel.name, shop: shop.shop, reason: error.message }
        sampled(log).warn(fields, 'webhook refused: try again', error.message)
        return refused('try_again')
      }
    }
  }
}

/** With each of the credentials in force, the current ones first; a refusal is the one that says most. */
function verify(
  channel: Channel,
  request: WebhookRequest,
  credentials: readonly Credentials[],
  nowMs: number,
  toleranceMs: number | undefined,
): Received {
  let refusal: Received = { outcome: 'refused', code: 'bad_signature' }
  for (const one of credentials) {
    const received = channel.receive(request, one, nowMs, toleranceMs)
    if (received.outcome !== 'refused') return received
    if (refusal.outcome === 'refused' && refusal.code === 'bad_signature') refusal = received
  }
  return refusal
}

// A key of ours is text in Postgres: it takes no NUL and no half of a surrogate pair, and keys stay short.
const storableId = /^[^\p{Cc}\p{Cs}]*$/u
const idBytesMax = 200

function storable(event: ReceivedEvent): ReceivedEvent {
  const fine = [event.eventId, event.orderId].every((id) => storableId.test(id) && Buffer.byteLength(id) <= idBytesMax)
  return fine ? event : unintelligibleEvent(event.payload)
}
