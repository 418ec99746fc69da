/**
 * A node's worker who pulls, and takes his time: he accepts or does not, ships all or a part, rejects, forgets, comes back
 * when his lease is long over. What he is not answered he says again.
 */
import type { PulledTask } from '../../adapters/store/tasks/tasks.ts'
import type { Package, TaskLine } from '../../router/task.ts'
import { accept, confirmIntercept, extend, pull, reject, ship } from '../../workers/fulfil/verbs.ts'
import { ask, type OutsideContext } from './outside.ts'

const leaseMsMin = 600
const leaseMsMax = 4_000
const workMsMax = 3_000
const pullsAtOnce = 2
const once = { tries: 1, patienceMs: 800, name: 'a warehouse' }
const stubborn = { ...once, tries: 3 }

export function openWarehouse(context: OutsideContext, node: string): { isDone: () => boolean } {
  const { scheduler, random } = context
  let open = 0
  const next = (): void => void scheduler.after(random.between(200, 1_200), `${node} pulls`, () => void round())
  const round = async (): Promise<void> => {
    if (context.isCalm()) return
    const leaseSeconds = random.between(leaseMsMin, leaseMsMax) / 1000
    const wish = { limit: pullsAtOnce, leaseSeconds, waitSeconds: random.chance(0.2) ? 1 : 0 }
    const tasks = await ask(context, once, (up, signal) => pull(up, node, wish, signal))
    for (const task of tasks ?? []) {
      open += 1
      void work(context, node, task).finally(() => {
        open -= 1
      })
    }
    next()
  }
  next()
  return { isDone: () => open === 0 }
}

async function work(context: OutsideContext, node: string, task: PulledTask): Promise<void> {
  const { scheduler, random } = context
  const { taskId, fence } = task
  const claim = { node, taskId, fence }
  const busy = (): Promise<void> => scheduler.sleep(random.below(workMsMax), `${node} works on ${taskId}`)
  if (task.intercepted) {
    if (random.chance(0.6)) await ask(context, stubborn, (up) => confirmIntercept(up, claim, ''))
    return
  }
  // He who is packing it learns of the new address, and goes on with it.
  const { change } = task
  if (change !== null) return void (await ask(context, stubborn, (up) => accept(up, claim, change)))
  if (random.chance(0.5)) await ask(context, stubborn, (up) => accept(up, claim))
  await busy()
  if (random.chance(0.15)) await ask(context, once, (up) => extend(up, claim, leaseMsMax / 1000))
  const fate = random.below(10)
  if (fate < 2) return
  if (fate < 4) {
    const reason = random.pick(['out_of_stock', 'damaged', 'closed'] as const)
    await ask(context, stubborn, (up) => reject(up, claim, reason, [], ''))
    return
  }
  const parts =
    fate < 6
      ? halves(task.lines)
      : [task.lines.map(({ sku, quantity, shipped }) => ({ sku, quantity: quantity - shipped }))]
  for (const [i, lines] of parts.entries()) {
    const sent = lines.filter((l) => l.quantity > 0)
    if (sent.length === 0) continue
    const packages: Omit<Package, 'shippedAt'>[] = [{ carrier: 'c', waybill: `${taskId}-${fence}-${i}`, lines: sent }]
    await ask(context, stubborn, (up) => ship(up, claim, packages))
    // What is in doubt is told again.
    if (random.chance(0.3)) await ask(context, once, (up) => ship(up, claim, packages))
    await busy()
  }
}

function halves(lines: readonly TaskLine[]): { sku: string; quantity: number }[][] {
  const left = lines.map(({ sku, quantity, shipped }) => ({ sku, quantity: quantity - shipped }))
  const first = left.map(({ sku, quantity }) => ({ sku, quantity: Math.floor(quantity / 2) }))
  return [first, left.map(({ sku, quantity }, i) => ({ sku, quantity: quantity - first[i]!.quantity }))]
}
