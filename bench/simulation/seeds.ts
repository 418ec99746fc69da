/**
 * Seeds that notice each deliberate fault, found by `npm run simulate -- --mutants --seeds 2000`. A change of any stage gives all
 * of them another course: what notices rarely has to be found again then.
 */
import type { SeedsByName } from './hunt.ts'

export const seedsThatNotice: SeedsByName = {
  'the fetcher believes an answer older than its notification': [54],
  'a task is called back whatever became of it': [325],
  'a task that is to be stopped still ships': [168],
  'restock forgets those behind that cannot be filled': [54],
  'a shortage calls back one too many': [89],
  'a shortage calls back what is called back already': [217],
  'a mark on an order that was matched before is dropped': [11626],
  'the fetcher answers a notification that came while it asked': [456],
}
