/**
 * Somebody at a node who pulls, and takes his time: he accepts or does not, ships all or a part, rejects, forgets, comes back
 * when his lease is long over. What he is not answered he says again.
 */

import type { Random } from '../../adapters/shared/seeded-random.ts'
import type { PulledTask } from '../../adapters/store/tasks/tasks.ts'
import type { Package, TaskLine } from '../../router/task.ts'
import { accept, confirmIntercept, pull as pullTasks, reject, ship } from '../../workers/fulfil/verbs.ts'
import type { SimulatedProcess } from './process.ts'
import type { Scheduler } from './scheduler.ts'

const leaseMsMin = 60
const leaseMsMax = 400
const workMsMax = 300
const triesMax = 3
const patienceMs = 80
const noSignal = new AbortController().signal

export interface WarehouseContext {
  readonly scheduler: Scheduler
  readonly random: Random
  /** Some process that is up, if any. */
  readonly process: () => SimulatedProcess | null
  readonly isCalm: () => boolean
}

export function openWarehouse(context: WarehouseContext, node: string): void {
  const { scheduler, random } = context
  const pull = async (): Promise<void> => {
    if (context.isCalm()) return
    const leaseSeconds = random.between(leaseMsMin, leaseMsMax) / 1000
    const tasks = await ask(context, 1, (process) =>
      pullTasks(process.fulfil, node, { limit: 2, leaseSeconds, waitSeconds: 0 }, noSignal),
    )
    for (const task of tasks ?? []) void work(context, node, task)
    scheduler.after(random.between(20, 120), `${node} pulls`, () => void pull())
  }
  scheduler.after(random.between(20, 120), `${node} pulls`, () => void pull())
}

async function work(context: WarehouseContext, node: string, task: PulledTask): Promise<void> {
  const { scheduler, random } = context
  const { taskId, fence } = task
  const claim = { node, taskId, fence }
  const busy = (): Promise<void> => scheduler.sleep(random.below(workMsMax), `${node} works on ${taskId}`)
  if (task.intercepted) {
    if (random.chance(0.6)) await ask(context, triesMax, (p) => confirmIntercept(p.fulfil, claim, ''))
    return
  }
  if (random.chance(0.5)) await ask(context, triesMax, (p) => accept(p.fulfil, claim))
  await busy()
  const fate = random.below(10)
  if (fate < 2) return
  if (fate < 4) {
    const reason = random.pick(['out_of_stock', 'damaged', 'closed'] as const)
    await ask(context, triesMax, (p) => reject(p.fulfil, claim, reason, [], ''))
    return
  }
  const parts =
    fate < 6
      ? halves(task.lines)
      : [task.lines.map(({ sku, quantity, shipped }) => ({ sku, quantity: quantity - shipped }))]
  for (const [i, lines] of parts.entries()) {
    const sent = lines.filter((l) => l.quantity > 0)
    if (sent.length === 0) continue
    const packages: Package[] = [{ carrier: 'c', waybill: `${taskId}-${fence}-${i}`, lines: sent, shippedAt: 0 }]
    await ask(context, triesMax, (p) => ship(p.fulfil, claim, packages))
    // Whoever is not sure says it again.
    if (random.chance(0.3)) await ask(context, 1, (p) => ship(p.fulfil, claim, packages))
    await busy()
  }
}

function halves(lines: readonly TaskLine[]): { sku: string; quantity: number }[][] {
  const left = lines.map(({ sku, quantity, shipped }) => ({ sku, quantity: quantity - shipped }))
  const first = left.map(({ sku, quantity }) => ({ sku, quantity: Math.floor(quantity / 2) }))
  return [first, left.map(({ sku, quantity }, i) => ({ sku, quantity: quantity - first[i]!.quantity }))]
}

/** null: nobody answered. */
async function ask<T>(
  context: WarehouseContext,
  tries: number,
  question: (process: SimulatedProcess) => Promise<T>,
): Promise<T | null> {
  for (let i = 0; i < tries; i++) {
    const process = context.process()
    if (process !== null) {
      const answer = await Promise.race([
        question(process).catch(() => null),
        context.scheduler.sleep(patienceMs, 'a warehouse gives up').then(() => null),
      ])
      if (answer !== null) return answer
    } else await context.scheduler.sleep(patienceMs, 'a warehouse waits')
  }
  return null
}
