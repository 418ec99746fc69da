/**
 * For tests: all that a store holds, in one shape for both kinds, so that two can be compared. Of an instant of the store's own
 * clock only what follows from it is kept: whether a lease lasts, an event is due, an order is marked.
 */
import type { MemoryStore } from '../memory/store.ts'
import type { Tables } from '../memory/tables.ts'
import { type OrderRow, orderFromRow } from '../orders/order-row.ts'
import type { Sql } from '../postgres/connect.ts'

export type State = Readonly<Record<string, unknown>>

/** One look. */
export async function stateInPostgres(sql: Sql): Promise<State> {
  const [row] = await sql<{ state: State; orders: readonly OrderRow[] }[]>`
    select json_build_object(
      'lastNumber', (select case when is_called then last_value else 0 end from event_seq),
      'inbox', (select json_agg(json_build_array(seq, day, channel, shop, event_id, order_id, kind,
        encode(body_hash, 'hex'), encode(body, 'hex')) order by seq) from inbox),
      'pending', (select json_agg(json_build_array(seq, attempts, last_error, not_before <= now()) order by seq) from pending),
      'eventConflicts', (select json_agg(encode(body, 'hex') order by body) from event_conflict),
      'backorders', (select json_agg(json_build_array(sku, order_id, quantity) order by sku, order_id) from backorder),
      'decisions', (select json_agg(json_build_array(order_id, version, seq, outcome) order by order_id, version, seq)
        from decision),
      'tasks', (select json_agg(json_build_array(task_id, order_id, node, state, fence, lease_until > now(),
        intercept_requested, lines, packages, put_right, reason, ship_by,
        extract(epoch from not_before)::bigint * 1000) order by created_at, task_id) from task),
      'nodes', (select json_agg(json_build_array(node, seq) order by node) from node),
      'stock', (select json_agg(json_build_array(node, sku, on_hand, reserved, safety, counted_at is not null) order by node, sku) from stock),
      'movements', (select json_agg(json_build_array(node, node_seq, kind, ref, skus, on_hand, reserved,
        coalesce(safety, array_fill(0, array[cardinality(skus)]))) order by id) from stock_movement),
      'postings', (select json_agg(json_build_array(node, ref, encode(body_hash, 'hex')) order by node, ref)
        from stock_posting),
      'parcels', (select json_agg(json_build_array(waybill, carrier, task_id, order_id) order by waybill, carrier, task_id)
        from parcel),
      'tracks', (select json_agg(json_build_array(waybill, carrier, state, occurred_at, encode(body_hash, 'hex'),
        carrier_new, earlier) order by waybill, carrier) from track),
      'bills', (select json_agg(json_build_array(id, source || ':' || account || ':' || ref, kind, channel, shop, order_id,
        transaction_id, amount_fen, fee_fen, occurred_at, encode(body_hash, 'hex'), progress) order by id) from bill_row),
      'reconciliations', (select json_agg(json_build_array(order_id, state, detail, updated_at = '-infinity',
        (extract(epoch from due_at) * 1000)::bigint) order by order_id)
        from reconciliation),
      'exceptions', (select json_agg(json_build_array(kind, ref, order_id, detail,
        case when since > now() - interval '1 hour' then 'now' else (extract(epoch from since) * 1000)::bigint::text end,
        resolved_at is not null, resolved_as, coalesce(accepted, false)) order by kind, ref, id) from exception),
      'writeOffs', (select json_agg(json_build_array(order_id, side, amount_fen) order by id) from exception_act
        where amount_fen is not null),
      'returns', (select json_agg(json_build_array(id, order_id, ref, kind, state, node, waybill, body) order by id) from returns),
      'epoch', (select epoch from stock_epoch)
    ) as state,
    (select json_agg(json_build_object('id', id::text, 'channel', channel, 'shop', shop, 'order_id', order_id,
      'version', version, 'state', state, 'body', body::json, 'items', items, 'allocations', allocations) order by id)
      from orders) as orders`
  const { state, orders } = row!
  return asJson({ ...state, orders: (orders ?? []).map(orderFromRow) })
}

export function stateInMemory({ tables }: MemoryStore): State {
  const nowMs = Date.now()
  return asJson({ ...eventsIn(tables, nowMs), ...workIn(tables, nowMs), ...stockIn(tables), ...moneyIn(tables, nowMs) })
}

function eventsIn(tables: Tables, nowMs: number) {
  return {
    lastNumber: tables.lastSeq,
    inbox: [...tables.inbox.values()].map((row) => [
      ...[Number(row.seq), row.day, row.channel, row.shop, row.eventId, row.orderId, row.kind, row.bodyHash],
      Buffer.from(row.body).toString('hex'),
    ]),
    pending: [...tables.pending.values()]
      .map((row) => [Number(row.seq), row.attempts, row.lastError, row.notBeforeMs <= nowMs])
      .sort(byFirst),
    eventConflicts: [...tables.eventConflicts.values()].map((body) => Buffer.from(body).toString('hex')).sort(),
  }
}

function workIn(tables: Tables, nowMs: number) {
  const rows = [...tables.tasks.values()]
  rows.sort((a, b) => a.createdAt - b.createdAt || (a.task.taskId < b.task.taskId ? -1 : 1))
  const decisions = tables.decisions.map((d) => [Number(d.orderId), d.version, Number(d.seq), d.outcome])
  return {
    orders: [...tables.orders.values()].sort((a, b) => Number(a.id) - Number(b.id)),
    backorders: sorted(
      [...tables.backorders].flatMap(([sku, waiting]) => [...waiting].map(([id, units]) => [sku, Number(id), units])),
    ),
    decisions: decisions.sort((a, b) => byFirst(a, b) || Number(a[1]) - Number(b[1]) || Number(a[2]) - Number(b[2])),
    tasks: rows.map(({ task, orderId, leaseUntilMs, packages, putRight, reason, shipBy }) => [
      ...[task.taskId, Number(orderId), task.node, task.state, task.fence],
      leaseUntilMs === null ? null : leaseUntilMs > nowMs,
      ...[task.interceptRequested, task.lines, packages, putRight.length === 0 ? null : putRight],
      ...[reason, shipBy, task.notBefore],
    ]),
  }
}

function stockIn(tables: Tables) {
  return {
    nodes: sorted([...tables.nodes.values()].map(({ node, seq }) => [node, seq])),
    stock: sorted(
      [...tables.stock].flatMap(([node, rows]) =>
        [...rows].map(([sku, { onHand, reserved, safety, countedAtMs }]) => [
          ...[node, sku, onHand, reserved, safety, countedAtMs !== null],
        ]),
      ),
    ),
    movements: tables.movements.map(({ node, seq, kind, ref, lines }) => [
      ...[node, seq, kind, ref, lines.map((l) => l.sku), lines.map((l) => l.onHand)],
      ...[lines.map((l) => l.reserved), lines.map((l) => l.safety)],
    ]),
    postings: sorted([...tables.postings].map(([key, hash]) => [...key.split('\u0000'), hash])),
    returns: [...tables.returns.values()].map((known) => {
      const { id, orderId, ref, kind, state, node, waybill, ...body } = known
      return [Number(id), Number(orderId), ref, kind, state, node, waybill, body]
    }),
    epoch: tables.epoch,
  }
}

function moneyIn(tables: Tables, nowMs: number) {
  const reconciliations = [...tables.reconciliations].map(([id, { state, detail, updatedAtMs, dueAtMs }]) => [
    ...[Number(id), state, JSON.parse(detail), updatedAtMs === Number.NEGATIVE_INFINITY, dueAtMs],
  ])
  const exceptions = tables.exceptions.map(
    ({ kind, ref, orderId, detail, since, resolvedAt, resolvedAs, accepted }) => {
      const from = since > nowMs - 3_600_000 ? 'now' : String(since)
      const of = orderId === null ? null : Number(orderId)
      return [kind, ref, of, detail, from, resolvedAt !== null, resolvedAs, accepted]
    },
  )
  return {
    parcels: sorted(
      [...tables.parcels].flatMap(([waybill, parcels]) =>
        parcels.map(({ carrier, taskId, orderId }) => [waybill, carrier, taskId, Number(orderId)]),
      ),
    ),
    tracks: sorted(
      [...tables.tracks].flatMap(([waybill, known]) =>
        [...known].map(([carrier, { track, bodyHash, earlier }]) => [
          ...[
            waybill,
            carrier,
            track.state,
            track.occurredAt,
            bodyHash,
            track.carrierNew ?? null,
            earlier.length === 0 ? null : earlier,
          ],
        ]),
      ),
    ),
    bills: [...tables.bills].map(([key, { id, hash, row }]) => [
      ...[id, key, row.kind, row.channel, row.shop, row.orderId, row.transactionId, row.amountFen, row.feeFen],
      ...[row.occurredAt, hash, row.progress ?? null],
    ]),
    reconciliations: reconciliations.sort(byFirst),
    writeOffs: tables.writeOffs.map(({ orderId, side, amountFen }) => [
      ...[orderId === null ? null : Number(orderId), side, amountFen],
    ]),
    exceptions: exceptions.sort((a, b) => compareTexts(`${a[0]}\u0000${a[1]}`, `${b[0]}\u0000${b[1]}`)),
  }
}

function byFirst(a: readonly unknown[], b: readonly unknown[]): number {
  return Number(a[0]) - Number(b[0])
}

/** By the first three cells; numbers by their size. */
function sorted(rows: readonly (readonly unknown[])[]): readonly unknown[] {
  const cellText = (cell: unknown): string => (typeof cell === 'number' ? String(cell).padStart(9) : String(cell))
  const textOf = (row: readonly unknown[]): string => row.slice(0, 3).map(cellText).join('\u0000')
  return [...rows].sort((a, b) => compareTexts(textOf(a), textOf(b)))
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Neither a missing field nor an empty list differs from null. */
function asJson(state: State): State {
  const text = JSON.stringify(state, (_, value: unknown) => (Array.isArray(value) && value.length === 0 ? null : value))
  return JSON.parse(text) as State
}
