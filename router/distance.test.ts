import { expect, test } from 'vitest'
import { haversineKm, roundedKm } from './distance.ts'
import { fc } from './testing/seed.ts'

const shanghai = { lat: 31.2304, lng: 121.4737 }
const beijing = { lat: 39.9042, lng: 116.4074 }
const urumqi = { lat: 43.8256, lng: 87.6168 }

test.each([
  ['Shanghai to Beijing', shanghai, beijing, 1067, 5],
  ['Shanghai to Urumqi', shanghai, urumqi, 3270, 20],
  ['a point to itself', shanghai, shanghai, 0, 0],
  ['pole to pole', { lat: 90, lng: 0 }, { lat: -90, lng: 0 }, 20015, 1],
  ['over the date line', { lat: 0, lng: 179.5 }, { lat: 0, lng: -179.5 }, 111.2, 0.1],
])('%s', (_what, a, b, km, within) => {
  expect(Math.abs(haversineKm(a, b) - km)).toBeLessThanOrEqual(within)
})

test('never NaN, never negative, the same both ways, and tenths stay tenths', () => {
  const point = fc.record({
    lat: fc.double({ min: -90, max: 90, noNaN: true }),
    lng: fc.double({ min: -180, max: 180, noNaN: true }),
  })
  fc.assert(
    fc.property(point, point, (a, b) => {
      const km = haversineKm(a, b)
      expect(km).toBeGreaterThanOrEqual(0)
      expect(Math.abs(km - haversineKm(b, a))).toBeLessThan(1e-6)
      expect(JSON.parse(JSON.stringify(roundedKm(a, b)))).toBe(Math.round(km * 10) / 10)
    }),
  )
})
