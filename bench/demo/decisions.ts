/** One sourcing as a small table: which nodes were looked at, what all of it would cost from each, and the choice. */
import type { ReadableSourcing } from '../../router/source/trace.ts'
import { yuan } from '../traffic/amounts.ts'
import type { Paper } from './paper.ts'

/** An entry of an order's trace. */
export interface ShownSourcing {
  readonly groups: readonly (ReadableSourcing & { readonly transport: string })[]
}

// The chosen ones, the cheapest others, and some that a rule refused, above all those that were chosen before.
const othersMax = 4
const refusedMax = 2

export function decisionTable(
  paper: Paper,
  { transport, candidates, plan }: ShownSourcing['groups'][number],
  earlier: ReadonlySet<string>,
  nameOf: (node: string) => string,
): void {
  const chosen = new Map(plan.parcels.map((parcel) => [parcel.node, parcel]))
  const offers = candidates.filter((candidate) => candidate.refusedBy === null)
  const cost = (fen: number | null) => fen ?? Number.POSITIVE_INFINITY
  const others = offers
    .filter((candidate) => !chosen.has(candidate.node))
    .sort((a, b) => cost(a.wholeFen) - cost(b.wholeFen) || a.km - b.km)
  const refused = candidates
    .filter((candidate) => candidate.refusedBy !== null)
    .sort((a, b) => Number(earlier.has(b.node)) - Number(earlier.has(a.node)) || a.km - b.km)
  const rows = [
    ...offers.filter((candidate) => chosen.has(candidate.node)),
    ...others.slice(0, othersMax),
    ...refused.slice(0, refusedMax),
  ]
  const demand = [...plan.parcels.flatMap((parcel) => parcel.lines), ...plan.missing]
  const wanted = new Map<string, number>()
  for (const { sku, quantity } of demand) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity)
  const asText = (lines: readonly { readonly sku: string; readonly quantity: number }[]) =>
    lines.map(({ sku, quantity }) => `${quantity} × ${sku}`).join(', ')
  paper.say(
    `Wanted (${transport}): ${asText([...wanted].map(([sku, quantity]) => ({ sku, quantity })))}. ` +
      `${candidates.length} candidates; ${plan.method} plan, ¥${yuan(plan.costFen)}.`,
    2,
  )
  paper.table(
    [
      { head: 'candidate', max: 9 },
      { head: '', max: 20 },
      { head: 'km', align: 'right' },
      { head: 'all from here', align: 'right' },
      { head: 'verdict', max: 44 },
    ],
    rows.map((candidate) => {
      const parcel = chosen.get(candidate.node)
      return [
        candidate.node,
        nameOf(candidate.node),
        candidate.km.toFixed(1),
        candidate.refusedBy !== null
          ? ''
          : candidate.wholeFen === null
            ? 'has not all'
            : `¥${yuan(candidate.wholeFen)}`,
        parcel !== undefined
          ? plan.parcels.length === 1
            ? 'chosen'
            : `chosen for ${asText(parcel.lines)}: ¥${yuan(parcel.costFen)}`
          : candidate.refusedBy !== null
            ? ruleWords[candidate.refusedBy]
            : '',
      ]
    }),
  )
}

const ruleWords: Readonly<Record<NonNullable<ReadableSourcing['candidates'][number]['refusedBy']>, string>> = {
  closed: 'refused: closed (停业)',
  excluded: 'refused: gave this order back (已拒单)',
  channel: 'refused: does not serve the platform (渠道)',
  region: 'refused: does not serve the region (区域)',
  kind: 'refused: leaves from warehouses only (仅仓发)',
  insufficient_stock: 'refused: has none of it (缺货)',
}
