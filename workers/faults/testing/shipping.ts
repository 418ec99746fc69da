/** Warehouses as tests need them: pull, accept and ship over HTTP, whatever happens to the service meanwhile. */
import { apiKeyOf } from './network.ts'

export interface Shipping {
  /** Where the service listens just now; null while it does not. */
  readonly target: () => string | null
  readonly goOn: () => boolean
  /** Gets the ids of the tasks whose shipment was confirmed. */
  readonly shipped: Set<string>
}

const idleMs = 30

export async function shipEverything(nodes: readonly string[], shipping: Shipping): Promise<void> {
  await Promise.all(nodes.map((node) => shipNode(node, shipping)))
}

async function shipNode(node: string, { target, goOn, shipped }: Shipping): Promise<void> {
  while (goOn()) {
    const url = target()
    const pulled =
      url === null ? null : await ask(url, node, `/v1/nodes/${node}/tasks/pull`, { limit: 5, leaseSeconds: 60 })
    for (const { taskId, fence, lines } of pulled?.tasks ?? []) {
      const packages = [
        { carrier: 'SF', waybill: `SF-${taskId}`, lines: lines.map(({ sku, quantity }) => ({ sku, quantity })) },
      ]
      const task = `/v1/tasks/${encodeURIComponent(taskId)}`
      const accepted = url === null ? null : await ask(url, node, `${task}/accept`, { fence })
      if (accepted === null || url === null) continue
      if ((await ask(url, node, `${task}/ship`, { fence, packages })) !== null) shipped.add(taskId)
    }
    await new Promise((resolve) => setTimeout(resolve, idleMs))
  }
}

interface Answer {
  readonly tasks?: readonly {
    readonly taskId: string
    readonly fence: number
    readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
  }[]
}

/** Null when nobody answers, or not with 200. */
async function ask(url: string, node: string, path: string, body: unknown): Promise<Answer | null> {
  try {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKeyOf(node)}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return answer.ok ? ((await answer.json()) as Answer) : null
  } catch {
    return null
  }
}
