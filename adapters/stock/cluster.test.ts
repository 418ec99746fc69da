import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { Stock } from './stock.ts'
import { startPrivateRedis } from './testing.ts'

/** In cluster mode Redis refuses keys of different slots, and keys that a script was not given. */
test('every verb runs in cluster mode: keys are declared and in one slot', async () => {
  const server = await startPrivateRedis(['--cluster-enabled', 'yes', '--cluster-require-full-coverage', 'no'])
  const raw = new Redis(server.socket)
  const stock = new Stock({ redis: server.socket })
  try {
    await raw.cluster('ADDSLOTSRANGE', 0, 16_383)
    while (!(await raw.cluster('INFO')).includes('cluster_state:ok')) await new Promise(setImmediate)
    await stock.connect()
    await stock.loadScripts()
    for (const node of ['n', '上海 1号仓', 'x}y{z']) {
      const ref = { node, reservationId: 'r' }
      const lines = [{ sku: 'a', quantity: 1 }]
      expect(await stock.reload(1, node, 0, [{ sku: 'a', atp: 2 }])).toMatchObject({ outcome: 'reloaded' })
      expect(await stock.reserve(1, 0, [{ ...ref, lines }])).toMatchObject([{ outcome: 'reserved' }])
      expect(await stock.release(1, [ref])).toMatchObject([{ outcome: 'released' }])
      expect(await stock.confirm(1, [ref])).toMatchObject([{ outcome: 'absent' }])
      expect(await stock.apply(1, node, 1, [{ lines: [{ sku: 'a', delta: 1 }] }])).toMatchObject({ outcome: 'applied' })
      expect(await stock.inspect(1, node)).toMatchObject({ atp: new Map([['a', 3]]) })
    }
  } finally {
    stock.close()
    raw.disconnect()
    await server.stop()
  }
})
