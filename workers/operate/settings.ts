/** What an operator sets: shops, carrier accounts, SKUs, nodes. Each verb is called alike by HTTP or a command line. */
import { carrierNamed, carriers } from '../../adapters/carriers/carriers.ts'
import { channels } from '../../adapters/channels/channels.ts'
import { BundleUnfit, putNodes, putSkus, SkuInUse } from '../../adapters/store/catalog/catalog.ts'
import { putCarrierAccount, putShop } from '../../adapters/store/catalog/put-sealed.ts'
import type { Vault } from '../../adapters/store/secrets/vault.ts'
import type { SkuUse } from '../../adapters/store/stock/sku-use.ts'
import { type Divisions, pointOfAdcode } from '../../router/address.ts'
import type { Policy } from '../../router/policy.ts'
import type { NodeDelta } from '../../router/stock.ts'
import type { ChannelName, Sku } from '../../router/types.ts'
import type { CatalogWatch } from '../catalog/catalog-watch.ts'
import type { CounterKeeper } from '../counters/counter-keeper.ts'
import { tellLater } from '../counters/tell-later.ts'
import { type Done, done, type Refused, refused } from '../process/refused.ts'
import { callBackAfterClosing } from './closed-nodes.ts'
import { type LetGoContext, letGo } from './let-go.ts'
import { type NodeSettings, nodeKeyOf, nodeOf, nodeRefused, noSuchAdcode, placeFlaw } from './node-settings.ts'
import { type CredentialSettings, flawIn, previousEnd, tooFar } from './secret-settings.ts'

export interface SettingsContext extends LetGoContext {
  readonly vault: Vault
  readonly catalog: Pick<CatalogWatch, 'current' | 'refresh'>
  readonly keeper: Pick<CounterKeeper, 'tell' | 'catchUp'>
  readonly divisions: Divisions
  readonly policy: Policy
}

export interface ShopSettings extends CredentialSettings {
  readonly apiBaseUrl?: string | undefined
  readonly skuMap?: Readonly<Record<string, string>> | undefined
}

export async function setShop(
  context: SettingsContext,
  { channel, shop }: { readonly channel: ChannelName; readonly shop: string },
  { credentials, previousCredentials, previousUntil, apiBaseUrl, skuMap }: ShopSettings,
): Promise<Done | Refused> {
  const { sql, vault, clock } = context
  const flaw = flawIn({ credentials, previousCredentials }, channels[channel])
  if (flaw !== null) return flaw
  const until = previousEnd(previousUntil, clock.now())
  if (until === 'too_far') return tooFar
  await putShop(sql, vault, {
    channel,
    shop,
    credentials,
    previous: until === null ? null : { credentials: previousCredentials ?? null, until },
    apiBaseUrl: apiBaseUrl ?? null,
    skuMap: skuMap ?? {},
  })
  await codesAreSet(context)
  return done
}

/** New codes come into force, and let go the orders that waited for them. */
export async function codesAreSet(context: SettingsContext): Promise<void> {
  await context.catalog.refresh()
  await letGo(context)
}

export async function setCarrierAccount(
  { sql, vault, clock }: SettingsContext,
  { carrier, account }: { readonly carrier: string; readonly account: string },
  { credentials, previousCredentials, previousUntil }: CredentialSettings,
): Promise<Done | Refused> {
  const known = carrierNamed(carrier)
  if (known === null) return refused('not_found', carrierServices)
  const flaw = flawIn({ credentials, previousCredentials }, known)
  if (flaw !== null) return flaw
  const until = previousEnd(previousUntil, clock.now())
  if (until === 'too_far') return tooFar
  await putCarrierAccount(sql, vault, {
    carrier: known.name,
    account,
    credentials,
    previous: until === null ? null : { credentials: previousCredentials ?? null, until },
  })
  return done
}

const carrierNames = carriers.map(({ name }) => name)
export const carrierServices =
  carrierNames.length === 1
    ? `The only carrier service is ${carrierNames[0]}.`
    : `The carrier services are ${carrierNames.join(', ')}.`

export async function setSku(context: SettingsContext, sku: Sku): Promise<Done | Refused> {
  try {
    await putSkus(context.sql, [sku])
  } catch (error) {
    return skuRefused(sku.sku, error)
  }
  await codesAreSet(context)
  return done
}

/** Why a SKU was not written; throws what is no reason of its own. */
export function skuRefused(sku: string, error: unknown): Refused {
  if (error instanceof BundleUnfit) return refused('invalid_request', `bundle: ${unfitness(sku, error)}`)
  if (error instanceof SkuInUse) return refused('invalid_request', `bundle: ${inUse(error.use)}, then put it again.`)
  throw error
}

function unfitness(sku: string, { bundle, component, exists }: BundleUnfit): string {
  if (!exists) return `there is no SKU ${component}. Put it first.`
  if (bundle === sku) return `${component} is a bundle itself. Name its components.`
  return `${component} is a component of ${bundle}, and so cannot be a bundle.`
}

function inUse({ sku, how, node }: SkuUse): string {
  switch (how) {
    case 'reserved':
      return `tasks of ${node} hold ${sku}, and a bundle holds no stock. Ship or cancel them, post a count of 0 there`
    case 'on_hand':
      return `there is ${sku} on hand at ${node}, and a bundle holds no stock. Post a count of 0 there`
    case 'awaited':
      return `orders wait for ${sku}, which as a bundle would never come. Post stock for them or cancel them`
  }
}

export async function setNode(context: SettingsContext, name: string, given: NodeSettings): Promise<Done | Refused> {
  const { sql, divisions, policy, clock } = context
  const point = given.point ?? pointOfAdcode(divisions, given.adcode ?? '')
  if (point === null) return noSuchAdcode
  const place = placeFlaw(given, divisions)
  if (place !== null) return place
  const key = nodeKeyOf(given, clock.now())
  if ('outcome' in key) return key
  try {
    const put = await putNodes(sql, [{ node: nodeOf(name, point, given, policy.nodes), ...key }])
    await nodeIsSet(context, name, put.deltas[0])
  } catch (error) {
    return nodeRefused(error)
  }
  return done
}

/** A node's settings come into force; Redis learns what they changed. */
export async function nodeIsSet(context: SettingsContext, name: string, delta: NodeDelta | undefined): Promise<void> {
  const { catalog, keeper, log } = context
  await catalog.refresh()
  await tellLater(log, async () => {
    if (delta !== undefined) await keeper.tell([delta])
    else await keeper.catchUp(name)
  })
  if (catalog.current.nodes.some(({ node, open }) => node === name && !open)) await callBackAfterClosing(context)
}
