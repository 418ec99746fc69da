/** Availability answer as a map of figures would, whoever shares them and however often they have grown. */
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { fc, runs } from '../../router/testing/seed.ts'
import { Availability } from './availability.ts'

const anyChange = fc.record({
  how: fc.constantFrom<'set' | 'add'>('set', 'add'),
  node: fc.integer({ min: 1, max: 90 }),
  sku: fc.integer({ min: 1, max: 12 }),
  units: fc.integer({ min: -3, max: 5 }),
})

test('figures, totals and who has some', () => {
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 400, size: 'max' }), (changes) => {
      let availability = Availability.sized(12, 16)
      // As a thread that was given the memory early.
      let other = new Availability(availability.shape)
      const figures = new Map<string, number>()
      for (const { how, node, sku, units } of changes) {
        if (availability.isCrowded) {
          availability = availability.grown()
          other = new Availability(availability.shape)
        }
        availability[how](node, sku, units)
        figures.set(`${node} ${sku}`, units + (how === 'add' ? (figures.get(`${node} ${sku}`) ?? 0) : 0))
        expect(other.get(node, sku)).toBe(figures.get(`${node} ${sku}`))
        other.holdersOf(sku)
      }
      for (const some of [availability, other]) {
        for (let sku = 1; sku <= 12; sku++) {
          const unitsAt = some.unitsOf(sku)
          const { numbers: listed, unitsAt: unitsOfHolder } = some.holdersOf(sku)
          expect(listed.map((_, at) => unitsOfHolder(at))).toEqual(listed.map((node) => some.get(node, sku)))
          const all = Array.from({ length: 90 }, (_, n) => n + 1)
          const units = all.map((node) => figures.get(`${node} ${sku}`) ?? 0)
          expect(all.map((node) => some.get(node, sku))).toEqual(units)
          expect(all.map(unitsAt)).toEqual(units)
          expect(new Set(listed).size).toBe(listed.length)
          expect(all.every((node, n) => units[n] === 0 || listed.includes(node))).toBe(true)
          const total = units.reduce((sum, one) => sum + Math.max(0, one), 0)
          expect(some.anywhere(sku)).toBe(total)
        }
      }
    }),
    { numRuns: runs(60) },
  )
})

test('a SKU or a figure for which there is no room has no stock to speak of', () => {
  const availability = Availability.sized(1, 8)
  const beyond = availability.shape.columns
  availability.set(1, beyond, 5)
  expect([availability.get(1, beyond), availability.anywhere(beyond), availability.unitsOf(beyond)(1)]).toEqual([
    0, 0, 0,
  ])
  expect(availability.holdersOf(beyond).numbers).toEqual([])
  expect(availability.covers(beyond)).toBe(false)
  for (let node = 1; node <= 9; node++) availability.add(node, 1, 2)
  expect(availability.isCrowded).toBe(true)
  expect(availability.anywhere(1)).toBe(16)
  expect(availability.get(9, 1)).toBe(0)
  const grown = availability.grown()
  grown.add(9, 1, 2)
  expect([grown.anywhere(1), grown.get(8, 1), grown.get(9, 1)]).toEqual([18, 2, 2])
  const widened = grown.widened(beyond)
  widened.set(1, beyond, 5)
  expect([widened.covers(beyond), widened.get(1, beyond), widened.anywhere(beyond)]).toEqual([true, 5, 5])
  expect([widened.anywhere(1), widened.holdersOf(1).numbers.length, widened.get(9, 1)]).toEqual([18, 9, 2])
})

test('threads that add the same figures at the same time make one of each', async () => {
  const [nodes, skus, threads] = [40, 50, 3]
  const availability = Availability.sized(skus, nodes * skus * threads)
  const file = JSON.stringify(new URL('./availability.js', import.meta.url).href)
  const code = `
    const { workerData } = require('node:worker_threads')
    import(${file}).then(({ Availability }) => {
      const availability = new Availability(workerData.shape)
      const gate = new Int32Array(workerData.gate)
      Atomics.add(gate, 0, 1)
      while (Atomics.load(gate, 0) < workerData.threads);
      for (let node = 1; node <= ${nodes}; node++) for (let sku = 1; sku <= ${skus}; sku++) availability.add(node, sku, 1)
    })`
  const workerData = { shape: availability.shape, gate: new SharedArrayBuffer(4), threads }
  await Promise.all(
    Array.from({ length: threads }, () => {
      const worker = new Worker(code, { eval: true, workerData })
      return new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
    }),
  )
  for (let sku = 1; sku <= skus; sku++) {
    expect(availability.holdersOf(sku).numbers.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: nodes }, (_, n) => n + 1),
    )
    for (let node = 1; node <= nodes; node++) expect(availability.get(node, sku)).toBe(threads)
    expect(availability.anywhere(sku)).toBe(nodes * threads)
  }
})
