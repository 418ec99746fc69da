/**
 * Seeds that notice each deliberate fault, found by `npm run simulate -- --mutants --seeds 2000`. A change of any stage gives all
 * of them another course: what notices rarely has to be found again then.
 */
import type { SeedsByName } from './hunt.ts'

export const seedsThatNotice: SeedsByName = {
  'the fetcher answers a notification that came while it asked': [456],
}
