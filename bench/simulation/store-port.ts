/** Postgres as one simulated process sees it: every verb of the store, each over the wire. */
import type { LockedBooks, OrderStore } from '../../adapters/store/order-store.ts'
import { type Verbs, verbNames } from './watched-store.ts'
import { lostConnection, type Wire } from './wire.ts'

export function storePort(wire: Wire, store: Verbs): OrderStore {
  const port: Record<string, unknown> = {}
  for (const verb of verbNames) {
    const ask = store[verb] as (...given: unknown[]) => Promise<unknown>
    port[verb] = (...given: unknown[]) =>
      wire.call(`postgres ${told(verb, given)}`, lostConnection, () => ask(...given))
  }
  return { ...(port as unknown as OrderStore), withEpochLock: (work) => lockedOver(wire, store, work) }
}

/** The transaction is rolled back when its process dies or its connection breaks inside. */
function lockedOver(wire: Wire, store: Verbs, work: Parameters<OrderStore['withEpochLock']>[0]): Promise<number> {
  const call = <T>(name: string, effect: () => Promise<T>): Promise<T> =>
    wire.call(`postgres ${name}`, lostConnection, effect)
  const locked = () =>
    store.withEpochLock(async (books, epoch) => {
      const inside: LockedBooks = {
        nodeNames: () => call('node names', () => books.nodeNames()),
        figuresOf: (nodes) => call(`figures of ${nodes.join(' ')}`, () => books.figuresOf(nodes)),
      }
      const through = async (): Promise<number | null> => {
        await call(`epoch ${epoch} locked`, async () => undefined)
        const raised = await work(inside, epoch)
        await call(`epoch ${raised ?? 'stays'}`, async () => undefined)
        return raised
      }
      return await Promise.race([through(), wire.life.died])
    })
  return wire.call('postgres epoch lock', lostConnection, locked, false)
}

const namesMax = 4

/** A verb with the names and numbers that it was given. */
function told(verb: string, given: readonly unknown[]): string {
  return [verb, ...given.flatMap(wordsOf)].join(' ')
}

function wordsOf(value: unknown): string[] {
  if (typeof value === 'string' || typeof value === 'number') return [String(value)]
  if (Array.isArray(value)) return value.slice(0, namesMax).flatMap(wordsOf)
  if (typeof value !== 'object' || value === null) return []
  const { eventId, order, node, reservationId, taskId, ref, kind, state } = value as Record<string, unknown>
  const { orderId } = (order ?? {}) as Record<string, unknown>
  return [eventId, orderId, node, reservationId, taskId, ref, kind, state].filter((word) => typeof word === 'string')
}
