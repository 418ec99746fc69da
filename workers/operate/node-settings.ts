/** What a node's settings come to, and why they are refused. */
import { sha256 } from '../../adapters/http/secrets.ts'
import { NodeKeyMissing, type NodeToPut } from '../../adapters/store/catalog/catalog.ts'
import { type Divisions, pointOfAdcode, unknownPrefixes } from '../../router/address.ts'
import type { Freight, Node } from '../../router/node.ts'
import type { NodePolicy } from '../../router/policy.ts'
import type { ChannelName, Point } from '../../router/types.ts'
import { codeOf } from '../process/error-code.ts'
import { type Refused, refused } from '../process/refused.ts'
import { previousEnd, tooFar } from './secret-settings.ts'

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

export function nodeOf(node: string, point: Point, given: NodeSettings, policy: NodePolicy): Node {
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

export const noSuchAdcode = refused('invalid_request', 'adcode: no such division. Give a point as well.')

/** null: every division that is named is there. A new district, which no table knows, may be given with a point. */
export function placeFlaw(
  {
    adcode,
    regions,
  }: { readonly adcode?: string | undefined; readonly regions?: readonly string[] | null | undefined },
  divisions: Divisions,
): Refused | null {
  const above = adcode === undefined || pointOfAdcode(divisions, adcode) !== null ? [] : [adcode.slice(0, 4)]
  const [place] = unknownPrefixes(divisions, above)
  if (place !== undefined) return refused('invalid_request', `adcode: no division begins with ${place}. Correct it.`)
  const unknown = unknownPrefixes(divisions, regions ?? [])
  if (unknown.length === 0) return null
  const named = `${unknown.slice(0, 5).join(', ')}${unknown.length > 5 ? ` and ${unknown.length - 5} more` : ''}`
  return refused(
    'invalid_request',
    `regions: no division begins with ${named}. Give the first 2 (province), 4 (city) or all 6 (district) digits of adcodes.`,
  )
}

export function nodeKeyOf(
  { apiKey, previousApiKeyUntil }: Pick<NodeSettings, 'apiKey' | 'previousApiKeyUntil'>,
  nowMs: number,
): Omit<NodeToPut, 'node'> | Refused {
  const previousKeyUntil = previousEnd(previousApiKeyUntil, nowMs)
  if (previousKeyUntil === 'too_far') return tooFar
  const apiKeyHash = apiKey === undefined ? null : sha256(apiKey)
  return previousApiKeyUntil === undefined ? { apiKeyHash } : { apiKeyHash, previousKeyUntil }
}

/** Why a node was not written; throws what is no reason of its own. */
export function nodeRefused(error: unknown): Refused {
  if (['23505', 'node_key_taken'].includes(codeOf(error))) return refused('node_key_taken')
  if (error instanceof NodeKeyMissing) return refused('invalid_request', 'apiKey: a new node needs one.')
  throw error
}
