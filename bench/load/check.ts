/** What has to hold after the load: the invariants of both stores, and the bench's own book of what was acknowledged. */
import type { Violation } from '../../adapters/store/audit/audit.ts'
import { StockKeeper } from '../../workers/counters/stock-keeper.ts'
import { allInvariantNames, auditAll } from '../../workers/operate/audit/both-stores.ts'
import type { TrafficPlan } from '../traffic/plan.ts'
import { checkLedger, checkShelves, ledgerInvariants } from './ledger.ts'
import type { Target } from './target.ts'

export const checkedInvariants = allInvariantNames.length + ledgerInvariants.length

/** `acknowledged`: orders of the plan; `undecided`: events that stayed undecided (settle.ts). Empty when all holds. */
export async function check(
  { sql, redisUrl, opening }: Target,
  plan: TrafficPlan,
  acknowledged: ReadonlySet<number>,
  undecided: number,
): Promise<Violation[]> {
  const violations: Violation[] = []
  if (acknowledged.size === 0)
    violations.push({
      invariant: 'something_was_acknowledged',
      count: 1,
      examples: [{ advice: 'is it the demo network?' }],
    })
  if (undecided > 0) violations.push({ invariant: 'everything_is_decided', count: undecided, examples: [] })
  violations.push(...(await checkLedger(sql, plan, acknowledged)))
  if (opening !== null) violations.push(...(await checkShelves(sql, opening)))
  const keeper = new StockKeeper(sql, { redis: redisUrl })
  await keeper.open()
  try {
    violations.push(...(await auditAll(sql, keeper)))
  } finally {
    keeper.close()
  }
  return violations
}

export function describedViolations(violations: readonly Violation[]): string {
  return violations
    .map(({ invariant, count, examples }) => `  ${invariant}: ${count}, for example ${JSON.stringify(examples)}`)
    .join('\n')
}
