/** The orders of one world: some whose platform sends them whole, some of which it only notifies. */
import type { Random } from '../../adapters/shared/seeded-random.ts'
import { tellNotifiedStory } from './notified-story.ts'
import type { Stories } from './platform.ts'
import { tellStory } from './story.ts'

/** `startMs`: when the world starts; the orders were placed ten minutes before. */
export function tellStories(random: Random, startMs: number): Stories {
  const stories: { told: ReturnType<typeof tellStory>[]; notified: ReturnType<typeof tellNotifiedStory>[] } = {
    told: [],
    notified: [],
  }
  const orders = random.between(4, 10)
  for (let i = 0; i < orders; i++) {
    const [orderId, toldFromMs] = [`${100 + i}`, startMs - 600_000]
    if (random.chance(0.3)) stories.notified.push(tellNotifiedStory(random, orderId, toldFromMs))
    else stories.told.push(tellStory(random, orderId, toldFromMs))
  }
  return stories
}
