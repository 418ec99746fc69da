/** The rate that others are measured against: what this run sustained before, or a short closed loop to find it out. */
import type { LeanCannon } from '../load/processes.ts'
import { routed } from '../load/report.ts'
import type { Session } from '../load/session.ts'
import type { ScenarioContext } from '../measured/scenario.ts'
import { closedLoopRequests } from './common.ts'

const calibrationSeconds = 6
const warmUpSeconds = 4
const smallestRequests = 200

/** What the below may send. */
export function calibrationRequests({ size, steadyRate }: ScenarioContext): number {
  if (size === 'smallest') return 2 * smallestRequests
  return closedLoopRequests(steadyRate === null ? calibrationSeconds + warmUpSeconds : warmUpSeconds, steadyRate)
}

/** Orders a second; warms the service up either way. */
export async function sustainableRate(
  { steadyRate, say, size }: ScenarioContext,
  session: Session,
  lean: LeanCannon,
): Promise<number> {
  const requests = size === 'smallest' ? smallestRequests : null
  await session.warmUp(() => lean.fire({ seconds: warmUpSeconds, requests }))
  if (steadyRate !== null) return steadyRate
  say('▸ finding out what it sustains')
  const load = await session.measure(lean, () => lean.fire({ seconds: calibrationSeconds, requests }))
  const { ordersPerSecond } = await routed(session.target.sql, load)
  say(`▸ ${ordersPerSecond.toLocaleString('en')} orders/s`)
  return ordersPerSecond
}
