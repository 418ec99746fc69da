import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Closest } from './closest.ts'

test('the same as sorting all of them', () => {
  // Few distances, so that many are equally far.
  const distances = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 200, size: 'max' })
  fc.assert(
    fc.property(distances, fc.integer({ min: 1, max: 40 }), (all, max) => {
      const closest = new Closest(max)
      all.forEach((distance, item) => {
        const wanted = closest.wants(item, distance)
        // What is passed over by its distance alone would not have been wanted.
        if (distance > closest.farthest) expect(wanted).toBe(false)
        if (wanted) closest.add(item, distance)
      })
      const sorted = [...all.keys()].sort((a, b) => all[a]! - all[b]! || a - b)
      expect(closest.inOrder()).toEqual(sorted.slice(0, max))
    }),
  )
})
