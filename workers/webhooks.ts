/** The platforms' doors: verify over the raw bytes, make the event durable, answer in the platform's own words. */
import { kuaidi100Acknowledgement, kuaidi100Refusal, receiveKuaidi100 } from '../adapters/carriers/kuaidi100.ts'
import type { Answer, Channel, ReceivedEvent, RefusalCode } from '../adapters/channels/channel.ts'
import { channels } from '../adapters/channels/channels.ts'
import { unintelligibleEvent } from '../adapters/channels/event.ts'
import { codeAnswer, type HttpAnswer } from '../adapters/http/answer.ts'
import type { RawRequest, RawRoute } from '../adapters/http/route.ts'
import { carrierCredentials } from '../adapters/store/catalog.ts'
import { raise } from '../adapters/store/exceptions.ts'
import { recordTrack } from '../adapters/store/tracks.ts'
import { isChannelName } from '../router/types.ts'
import type { Service } from './context.ts'
import { IntakeRefused } from './intake.ts'

export function webhookRoutes(service: Service): RawRoute[] {
  const platform = {
    raw: true,
    path: '/webhooks/{channel}/{shop}',
    auth: 'webhook',
    tag: 'webhooks',
    maxBodyBytes: service.config.bodyBytesMax,
    handle: (request: RawRequest) => takeWebhook(service, request),
    refuse: (code: string, params: Readonly<Record<string, string>>): HttpAnswer => refusePlatform(code, params),
  } as const
  return [
    { ...platform, method: 'GET', summary: 'The platform checks that the URL is ours.' },
    { ...platform, method: 'POST', summary: 'An event of a shop, signed as its platform signs.' },
    {
      raw: true,
      method: 'POST',
      path: '/webhooks/carriers/kuaidi100/{account}',
      auth: 'webhook',
      tag: 'webhooks',
      summary: 'Tracks of parcels, signed with the salt of the account.',
      maxBodyBytes: service.config.bodyBytesMax,
      handle: (request) => takeTrack(service, request),
    },
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

async function takeWebhook(service: Service, request: RawRequest): Promise<HttpAnswer> {
  const channel = channelOf(request.params)
  if (channel === null) return codeAnswer('not_found')
  const started = performance.now()
  const { outcome, answer } = await receive(service, channel, request)
  service.metrics.webhooks.inc({ channel: channel.name, outcome })
  service.metrics.ack.observe({ channel: channel.name }, (performance.now() - started) / 1000)
  return answer
}

async function receive(
  { config, catalog, intake, log }: Service,
  channel: Channel,
  request: RawRequest,
): Promise<{ outcome: string; answer: Answer }> {
  const refused = (code: RefusalCode) => ({ outcome: code, answer: channel.refusal(code) })
  const shop = catalog.catalogue.shop(channel.name, request.params.shop ?? '')
  if (shop === undefined) return refused('unknown_shop')
  if (request.method !== 'GET' && request.method !== 'POST') return refused('not_supported')
  const tolerance = config.webhookToleranceSeconds === null ? undefined : config.webhookToleranceSeconds * 1000
  const { method, query, contentType, body } = request
  const received = channel.receive({ method, query, contentType, body }, shop.credentials, Date.now(), tolerance)
  switch (received.outcome) {
    case 'echo':
      return { outcome: 'echo', answer: { status: 200, contentType: 'text/plain;charset=utf-8', body: received.body } }
    case 'ignored':
      return { outcome: 'ignored', answer: channel.acknowledgement }
    case 'refused':
      return refused(received.code)
    case 'event': {
      try {
        const event = storable(received)
        const stored = await intake.store({ channel: channel.name, shop: shop.shop, ...event, body: event.payload })
        return { outcome: stored.outcome, answer: channel.acknowledgement }
      } catch (error) {
        if (!(error instanceof IntakeRefused)) throw error
        log.warn({ channel: channel.name, shop: shop.shop, reason: error.message }, 'webhook refused: try again')
        return refused('try_again')
      }
    }
  }
}

// A key of ours is text in Postgres: it takes no NUL and no half of a surrogate pair, and keys stay short.
const storableId = /^[^\p{Cc}\p{Cs}]*$/u
const idBytesMax = 200

function storable(event: ReceivedEvent): ReceivedEvent {
  const fine = [event.eventId, event.orderId].every((id) => storableId.test(id) && Buffer.byteLength(id) <= idBytesMax)
  return fine ? event : unintelligibleEvent(event.payload)
}

async function takeTrack(service: Service, request: RawRequest): Promise<HttpAnswer> {
  const { sql, metrics, log, reconciler } = service
  const counted = (outcome: string, answer: HttpAnswer) => {
    metrics.webhooks.inc({ channel: 'kuaidi100', outcome })
    return answer
  }
  try {
    const credentials = await carrierCredentials(sql, 'kuaidi100', request.params.account ?? '')
    if (credentials === null) return counted('unknown_account', kuaidi100Refusal('unknown_account'))
    const push = receiveKuaidi100(request.body, credentials.salt ?? '')
    if (push.outcome === 'refused') return counted(push.code, kuaidi100Refusal(push.code))
    if (push.outcome === 'ignored') return counted('ignored', kuaidi100Acknowledgement)
    if (push.outcome === 'stopped') {
      await raise(sql, [
        {
          kind: 'tracking_stopped',
          ref: `${push.carrier}/${push.waybill}`,
          detail: { carrier: push.carrier, waybill: push.waybill },
        },
      ])
      return counted('stopped', kuaidi100Acknowledgement)
    }
    const recorded = await recordTrack(sql, push.track, push.body)
    reconciler.soon(recorded.orderIds)
    return counted(recorded.outcome, kuaidi100Acknowledgement)
  } catch (error) {
    log.warn({ code: (error as { code?: string }).code }, 'track refused: try again')
    return counted('try_again', kuaidi100Refusal('try_again'))
  }
}
