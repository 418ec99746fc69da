/** Returns: the same on Postgres and on plain maps, answer by answer and state by state. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agree, receive, requestReturn } from '../../router/returns/return.ts'
import type { SkuFindings } from '../../router/returns/types.ts'
import type { OrderStore } from './order-store.ts'
import { sameOnBoth } from './testing/both-stores.ts'
import { keyFor } from './testing/world.ts'
import { type TestDatabase, testDatabase } from './testing.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

const said = { actor: { kind: 'operator', name: 'w' }, note: '', at: 7 } as const

async function ask(store: OrderStore, orderId: string, quantity: number, ref = 'r'): Promise<string> {
  const place = { node: 'east', carrier: null, waybill: null } as const
  const asked = { ref, hash: 'h', kind: 'return', ...place, refundFen: 0, agreed: true } as const
  const done = await store.changeReturn(keyFor(orderId), (world) =>
    requestReturn(world, { ...asked, lines: [{ lineId: null, sku: 'a', quantity }] }, said),
  )
  return done.outcome === 'written' ? done.written.id : done.outcome
}

function unpack(store: OrderStore, returnId: string, node: string, ref: string, found: Partial<SkuFindings>) {
  const lines = [{ sku: 'a', good: 0, damaged: 0, missing: 0, ...found }]
  return store.changeReturn({ returnId }, (_, known) => receive(known!, { ref, hash: 'h', node, lines }, said))
}

test('units come back in parts, at two nodes: stock, marks and numbers', () =>
  sameOnBoth(
    () => database,
    async (scene) => {
      const { store } = scene
      await scene.post('east', 'set', 50)
      expect(await ask(store, 'unknown', 1)).toBe('not_found')
      await scene.routed('1')
      expect(await ask(store, '1', 1)).toBe('units_do_not_fit')
      const id = await scene.shipped('2', 5)
      const first = await ask(store, '2', 3)
      expect([first, await ask(store, '2', 3, 's'), await ask(store, '2', 2, 's')]).toEqual([
        '1',
        'units_do_not_fit',
        '2',
      ])
      const agreement = { carrier: 'SF', waybill: 'W9' }
      await store.changeReturn({ returnId: first }, (_, known) => agree(known!, agreement, said))
      const before = await scene.available('east')
      expect(await unpack(store, first, 'east', 'p1', { good: 1, damaged: 1 })).toMatchObject({
        ...{ outcome: 'written', delta: { node: 'east', lines: [{ sku: 'a', delta: 1 }] } },
      })
      expect(await unpack(store, first, 'east', 'p1', { good: 1, damaged: 1 })).toMatchObject({ outcome: 'unchanged' })
      expect(await scene.available('east')).toBe(before! + 1)
      expect(await unpack(store, first, 'east', 'p2', { missing: 1 })).toMatchObject({ delta: null })
      // The row is new there, so the node keeps back its safety stock of it.
      expect(await unpack(store, '2', 'west', 'p1', { good: 2 })).toMatchObject({ delta: { lines: [{ delta: 1 }] } })
      expect(await unpack(store, '9', 'west', 'p1', { good: 2 })).toMatchObject({ outcome: 'not_found' })
      expect(await store.dueOrders('0', 9)).toEqual([id])
      await store.reconcileTogether([id], ({ input }) => {
        expect(input.returns).toMatchObject([
          { id: '1', state: 'received' },
          { id: '2', state: 'received' },
        ])
        return null
      })
    },
  ))
