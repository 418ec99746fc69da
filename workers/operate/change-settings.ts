/**
 * Settings changed in part: what is not named stays. Each verb is read, change and write in one transaction, so that of
 * two at once none undoes the other.
 */
import { carrierNamed } from '../../adapters/carriers/carriers.ts'
import { channels } from '../../adapters/channels/channels.ts'
import { skuMapEntriesMax } from '../../adapters/http/v1/shops.ts'
import {
  type Change,
  type Changed,
  changeCarrierAccount,
  changeNode,
  changeShop,
  changeSku,
} from '../../adapters/store/catalog/change.ts'
import { isSame, type Kept, type Read } from '../../adapters/store/secrets/credentials.ts'
import { type Divisions, pointOfAdcode } from '../../router/address.ts'
import type { Node } from '../../router/node.ts'
import type { NodePolicy } from '../../router/policy.ts'
import type { ChannelName, Point, Sku } from '../../router/types.ts'
import { type Done, done, type Refused, refused } from '../process/refused.ts'
import {
  carrierServices,
  codesAreSet,
  freightOf,
  type GivenFreight,
  lackingIn,
  nodeIsSet,
  nodeKeyOf,
  nodeRefused,
  noSuchAdcode,
  previousEnd,
  type SettingsContext,
  skuRefused,
  tooFar,
} from './settings.ts'

export interface CredentialChanges {
  /** Keys that are not named stay; null takes one away. */
  readonly credentials?: Readonly<Record<string, string | null>> | undefined
  /** Absent: those that were in force until now. */
  readonly previousCredentials?: Readonly<Record<string, string>> | undefined
  /** Absent: at once no longer with new credentials, else as it was. */
  readonly previousUntil?: number | undefined
}

export interface ShopChanges extends CredentialChanges {
  /** null: the platform's own. */
  readonly apiBaseUrl?: string | null | undefined
  /** Entries that are not named stay; null takes one away. */
  readonly skuMap?: Readonly<Record<string, string | null>> | undefined
}

export async function updateShop(
  context: SettingsContext,
  key: { readonly channel: ChannelName; readonly shop: string },
  given: ShopChanges,
): Promise<Done | Refused> {
  const { sql, vault, catalog, clock } = context
  const { credentialKeys } = channels[key.channel]
  const nowMs = clock.now()
  const changed = await changeShop<Refused>(sql, vault, key, (now) => {
    const secrets = changedSecrets(now.secrets, given, { keys: credentialKeys, owner: key.channel, nowMs })
    if ('refused' in secrets) return secrets
    const skuMap = merged(now.skuMap, given.skuMap)
    if (Object.keys(skuMap).length > skuMapEntriesMax)
      return { refused: refused('invalid_request', `skuMap: a shop holds at most ${skuMapEntriesMax} entries.`) }
    const apiBaseUrl = given.apiBaseUrl === undefined ? now.apiBaseUrl : given.apiBaseUrl
    return { after: { secrets: secrets.after, skuMap, apiBaseUrl } }
  })
  const refusal = refusalOf(changed, 'No such shop.')
  if (refusal !== null) return refusal
  if (given.skuMap === undefined) await catalog.refresh()
  else await codesAreSet(context)
  return done
}

export async function updateCarrierAccount(
  { sql, vault, clock }: SettingsContext,
  { carrier, account }: { readonly carrier: string; readonly account: string },
  given: CredentialChanges,
): Promise<Done | Refused> {
  const known = carrierNamed(carrier)
  if (known === null) return refused('not_found', carrierServices)
  const rules = { keys: known.credentialKeys, owner: known.name, nowMs: clock.now() }
  const changed = await changeCarrierAccount<Refused>(sql, vault, { carrier: known.name, account }, (now) =>
    changedSecrets(now, given, rules),
  )
  return refusalOf(changed, 'No such account.') ?? done
}

export type SkuChanges = {
  readonly [Name in keyof Omit<Sku, 'sku' | 'bundle'>]?: Sku[Name] | undefined
} & {
  /** null: a plain SKU. */
  readonly bundle?: Sku['bundle'] | null | undefined
}

export async function updateSku(
  context: SettingsContext,
  sku: string,
  { bundle, ...given }: SkuChanges,
): Promise<Done | Refused> {
  try {
    const changed = await changeSku<Refused>(context.sql, sku, (now) => ({
      after: { ...now, ...named(given), ...(bundle === undefined ? {} : { bundle: bundle ?? [] }) },
    }))
    const refusal = refusalOf(changed, 'No such SKU.')
    if (refusal !== null) return refusal
  } catch (error) {
    return skuRefused(sku, error)
  }
  await codesAreSet(context)
  return done
}

export interface NodeChanges {
  readonly name?: string | undefined
  readonly kind?: Node['kind'] | undefined
  readonly adcode?: string | undefined
  readonly point?: Point | undefined
  readonly open?: boolean | undefined
  /** null: all. */
  readonly channels?: readonly ChannelName[] | null | undefined
  readonly regions?: readonly string[] | null | undefined
  readonly priority?: number | undefined
  readonly preferenceFen?: number | undefined
  /** null: the policy's. */
  readonly handlingFen?: number | null | undefined
  readonly freight?: GivenFreight | null | undefined
  readonly safetyStock?: number | undefined
  readonly apiKey?: string | undefined
  readonly previousApiKeyUntil?: number | undefined
}

export async function updateNode(context: SettingsContext, name: string, given: NodeChanges): Promise<Done | Refused> {
  const { sql, divisions, policy, clock } = context
  const key = nodeKeyOf(given, clock.now())
  if ('outcome' in key) return key
  try {
    const changed = await changeNode<Refused>(sql, name, (now) => {
      const node = changedNode(now, given, divisions, policy.nodes)
      return 'outcome' in node ? { refused: node } : { after: { node, ...key } }
    })
    if (changed.outcome !== 'changed') return refusalOf(changed, 'No such node.')!
    await nodeIsSet(context, name, changed.delta)
  } catch (error) {
    return nodeRefused(error)
  }
  return done
}

function changedNode(now: Node, given: NodeChanges, divisions: Divisions, policy: NodePolicy): Node | Refused {
  const point = given.point ?? (given.adcode === undefined ? now.point : pointAfter(now, given.adcode, divisions))
  if (point === null) return noSuchAdcode
  const { name, kind, adcode, open, channels: served, regions, safetyStock, handlingFen, freight } = given
  return {
    ...now,
    ...named({ name, kind, adcode, open, channels: served, regions, safetyStock }),
    ...{ point, preferenceFen: preferenceAfter(now, given, policy) },
    ...(handlingFen === undefined ? {} : { handlingFen: handlingFen ?? policy.handlingFen }),
    ...(freight === undefined ? {} : { freight: freight === null ? policy.freight : freightOf(freight) }),
  }
}

/** A point that was that of its division moves with the adcode; one that was given stays. */
function pointAfter(now: Node, adcode: string, divisions: Divisions): Point | null {
  const before = now.adcode === null ? null : pointOfAdcode(divisions, now.adcode)
  const follows = before !== null && before.lat === now.point.lat && before.lng === now.point.lng
  return follows ? pointOfAdcode(divisions, adcode) : now.point
}

function preferenceAfter(now: Node, { priority, preferenceFen }: NodeChanges, policy: NodePolicy): number {
  if (priority === undefined && preferenceFen === undefined) return now.preferenceFen
  return (preferenceFen ?? 0) - (priority ?? 0) * policy.fenPerPriority
}

interface SecretRules {
  readonly keys: readonly string[]
  readonly owner: string
  readonly nowMs: number
}

function changedSecrets(
  now: Read,
  { credentials, previousCredentials, previousUntil }: CredentialChanges,
  { keys, owner, nowMs }: SecretRules,
): Change<Kept | null, Refused> {
  if (credentials === undefined && previousUntil === undefined) return { after: null }
  const until = previousEnd(previousUntil, nowMs)
  if (until === 'too_far') return { refused: tooFar }
  const before = now.outcome === 'kept' ? now.kept : null
  // Sealed under a key that is lost they can only be replaced, whole.
  const current = merged(before?.current ?? {}, credentials)
  const lacking = lackingIn({ credentials: current, ...named({ previousCredentials }) }, keys, owner)
  if (lacking !== null) return { refused: lacking }
  const wereInForce = before === null || isSame(before.current, current) ? (before?.previous ?? null) : before.current
  const previous = until === null ? null : (previousCredentials ?? wereInForce)
  return { after: { current, previous, previousUntil: previous === null ? 0 : until! } }
}

function merged(
  now: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string | null>> = {},
): Record<string, string> {
  const all = new Map(Object.entries(now))
  for (const [key, value] of Object.entries(given)) {
    if (value === null) all.delete(key)
    else all.set(key, value)
  }
  return Object.fromEntries(all)
}

type Named<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> }

/** Without what was not given. */
function named<T extends object>(given: T): Named<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Named<T>
}

function refusalOf(changed: Changed<Refused> | { readonly outcome: 'changed' }, absent: string): Refused | null {
  switch (changed.outcome) {
    case 'changed':
      return null
    case 'absent':
      return refused('not_found', absent)
    case 'change_refused':
      return changed.why
  }
}
