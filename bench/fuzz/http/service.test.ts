/** A short run against a whole service: requests by shape, signed and mutated webhooks, bytes on its sockets. */
import { expect, test } from 'vitest'
import { testSeed } from '../../../router/testing/seed.ts'
import { fuzz } from '../../fuzz.ts'

test('nothing but documented answers, and a sound database at the end', async () => {
  const options = { seed: testSeed, minutes: null, threads: 1, replay: null, folder: '', inputs: 600 }
  const report = await fuzz({ ...options, targets: ['http', 'sockets'] })
  expect([...report.failures.values()]).toEqual([])
  expect(report.fed.get('http')?.inputs).toBe(600)
  expect(report.fed.get('sockets')?.inputs).toBe(600)
})
