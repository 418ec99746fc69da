-- An exception's ref named a place as `node/sku` and an event as `channel/shop/event`, and codes may hold a slash: two things could
-- have one ref, and so one exception. Each part is escaped now; refs of codes without `/` and `%` stay what they are.

update exception set ref = replace(replace(detail ->> 'node', '%', '%25'), '/', '%2F') || '/' || replace(replace(detail ->> 'sku', '%', '%25'), '/', '%2F')
where kind = 'shortage' and (detail ->> 'node') || (detail ->> 'sku') ~ '[/%]';

update exception set ref = detail ->> 'channel' || '/' || replace(replace(detail ->> 'shop', '%', '%25'), '/', '%2F') || '/' || replace(replace(detail ->> 'eventId', '%', '%25'), '/', '%2F')
where kind in ('event_conflict', 'undecidable_event', 'unintelligible_event')
  and detail ->> 'channel' is not null and (detail ->> 'shop') || (detail ->> 'eventId') ~ '[/%]';

update exception set ref = detail ->> 'channel' || '/' || replace(replace(detail ->> 'shop', '%', '%25'), '/', '%2F') || '/' || replace(replace(detail ->> 'orderId', '%', '%25'), '/', '%2F')
where kind = 'order_not_fetched' and detail ->> 'channel' is not null and (detail ->> 'shop') || (detail ->> 'orderId') ~ '[/%]';

-- A bill's row is `source:account:ref`; only the account may hold a colon before the last part.
update exception set ref = detail ->> 'source' || ':' || replace(replace(detail ->> 'account', '%', '%25'), ':', '%3A')
  || substr(ref, length(detail ->> 'source') + length(detail ->> 'account') + 2)
where kind in ('bill_without_order', 'bill_conflict') and detail ->> 'account' ~ '[%:]';
