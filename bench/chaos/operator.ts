/** Operations: goods come in, told until the answer is heard, under one reference each. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../../adapters/shared/seeded-random.ts'
import { adminToken } from '../../workers/faults/testing/process.ts'
import type { Book } from './book.ts'
import { type Clients, jsonRequest } from './clients.ts'
import type { Goods } from './goods.ts'

const everyMs = 400
const againMs = 50
const unitsMax = 12

export async function receiveGoods(
  { clients, book, goods }: { readonly clients: Clients; readonly book: Book; readonly goods: Goods },
  random: Random,
  goOn: () => boolean,
): Promise<void> {
  for (let count = 1; goOn(); count++) {
    const node = random.pick(goods.nodes)
    const lines = [{ sku: random.pick(goods.scarce), quantity: random.between(1, unitsMax) }]
    const request = jsonRequest(`/v1/nodes/${node}/stock`, {
      ref: `delivery-${random.next()}-${count}`,
      kind: 'add',
      lines,
    })
    for (;;) {
      const answer = await clients.ask(request, adminToken)
      if (answer?.status === 200) break
      if (answer !== null && answer.status !== 503) book.wonder('stock', answer)
      await delay(againMs)
    }
    book.shelve(node, lines)
    await delay(everyMs)
  }
}
