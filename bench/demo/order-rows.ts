/** An order as a row of the paper. */
import { yuan } from '../traffic/amounts.ts'
import type { OrderView } from './client.ts'
import type { Column } from './paper.ts'
import { type Play, places } from './play.ts'
import type { StoryOrder } from './story-order.ts'

export const isDecided = (view: OrderView) => view.state !== 'announced'

export const columns: readonly Column[] = [
  { head: 'platform' },
  { head: 'order', max: 19 },
  { head: 'paid', align: 'right' },
  { head: 'what is special', max: 20 },
  { head: 'state' },
  { head: 'ships from', max: 21 },
]

export function row(play: Play, order: StoryOrder, view: OrderView, special: string): string[] {
  const isHeld = view.state === 'held' || view.state === 'unpaid'
  const from = isHeld ? `(${view.holds[0]?.rule ?? 'held'})` : places(play, view, '+')
  return [
    order.channel,
    order.orderId,
    view.paidFen === null ? '' : `¥${yuan(view.paidFen)}`,
    special,
    view.state,
    from || '–',
  ]
}
