/** What a service that pushes tracks of parcels looks like to the rest of Paidan. Pure: no I/O, no clock. */
import type { Track } from '../../router/track.ts'

export interface CarrierRequest {
  /** The raw query string without the question mark. */
  readonly query: string
  readonly contentType: string
  readonly body: Uint8Array
}

/** What the operator stores for an account. `credentialKeys` says which keys the service needs. */
export type CarrierCredentials = Readonly<Record<string, string>>

export type CarrierPush =
  /** `body` is the JSON text as given, to be kept. */
  | {
      readonly outcome: 'track'
      readonly track: Track
      readonly body: string
      /** The carrier that was told first, where the service found out that another one has the parcel; null: the same. */
      readonly carrierOld: string | null
    }
  /** Nothing will come any more for this waybill: never recorded, not moved for 60 days, or the wrong carrier. */
  | {
      readonly outcome: 'stopped'
      readonly carrier: string
      readonly waybill: string
      /** Where the service found out the right carrier: the parcel goes on under it. */
      readonly carrierNew: string | null
    }
  /** Verified, and without any step yet: acknowledged, nothing stored. */
  | { readonly outcome: 'ignored' }
  | { readonly outcome: 'refused'; readonly code: CarrierRefusalCode }

export type CarrierRefusalCode = 'bad_signature' | 'malformed' | 'unknown_account' | 'body_too_large' | 'try_again'

export interface CarrierAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

export interface Carrier {
  /** In the path of its webhook and of its accounts. */
  readonly name: string
  /** Keys that an account's credentials must hold, all non-empty strings. */
  readonly credentialKeys: readonly string[]
  /** Throws nothing, whatever the bytes. */
  receive(request: CarrierRequest, credentials: CarrierCredentials): CarrierPush
  /** The service's own words for "taken". */
  readonly acknowledgement: CarrierAnswer
  /** The service's own words for "not taken", so that it pushes again. */
  refusal(code: CarrierRefusalCode): CarrierAnswer
}
