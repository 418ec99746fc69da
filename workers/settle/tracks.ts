/** The carriers' door: tracks of parcels, signed with the salt of the account. */
import { kuaidi100Acknowledgement, kuaidi100Refusal, receiveKuaidi100 } from '../../adapters/carriers/kuaidi100.ts'
import type { HttpAnswer } from '../../adapters/http/answer.ts'
import type { RawRequest, RawRoute } from '../../adapters/http/route.ts'
import type { ExceptionStore, SettleStore } from '../../adapters/store/order-store.ts'
import { inForce, type Read } from '../../adapters/store/secrets/credentials.ts'
import { codeOf } from '../process/error-code.ts'
import type { Log } from '../process/log.ts'
import type { Metrics } from '../process/metrics.ts'
import { sampled } from '../process/sampled-log.ts'
import type { Reconciler } from './reconciler.ts'

export interface TrackContext {
  readonly store: Pick<SettleStore, 'recordTrack'> & Pick<ExceptionStore, 'raise'>
  /** null: no such account. */
  readonly accountSecrets: (carrier: string, account: string) => Promise<Read | null>
  readonly reconciler: Pick<Reconciler, 'soon'>
  readonly bodyBytesMax: number
  readonly metrics: Pick<Metrics, 'webhooks'>
  readonly log: Log
}

export function trackRoutes(context: TrackContext): RawRoute[] {
  return [
    {
      raw: true,
      method: 'POST',
      path: '/webhooks/carriers/kuaidi100/{account}',
      auth: 'webhook',
      tag: 'webhooks',
      summary: 'Tracks of parcels, signed with the salt of the account.',
      maxBodyBytes: context.bodyBytesMax,
      handle: (request) => takeTrack(context, request),
    },
  ]
}

async function takeTrack(context: TrackContext, request: RawRequest): Promise<HttpAnswer> {
  const { store, accountSecrets, metrics, log, reconciler } = context
  const counted = (outcome: string, answer: HttpAnswer) => {
    metrics.webhooks.inc({ channel: 'kuaidi100', outcome })
    return answer
  }
  try {
    const account = request.params.account ?? ''
    const read = await accountSecrets('kuaidi100', account)
    if (read === null) return counted('unknown_account', kuaidi100Refusal('unknown_account'))
    if (read.outcome !== 'kept') {
      const fields = { carrier: 'kuaidi100', account, why: read.outcome }
      sampled(log).error(fields, 'credentials cannot be opened: put them again', account)
      return counted('credentials_unreadable', kuaidi100Refusal('try_again'))
    }
    const pushes = inForce(read.kept, Date.now()).map(({ salt = '' }) => receiveKuaidi100(request.body, salt))
    const push = pushes.find((p) => p.outcome !== 'refused' || p.code !== 'bad_signature') ?? pushes[0]!
    if (push.outcome === 'refused') return counted(push.code, kuaidi100Refusal(push.code))
    if (push.outcome === 'ignored') return counted('ignored', kuaidi100Acknowledgement)
    if (push.outcome === 'stopped') {
      await store.raise([
        {
          kind: 'tracking_stopped',
          ref: `${push.carrier}/${push.waybill}`,
          detail: { carrier: push.carrier, waybill: push.waybill },
        },
      ])
      return counted('stopped', kuaidi100Acknowledgement)
    }
    const recorded = await store.recordTrack(push.track, push.body)
    reconciler.soon(recorded.orderIds)
    return counted(recorded.outcome, kuaidi100Acknowledgement)
  } catch (error) {
    const code = codeOf(error)
    sampled(log).warn({ code }, 'track refused: try again', code)
    return counted('try_again', kuaidi100Refusal('try_again'))
  }
}
