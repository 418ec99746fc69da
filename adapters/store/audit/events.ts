/** Promises 1 and 2, as far as events go: what was acknowledged is decided once, or still to be, and nothing is dropped silently. */

import { refInSql } from '../exception-refs.ts'
import { doubted } from '../inbox/pending.ts'
import type { Invariant } from './invariant.ts'

export const eventInvariants: readonly Invariant[] = [
  {
    // Its own number stands in its own order's history. Who names no order that we know is shown to a person instead.
    name: 'every_order_event_is_decided',
    query: `
      select i.channel, i.shop, i.event_id from inbox i
      where i.kind not in ('notification', 'hint')
        and not exists (select from pending p where p.seq = i.seq)
        and not exists (
          select from decision d join orders o on o.id = d.order_id
          where d.seq = i.seq and d.seq > 0 and o.channel = i.channel and o.shop = i.shop and o.order_id = i.order_id)
        and not exists (
          select from exception e
          where e.kind = 'unintelligible_event' and e.ref = ${refInSql('i.channel', 'i.shop', 'i.event_id')})`,
  },
  {
    // Version 0.1.0 called a notification `hint`. Its order was fetched afterwards, which the fetch's number tells, or
    // the notification still waits. Answers without a number are unintelligible, or older than the numbers of fetches.
    name: 'every_notification_is_answered',
    query: `
      select h.channel, h.shop, h.event_id from inbox h
      where h.kind in ('notification', 'hint')
        and not exists (select from pending p where p.seq = h.seq)
        and not exists (
          select from inbox i
          where i.kind in ('order', 'unintelligible')
            and i.channel = h.channel and i.shop = h.shop and i.order_id = h.order_id
            and coalesce(substring(i.event_id from '@([0-9]{1,15})$')::bigint >= h.seq, true))`,
  },
  {
    // What waits for its decision has a body, and waits once.
    name: 'every_pending_event_is_in_the_inbox',
    query: `
      select p.seq, p.channel, p.shop, p.event_id from pending p
      left join inbox i on (i.day, i.channel, i.shop, i.event_id) = (p.day, p.channel, p.shop, p.event_id)
      where (i.seq, i.kind, i.order_id) is distinct from (p.seq, p.kind, p.order_id)`,
  },
  {
    name: 'no_event_is_decided_and_pending',
    query: `select p.seq, d.order_id, d.version from pending p join decision d on d.seq = p.seq`,
  },
  {
    // Twice in the history of one order, or in those of two, its effect was made twice.
    name: 'each_event_is_decided_once',
    query: `
      select seq, count(*)::int as times, (array_agg(order_id || ' version ' || version order by order_id, version))[:5] as decided
      from decision where seq > 0 group by seq having count(*) > 1`,
  },
  {
    // An open exception shows a person what cannot be decided or fetched, with its age, and one that a person settled was seen:
    // telling it again says nothing new.
    // An event that is put aside for good, with no exception, is told: nothing would ever look at it again. A notification
    // that was answered waits to be sure only.
    name: 'no_event_waits_too_long',
    query: `
      select p.channel, p.shop, p.event_id, p.kind, p.attempts, i.received_at, p.not_before::text from pending p
      join inbox i on (i.day, i.channel, i.shop, i.event_id) = (p.day, p.channel, p.shop, p.event_id)
      where i.received_at < now() - current_setting('paidan.pending_max')::interval
        and p.last_error is distinct from '${doubted}'
        and not exists (
          select from exception e
          where e.kind = 'undecidable_event' and e.ref = ${refInSql('p.channel', 'p.shop', 'p.event_id')}
            and (e.resolved_at is null or e.accepted))
        and not exists (
          select from exception e
          where e.kind = 'order_not_fetched' and e.ref = ${refInSql('p.channel', 'p.shop', 'p.order_id')}
            and p.kind in ('notification', 'hint') and (e.resolved_at is null or e.accepted))`,
  },
  {
    // The same event id with another body is kept and raised.
    name: 'conflicts_are_shown',
    query: `
      select c.channel, c.shop, c.event_id from event_conflict c
      where c.received_at <= now() - current_setting('paidan.grace')::interval and not exists (
        select from exception e
        where e.kind = 'event_conflict' and e.ref = ${refInSql('c.channel', 'c.shop', 'c.event_id')})`,
  },
]
