import { expect, test } from 'vitest'
import { invariantNames } from '../adapters/store/audit/audit.ts'
import { measureAudit } from './audit-size.ts'

test('the audit over orders that took the whole way and were copied finds every promise held', async () => {
  const said: string[] = []
  const size = await measureAudit({ orders: 120, connections: 2, say: (line) => void said.push(line), seedOrders: 40 })
  expect(size.orders).toBe(120)
  expect(size.byInvariant.map((i) => i.invariant)).toEqual(invariantNames)
  expect(size.byInvariant.filter((i) => i.broken > 0)).toEqual([])
  expect(said.length).toBeGreaterThan(invariantNames.length)
})
