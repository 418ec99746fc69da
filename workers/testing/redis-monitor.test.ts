import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { testRedis } from '../../adapters/shared/testing.ts'
import { monitorRedis } from './redis-monitor.ts'

test('hears what one database is told, in any script, and no other; also while others are busy', async () => {
  const [one, other] = await Promise.all([testRedis(), testRedis()])
  const clients = [new Redis(one.url), new Redis(other.url)] as const
  const busy = Array.from({ length: 500 }, (_, i) => clients[1].set(`elsewhere-${i}`, '1'))
  const monitors = await Promise.all(Array.from({ length: 5 }, () => monitorRedis(one.url)))
  await clients[0].set('收货人', '张三')
  await Promise.all(busy)
  await expect
    .poll(() => monitors.every(({ heard }) => heard().includes('"收货人" "张三"')), { timeout: 120_000 })
    .toBe(true)
  for (const monitor of monitors) {
    expect(monitor.heard()).not.toContain('elsewhere')
    monitor.close()
  }
  for (const client of clients) client.disconnect()
})
