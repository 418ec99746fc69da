/** Second chapter: people change their minds, goods arrive, a shelf is counted; before any warehouse has asked for work. */

import { orderPath } from './client.ts'
import { claim, keyOf, liveTasks, look, nodeName, type Play, places, sendAcknowledged, until } from './play.ts'
import { post, rowAt } from './stock-book.ts'

export async function changes(play: Play): Promise<void> {
  play.paper.chapter('Before anybody has picked anything', '出库前变更')
  await payments(play)
  await backingOut(play)
  await movingHouse(play)
  await askingForAPerson(play)
  await goodsArrive(play)
  await shelfCounted(play)
}

async function payments(play: Play): Promise<void> {
  const { presale } = play.orders.samples
  const { unpaid } = play.orders.parts
  await sendAcknowledged(play, presale, 'paid')
  await sendAcknowledged(play, unpaid, 'paid')
  const tent = await until(play, presale, 'routed', (view) => view.state === 'routed')
  const paid = await until(play, unpaid, 'routed', (view) => view.state === 'routed')
  claim(
    play,
    liveTasks(tent).every((task) => task.node.startsWith('WH-')),
    `The presale’s balance (尾款) is paid: the tent leaves from ${places(play, tent)}, as tents leave from warehouses only.`,
  )
  claim(play, liveTasks(paid).length > 0, `The unpaid order is paid: routed to ${places(play, paid)}.`)
}

async function backingOut(play: Play): Promise<void> {
  const { cancelled, lineRefund } = play.orders.parts
  const task = liveTasks(await look(play, cancelled))[0]!
  const { sku, quantity } = task.lines[0]!
  const before = await rowAt(play.client, task.node, sku)
  await sendAcknowledged(play, cancelled, 'closed')
  await until(play, cancelled, 'cancelled', (view) => view.state === 'cancelled')
  const after = await rowAt(play.client, task.node, sku)
  claim(
    play,
    before !== undefined && after !== undefined && after.reserved === before.reserved - quantity,
    `JD cancels an order that nobody pulled: its task is gone at once, its goods are free again (${nodeName(play, task.node)}: ` +
      `${before?.reserved} → ${after?.reserved} reserved).`,
  )

  const line = (await look(play, lineRefund)).lines.length
  await sendAcknowledged(play, lineRefund, 'refund_requested')
  await until(play, lineRefund, 'held in part', (view) => view.lines.some(({ state }) => state === 'held'))
  await sendAcknowledged(play, lineRefund, 'refund_success')
  const left = await until(play, lineRefund, 'cancelled in part', (view) =>
    view.lines.some(({ state }) => state === 'cancelled'),
  )
  claim(
    play,
    left.state === 'routed' && left.lines.filter(({ state }) => state === 'cancelled').length === 1,
    `A WeChat buyer wants the money back for one of ${line} lines (退款): held while asked for, cancelled when granted; ` +
      `the rest still leaves from ${places(play, left)}.`,
    `it is ${left.state}`,
  )
}

async function movingHouse(play: Play): Promise<void> {
  const { moved } = play.orders.parts
  const before = await look(play, moved)
  await sendAcknowledged(play, moved, 'address_changed')
  const after = await until(
    play,
    moved,
    'sourced anew',
    (view) => view.version > before.version && liveTasks(view).length > 0,
  )
  const old = new Set(liveTasks(before).map((task) => task.taskId))
  claim(
    play,
    liveTasks(after).every((task) => !old.has(task.taskId)),
    `A buyer moves to another province (改地址): sourced anew, ${places(play, before)} → ${places(play, after)}.`,
  )
}

async function askingForAPerson(play: Play): Promise<void> {
  const { note, unknownSku } = play.orders.parts
  const held = await look(play, note)
  const path = `${orderPath(keyOf(note))}/approve`
  await play.client.operate('POST', path, { note: 'read, the buyer only wants a red ribbon' })
  const released = await until(play, note, 'routed', (view) => view.state === 'routed')
  claim(
    play,
    held.holds[0]?.rule === 'human_wanted' && released.holds.length === 0,
    `Operations read the note that asked for a person, and let the order go (放行): routed to ${places(play, released)}.`,
  )
  const unknown = await look(play, unknownSku)
  claim(
    play,
    unknown.state === 'held',
    `Nobody knows the code: ${unknown.holds[0]?.reason ?? 'no reason'}. It stays held.`,
  )
}

async function goodsArrive(play: Play): Promise<void> {
  const { client, limited, stock, stage, orders } = play
  const ref = `demo-${stage.run}-delivery`
  await post(client, stock, { node: 'WH-HGH', ref, kind: 'add', sku: limited.sku.hat, quantity: 5 })
  const filled = await until(play, orders.parts.backorder, 'routed', (view) => view.state === 'routed')
  claim(
    play,
    liveTasks(filled)[0]?.node === 'WH-HGH',
    'Five hats are delivered to Hangzhou: the backorder is routed there by itself (到货补单).',
  )
}

/** Three cups are promised from Chengdu, and a count finds one. */
async function shelfCounted(play: Play): Promise<void> {
  const { client, limited, stock, stage, orders } = play
  const { counted1, counted2, counted3 } = orders.parts
  const cups = [counted1, counted2, counted3]
  const count = {
    node: 'WH-CTU',
    ref: `demo-${stage.run}-count`,
    kind: 'set',
    sku: limited.sku.cup,
    quantity: 1,
  } as const
  const { shortages } = await post(client, stock, count)
  claim(
    play,
    shortages.length === 1 && shortages[0]!.missing === 2,
    'A count in Chengdu (盘点) finds one cup where three are promised: a shortage of two is raised.',
    JSON.stringify(shortages),
  )
  await Promise.all(
    [counted2, counted3].map((order) =>
      until(play, order, 'sourced elsewhere', (v) => v.state === 'backordered' || liveTasks(v)[0]?.node === 'WH-XIY'),
    ),
  )
  const views = await Promise.all(cups.map((order) => look(play, order)))
  const nodes = views.map((view) => liveTasks(view)[0]?.node ?? view.state).sort()
  claim(
    play,
    nodes.join() === 'WH-CTU,WH-XIY,backordered',
    'The count is believed: Chengdu keeps one order, Xi’an, which has one cup, gets one, and one waits. None is sold twice (防超卖).',
    nodes.join(', '),
  )
  const delivery = {
    node: 'WH-CTU',
    ref: `demo-${stage.run}-found`,
    kind: 'add',
    sku: limited.sku.cup,
    quantity: 1,
  } as const
  await post(client, stock, delivery)
  await Promise.all(cups.map((order) => until(play, order, 'routed', (view) => view.state === 'routed')))
  claim(play, true, 'A lost cup turns up behind the shelf: the third order is routed after all.')
}
