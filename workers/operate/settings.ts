/** What an operator sets: shops, carrier accounts, SKUs, nodes. Each verb is called alike by HTTP or a command line. */
import { carrierNamed, carriers } from '../../adapters/carriers/carriers.ts'
import { channels } from '../../adapters/channels/channels.ts'
import { sha256 } from '../../adapters/http/secrets.ts'
import {
  BundleUnfit,
  NodeKeyMissing,
  type NodeToPut,
  putCarrierAccount,
  putNodes,
  putShop,
  putSkus,
  SkuInUse,
} from '../../adapters/store/catalog/catalog.ts'
import type { Vault } from '../../adapters/store/secrets/vault.ts'
import type { SkuUse } from '../../adapters/store/stock/sku-use.ts'
import { type Divisions, pointOfAdcode } from '../../router/address.ts'
import type { Freight, Node } from '../../router/node.ts'
import type { NodePolicy, Policy } from '../../router/policy.ts'
import type { NodeDelta } from '../../router/stock.ts'
import type { ChannelName, Point, Sku } from '../../router/types.ts'
import type { CatalogWatch } from '../catalog/catalog-watch.ts'
import type { CounterKeeper } from '../counters/counter-keeper.ts'
import { tellLater } from '../counters/tell-later.ts'
import { codeOf } from '../process/error-code.ts'
import { type Done, done, type Refused, refused } from '../process/refused.ts'
import { type LetGoContext, letGo } from './let-go.ts'

export interface SettingsContext extends LetGoContext {
  readonly vault: Vault
  readonly catalog: Pick<CatalogWatch, 'current' | 'refresh'>
  readonly keeper: Pick<CounterKeeper, 'tell' | 'catchUp'>
  readonly divisions: Divisions
  readonly policy: Policy
}

type Credentials = Readonly<Record<string, string>>

/** What a shop's channel, or an account's carrier service, signs with. */
export interface CredentialSettings {
  readonly credentials: Credentials
  /** Absent: those that were in force until now. */
  readonly previousCredentials?: Credentials | undefined
  /** Epoch milliseconds until which the previous ones are taken as well. */
  readonly previousUntil?: number | undefined
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
  const lacking = lackingIn({ credentials, previousCredentials }, channels[channel].credentialKeys, channel)
  if (lacking !== null) return lacking
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
  const lacking = lackingIn({ credentials, previousCredentials }, known.credentialKeys, carrier)
  if (lacking !== null) return lacking
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

/** null: each that is given holds every key. */
export function lackingIn(
  given: Pick<CredentialSettings, 'credentials' | 'previousCredentials'>,
  keys: readonly string[],
  owner: string,
): Refused | null {
  for (const [name, credentials] of Object.entries(given)) {
    const missing = keys.filter((key) => credentials !== undefined && !credentials[key])
    if (missing.length > 0) return refused('invalid_request', `${name} lacks ${missing.join(', ')} for ${owner}.`)
  }
  return null
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

export interface NodeSettings extends Pick<Node, 'name' | 'kind' | 'open' | 'safetyStock'> {
  readonly adcode?: string | undefined
  /** Absent: the point of the adcode. */
  readonly point?: Point | undefined
  /** Absent: all. */
  readonly channels?: readonly ChannelName[] | undefined
  readonly regions?: readonly string[] | undefined
  readonly priority?: number | undefined
  readonly preferenceFen?: number | undefined
  readonly handlingFen?: number | undefined
  readonly freight?: GivenFreight | undefined
  /** Absent: a node that exists keeps its key. */
  readonly apiKey?: string | undefined
  readonly previousApiKeyUntil?: number | undefined
}

export async function setNode(context: SettingsContext, name: string, given: NodeSettings): Promise<Done | Refused> {
  const { sql, divisions, policy, clock } = context
  const point = given.point ?? pointOfAdcode(divisions, given.adcode ?? '')
  if (point === null) return noSuchAdcode
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

export const noSuchAdcode = refused('invalid_request', 'adcode: no such division. Give a point as well.')

export function nodeKeyOf(
  { apiKey, previousApiKeyUntil }: Pick<NodeSettings, 'apiKey' | 'previousApiKeyUntil'>,
  nowMs: number,
): Omit<NodeToPut, 'node'> | Refused {
  const previousKeyUntil = previousEnd(previousApiKeyUntil, nowMs)
  if (previousKeyUntil === 'too_far') return tooFar
  const apiKeyHash = apiKey === undefined ? null : sha256(apiKey)
  return previousApiKeyUntil === undefined ? { apiKeyHash } : { apiKeyHash, previousKeyUntil }
}

/** A node's settings come into force; Redis learns what they changed. */
export async function nodeIsSet(
  { catalog, keeper, log }: SettingsContext,
  name: string,
  delta: NodeDelta | undefined,
): Promise<void> {
  await catalog.refresh()
  await tellLater(log, async () => {
    if (delta !== undefined) await keeper.tell([delta])
    else await keeper.catchUp(name)
  })
}

/** Why a node was not written; throws what is no reason of its own. */
export function nodeRefused(error: unknown): Refused {
  if (['23505', 'node_key_taken'].includes(codeOf(error))) return refused('node_key_taken')
  if (error instanceof NodeKeyMissing) return refused('invalid_request', 'apiKey: a new node needs one.')
  throw error
}

function nodeOf(node: string, point: Point, given: NodeSettings, policy: NodePolicy): Node {
  return {
    node,
    name: given.name,
    kind: given.kind,
    adcode: given.adcode ?? null,
    point,
    open: given.open,
    channels: given.channels ?? null,
    regions: given.regions ?? null,
    preferenceFen: (given.preferenceFen ?? 0) - (given.priority ?? 0) * policy.fenPerPriority,
    handlingFen: given.handlingFen ?? policy.handlingFen,
    freight: given.freight === undefined ? policy.freight : freightOf(given.freight),
    safetyStock: given.safetyStock,
  }
}

const previousDaysMax = 90
export const tooFar = refused('invalid_request', `The one before is taken for at most ${previousDaysMax} days more.`)

/** null: what was in force before is no longer. Already over says the same. */
export function previousEnd(until: number | undefined, nowMs: number): number | null | 'too_far' {
  if (until === undefined || until <= nowMs) return null
  return until - nowMs > previousDaysMax * 86_400_000 ? 'too_far' : until
}

export interface GivenFreight {
  readonly bands: readonly {
    readonly kmMax?: number | null | undefined
    readonly firstFen: number
    readonly stepFen: number
  }[]
  readonly firstGrams: number
  readonly stepGrams: number
}

/** Half the way around the world stands for "however far". */
const kmMaxOfAll = 20_100

export function freightOf({ bands, firstGrams, stepGrams }: GivenFreight): Freight {
  return {
    bands: bands.map((b) => ({ kmMax: b.kmMax ?? kmMaxOfAll, firstFen: b.firstFen, stepFen: b.stepFen })),
    firstGrams,
    stepGrams,
  }
}
