/** First chapter's end: what happens when goods are few. */
import { columns, isDecided, row } from './order-rows.ts'
import { claim, liveTasks, look, type Play, sendAcknowledged, until } from './play.ts'
import { post } from './stock-book.ts'
import type { StoryOrder } from './story-order.ts'

/** Four limited editions, a few pieces each. */
export async function fewGoods(play: Play): Promise<void> {
  const { paper, orders, limited, client, stock, stage } = play
  const { overTwoNodes, backorder, rejected, counted1, counted2, counted3 } = orders.parts
  paper.chapter('When goods are few: four limited editions of this run', '限量')
  const stocked: readonly (readonly [string, keyof typeof limited.sku, number])[] = [
    ['WH-SHA', 'lamp', 2],
    ['WH-CAN', 'lamp', 2],
    ['WH-PEK', 'kettle', 1],
    ['WH-TSN', 'kettle', 1],
    ['WH-CTU', 'cup', 3],
    ['WH-XIY', 'cup', 1],
  ]
  for (const [node, edition, quantity] of stocked) {
    const sku = limited.sku[edition]
    await post(client, stock, { node, ref: `demo-${stage.run}-${edition}`, kind: 'add', sku, quantity })
  }
  // One after the other: of the cups, the newest task is the first to be taken back.
  for (const order of [overTwoNodes, backorder, rejected, counted1, counted2, counted3]) {
    await sendAcknowledged(play, order, 'paid')
    await until(play, order, 'decided', isDecided)
  }
  const rows: string[][] = []
  const specials: readonly (readonly [StoryOrder, string])[] = [
    [overTwoNodes, '3 lamps'],
    [backorder, 'a hat nobody has'],
    [rejected, 'a kettle'],
    [counted1, 'a cup'],
    [counted2, 'a cup'],
    [counted3, 'a cup'],
  ]
  for (const [order, special] of specials) rows.push(row(play, order, await look(play, order), special))
  paper.table(columns, rows)
  const split = liveTasks(await look(play, overTwoNodes))
  claim(
    play,
    split.length === 2 && new Set(split.map((task) => task.node)).size === 2,
    'Three lamps, and no house has three: split over two nodes (拆单), three units in all.',
  )
  const waiting = await look(play, backorder)
  claim(
    play,
    waiting.state === 'backordered',
    'The hat is on backorder (缺货): taken, and waiting for goods.',
    `it is ${waiting.state}`,
  )
  const cups = await Promise.all([counted1, counted2, counted3].map((order) => look(play, order)))
  claim(
    play,
    cups.every(
      (view) =>
        liveTasks(view)
          .map((task) => task.node)
          .join() === 'WH-CTU',
    ),
    'All three cups are promised from Chengdu, which has three.',
  )
}
