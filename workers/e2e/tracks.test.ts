/** Which words of carriers are about a parcel: another carrier has it than was told, its number was another parcel's before. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { channelNames } from '../../router/types.ts'
import { type TestOrder, testOrder } from './testing/orders.ts'
import { startTestService, type TestService } from './testing/service.ts'
import { billOf, signedMove } from './testing/webhooks.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
})
afterEach(async () => {
  expect(await service.audit()).toEqual([])
})
afterAll(() => service.close())

const day = 86_400_000

async function east(order: TestOrder, waybill: string): Promise<void> {
  const node = service.at('east')
  expect(await node.ship(await node.pullFor(order), waybill)).toMatchObject({ status: 200 })
}

/** Its money has come; nothing has left. */
async function paid(channel: (typeof channelNames)[number], sku: string) {
  await service.goods(sku, { east: 5 })
  const order = testOrder(channel, [{ sku, quantity: 1, paidFen: 1_000 }])
  await service.tell(order)
  await service.bill(billOf(order))
  return order
}

describe.each(channelNames)('%s', (channel) => {
  const steps = ['ship', 'move', 'deliver'] as const
  type Step = (typeof steps)[number]
  const sequences: readonly (readonly Step[])[] = [
    ['ship', 'move', 'deliver'],
    ['ship', 'deliver', 'move'],
    ['move', 'ship', 'deliver'],
    ['deliver', 'move', 'ship'],
  ]
  test.each(sequences)('the carrier is corrected by the service that tracks it: %s, %s, %s', async (...sequence) => {
    const waybill = `YT-${channel}-${sequence.join('-')}`
    const order = await paid(channel, waybill.toLowerCase())
    const act: Readonly<Record<Step, () => Promise<unknown>>> = {
      ship: async () => {
        const task = await service.at('east').pullFor(order)
        const told = await service.at('east').ship(task, waybill, undefined, { carrier: 'yuantong' })
        expect(told.status).toBe(200)
      },
      move: () => service.send(signedMove({ carrier: 'yuantong', waybill, carrierNew: 'shentong' })),
      deliver: () => service.track({ carrier: 'shentong', waybill, state: '3', at: Date.now() }),
    }
    for (const step of sequence) {
      await act[step]()
      if (step !== 'ship') await act[step]()
    }
    await service.settled()
    const view = await service.order(order)
    expect(view).toMatchObject({ state: 'closed', reconciliation: { exceptions: [] } })
    expect(await service.exceptions('tracking_stopped')).toEqual([])
  })

  test.each([
    ['delivered', '3'],
    ['returned', '4'],
  ])(
    'a number whose older parcel was %s does not close the order of today, its own delivery does',
    async (_, state) => {
      const waybill = `SF-${channel}-again-${state}`
      const order = await paid(channel, waybill.toLowerCase())
      await service.track({ carrier: 'shunfeng', waybill, state, at: Date.now() - 200 * day })
      await service.at('east').ship(await service.at('east').pullFor(order), waybill)
      await service.settled()
      const view = await service.order(order)
      expect(view.state).toBe('shipped')
      expect(view.reconciliation!.expected!.map(({ what }) => what)).toEqual(['parcel_moving'])
      await service.track({ carrier: 'shunfeng', waybill, state: '0', at: Date.now() - 2_000 })
      expect((await service.order(order)).reconciliation!.expected!.map(({ what }) => what)).toEqual(['delivery'])
      await service.track({ carrier: 'shunfeng', waybill, state: '3', at: Date.now() - 1_000 })
      expect(await service.order(order)).toMatchObject({ state: 'closed', reconciliation: { exceptions: [] } })
    },
  )

  test('a number that is issued again leaves the order closed that had it before', async () => {
    const waybill = `SF-${channel}-reused`
    const first = await paid(channel, `${channel}-reused-1`)
    await east(first, waybill)
    await service.track({ carrier: 'shunfeng', waybill, state: '3', at: Date.now() - 100 * day })
    // As it will be when the number comes again.
    await service.sql`
      update task set packages = jsonb_set(packages, '{0,shippedAt}', to_jsonb(${Date.now() - 102 * day}::bigint))
      where task_id in (select task_id from parcel where waybill = ${waybill})`
    await service.track({ carrier: 'shunfeng', waybill, state: '3', at: Date.now() - 101 * day })
    expect((await service.order(first)).state).toBe('closed')
    const second = await paid(channel, `${channel}-reused-2`)
    await east(second, waybill)
    await service.track({ carrier: 'shunfeng', waybill, state: '0', at: Date.now() - 1_000 })
    expect([(await service.order(first)).state, (await service.order(second)).state]).toEqual(['closed', 'shipped'])
    await service.track({ carrier: 'shunfeng', waybill, state: '3', at: Date.now() })
    expect([(await service.order(first)).state, (await service.order(second)).state]).toEqual(['closed', 'closed'])
  })

  test('delivered an hour before a late confirm', async () => {
    const waybill = `SF-${channel}-late`
    const order = await paid(channel, waybill.toLowerCase())
    await service.track({ carrier: 'shunfeng', waybill, state: '3', at: Date.now() - 3_600_000 })
    await service.at('east').ship(await service.at('east').pullFor(order), waybill)
    await service.settled()
    expect(await service.order(order)).toMatchObject({ state: 'closed', reconciliation: { exceptions: [] } })
  })
})

test('tracking had stopped: the carrier that has the parcel ends it', async () => {
  const waybill = 'YT-stopped'
  const order = await paid('tmall', 'stopped')
  await service.at('east').ship(await service.at('east').pullFor(order), waybill, undefined, { carrier: 'YTO' })
  await service.send(signedMove({ carrier: 'yuantong', waybill, carrierNew: '' }))
  expect(await service.exceptions('tracking_stopped')).toHaveLength(1)
  await service.send(signedMove({ carrier: 'yuantong', waybill, carrierNew: 'shentong' }))
  expect(await service.exceptions('tracking_stopped')).toEqual([])
})
