/**
 * Settings changed in part: what is not named stays. Each verb is read, change and write in one transaction, so that of
 * two at once none undoes the other.
 */
import { carrierNamed } from '../../adapters/carriers/carriers.ts'
import { channels } from '../../adapters/channels/channels.ts'
import { skuMapEntriesMax } from '../../adapters/http/v1/shops.ts'
import {
  type Changed,
  changeCarrierAccount,
  changeNode,
  changeShop,
  changeSku,
} from '../../adapters/store/catalog/change.ts'
import { type Divisions, pointOfAdcode } from '../../router/address.ts'
import type { Node } from '../../router/node.ts'
import type { NodePolicy } from '../../router/policy.ts'
import type { ChannelName, Point, Sku } from '../../router/types.ts'
import { type Done, done, type Refused, refused } from '../process/refused.ts'
import { freightOf, type GivenFreight, nodeKeyOf, nodeRefused, noSuchAdcode, placeFlaw } from './node-settings.ts'
import { type CredentialChanges, changedSecrets, merged } from './secret-settings.ts'
import { carrierServices, codesAreSet, nodeIsSet, type SettingsContext, skuRefused } from './settings.ts'

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
  const nowMs = clock.now()
  const changed = await changeShop<Refused>(sql, vault, key, (now) => {
    const secrets = changedSecrets(now.secrets, given, channels[key.channel], nowMs)
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
  const nowMs = clock.now()
  const changed = await changeCarrierAccount<Refused>(sql, vault, { carrier: known.name, account }, (now) =>
    changedSecrets(now, given, known, nowMs),
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
  const place = placeFlaw(given, divisions)
  if (place !== null) return place
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
