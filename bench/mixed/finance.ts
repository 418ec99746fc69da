/** Finance at work: every few seconds a bill of what was shipped since the last one, from each payment provider. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '../demo/client.ts'
import { genericBill, wechatBill } from '../traffic/bills.ts'
import { orderAt } from '../traffic/generator.ts'
import type { TrafficPlan } from '../traffic/plan.ts'

export interface Finance {
  readonly client: Client
  readonly plan: TrafficPlan
  readonly everyMs: number
  /** Orders shipped since it was last asked. */
  readonly takeShipped: () => readonly number[]
  readonly observe: (verb: string, status: number, ms: number) => void
}

/** Until `signal`. */
export async function settleBills(finance: Finance, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await importBills(finance)
    await delay(finance.everyMs, undefined, { signal }).catch(() => undefined)
  }
}

export async function importBills({ client, plan, takeShipped, observe }: Finance): Promise<void> {
  const orders = takeShipped().map((index) => orderAt(plan, index))
  if (orders.length === 0) return
  const bills = { generic: genericBill(orders), wechatpay: wechatBill(orders) }
  for (const [source, text] of Object.entries(bills)) {
    const started = performance.now()
    await client.operate('POST', `/v1/bills/${source}/bench`, text)
    observe('bill', 200, performance.now() - started)
  }
}
