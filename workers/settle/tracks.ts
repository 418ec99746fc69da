/**
 * Where carriers push: tracks of parcels, signed with the salt of the account. What a push changes: ./verbs.ts,
 * `recordTrack`. A push that says that another carrier has the parcel moves its track there, whether it comes before or
 * after that carrier's words (`moveTrack`). A push that says only that tracking has stopped changes no track: it raises the
 * exception `tracking_stopped`, which the next word on that parcel ends, or a person.
 */
import type { Carrier } from '../../adapters/carriers/carrier.ts'
import { carriers } from '../../adapters/carriers/carriers.ts'
import type { HttpAnswer } from '../../adapters/http/answer.ts'
import type { RawRequest, RawRoute } from '../../adapters/http/route.ts'
import type { ExceptionStore, SettleStore } from '../../adapters/store/order-store.ts'
import { inForce, type Read } from '../../adapters/store/secrets/credentials.ts'
import { trackingStopped, trackRef } from '../../adapters/store/settle/tracks.ts'
import { codeOf } from '../process/error-code.ts'
import type { Log } from '../process/log.ts'
import type { Metrics } from '../process/metrics.ts'
import { sampled } from '../process/sampled-log.ts'
import type { Reconciler } from './reconciler.ts'
import { moveTrack, recordTrack } from './verbs.ts'

export interface TrackContext {
  readonly store: Pick<SettleStore, 'recordTrack' | 'moveTrack'> & Pick<ExceptionStore, 'raise'>
  /** null: no such account. */
  readonly accountSecrets: (carrier: string, account: string) => Promise<Read | null>
  readonly reconciler: Pick<Reconciler, 'soon'>
  readonly bodyBytesMax: number
  readonly metrics: Pick<Metrics, 'webhooks'>
  readonly log: Log
}

export function trackRoutes(context: TrackContext): RawRoute[] {
  return carriers.map((carrier) => ({
    raw: true,
    method: 'POST',
    path: `/webhooks/carriers/${carrier.name}/{account}`,
    auth: 'webhook',
    tag: 'webhooks',
    summary: 'Tracks of parcels, signed with the salt of the account.',
    maxBodyBytes: context.bodyBytesMax,
    handle: (request) => takeTrack(context, carrier, request),
  }))
}

async function takeTrack(context: TrackContext, carrier: Carrier, request: RawRequest): Promise<HttpAnswer> {
  const { store, accountSecrets, metrics, log } = context
  const counted = (outcome: string, answer: HttpAnswer) => {
    metrics.webhooks.inc({ channel: carrier.name, outcome })
    return answer
  }
  try {
    const account = request.params.account ?? ''
    const read = await accountSecrets(carrier.name, account)
    if (read === null) return counted('unknown_account', carrier.refusal('unknown_account'))
    if (read.outcome !== 'kept') {
      const fields = { carrier: carrier.name, account, why: read.outcome }
      sampled(log).error(fields, 'credentials cannot be opened: put them again', account)
      return counted('credentials_unreadable', carrier.refusal('try_again'))
    }
    const pushes = inForce(read.kept, Date.now()).map((credentials) => carrier.receive(request, credentials))
    const push = pushes.find((p) => p.outcome !== 'refused' || p.code !== 'bad_signature') ?? pushes[0]!
    if (push.outcome === 'refused') return counted(push.code, carrier.refusal(push.code))
    if (push.outcome === 'ignored') return counted('ignored', carrier.acknowledgement)
    if (push.outcome === 'stopped') {
      const { waybill, carrierNew } = push
      if (carrierNew !== null) {
        await moveTrack(context, { carrier: push.carrier, waybill, carrierNew })
        return counted('moved', carrier.acknowledgement)
      }
      const detail = { carrier: push.carrier, waybill }
      await store.raise([{ kind: trackingStopped, ref: trackRef(push), detail }])
      return counted('stopped', carrier.acknowledgement)
    }
    if (push.carrierOld !== null) {
      const { waybill, carrier: carrierNew } = push.track
      await moveTrack(context, { carrier: push.carrierOld, waybill, carrierNew })
    }
    const recorded = await recordTrack(context, push.track, push.body)
    return counted(recorded.outcome, carrier.acknowledgement)
  } catch (error) {
    const code = codeOf(error)
    sampled(log).warn({ code }, 'track refused: try again', code)
    return counted('try_again', carrier.refusal('try_again'))
  }
}
