/** The division table as a list of districts to live in: for demo stores and demo buyers. */
import type { Divisions } from '../../../router/address.ts'
import type { Point } from '../../../router/types.ts'

/** A district of mainland China with the names of the divisions above it, as a platform would write them. */
export interface District {
  readonly adcode: string
  readonly province: string
  /** In a municipality the same as the province. */
  readonly city: string
  readonly district: string
  readonly point: Point
}

// Platforms ship to Taiwan, Hong Kong and Macao by other rules.
const notMainland = new Set(['71', '81', '82'])

/** In the order of their codes. Counties that a province governs without a city are left out. */
export function districtsOf(divisions: Divisions): District[] {
  const districts: District[] = []
  const known = new Set<string>()
  for (const [province, inProvince] of named(divisions.provinces.full)) {
    if (notMainland.has(inProvince.resolved.adcode.slice(0, 2))) continue
    for (const [city, inCity] of named(inProvince.cities.full)) {
      for (const [district, { adcode, point }] of named(inCity.districts.full)) {
        // A municipality is its own city under several names: the first is the one that people write.
        if (!known.has(adcode)) districts.push({ adcode, province, city, district, point })
        known.add(adcode)
      }
    }
  }
  return districts.sort((a, b) => (a.adcode < b.adcode ? -1 : 1))
}

/** A name that two divisions share means nothing. */
function* named<T>(names: ReadonlyMap<string, T | null>): Generator<[name: string, meaning: T]> {
  for (const [name, meaning] of names) if (meaning !== null) yield [name, meaning]
}
