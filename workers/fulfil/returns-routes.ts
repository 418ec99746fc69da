/** Returns as HTTP endpoints: an operator's, and a node's own. */
import { ApiError } from '../../adapters/http/errors.ts'
import { implement, type JsonRoute, ok } from '../../adapters/http/route.ts'
import { contract } from '../../adapters/http/v1/contract.ts'
import { keysOfOrders } from '../../adapters/store/orders/view.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { findReturn, listReturns, type ReturnQuery } from '../../adapters/store/returns/read.ts'
import { nodeActor } from '../../router/commands.ts'
import type { Return } from '../../router/returns/types.ts'
import { keyOf } from '../../router/shipped-units.ts'
import type { CatalogWatch } from '../catalog/catalog-watch.ts'
import {
  agreeToReturn,
  endReturn,
  openReturn,
  type ReturnTold,
  type ReturnVerbContext,
  receiveReturn,
  settleReturn,
} from './returns.ts'

export interface ReturnContext extends ReturnVerbContext {
  readonly sql: Sql
  readonly catalog: Pick<CatalogWatch, 'current'>
}

export function returnsRoutes(context: ReturnContext): JsonRoute[] {
  return [...operatorRoutes(context), ...nodeRoutes(context)]
}

function operatorRoutes(context: ReturnContext): JsonRoute[] {
  const { sql } = context
  const answer = async (told: ReturnTold) => ok((await shown(sql, [returnOrThrow(told)]))[0]!)
  return [
    implement(contract.createReturn, async ({ body }) => {
      const { channel, shop, orderId, ref, kind, refundFen, agreed } = body
      const lines = (body.lines ?? []).map((line) => ({ ...line, lineId: line.lineId ?? null }))
      const { node = null, carrier = null, waybill = null } = body
      if (node !== null) knownNode(context, node)
      const asked = { ref, kind, node, carrier, waybill, refundFen, lines, agreed }
      return await answer(await openReturn(context, { channel, shop, orderId }, asked, givenBy(body)))
    }),
    implement(contract.listReturns, async ({ query }) => ok(await page(sql, query))),
    implement(contract.getReturn, async ({ params }) => {
      const known = await findReturn(sql, params.id)
      return await answer(known === null ? { outcome: 'not_found' } : { outcome: 'done', known })
    }),
    implement(contract.agreeReturn, async ({ params, body }) => {
      const { node, carrier, waybill } = body
      if (node !== undefined) knownNode(context, node)
      const agreement = Object.fromEntries(
        Object.entries({ node, carrier, waybill }).filter(([, value]) => value !== undefined),
      )
      return await answer(await agreeToReturn(context, params.id, agreement, givenBy(body)))
    }),
    implement(contract.refuseReturn, async ({ params, body }) =>
      answer(await endReturn(context, params.id, 'refused', givenBy(body))),
    ),
    implement(contract.withdrawReturn, async ({ params, body }) =>
      answer(await endReturn(context, params.id, 'withdrawn', givenBy(body))),
    ),
    implement(contract.settleReturn, async ({ params, body }) =>
      answer(await settleReturn(context, params.id, givenBy(body))),
    ),
    implement(contract.receiveReturn, async ({ params, body }) => {
      const { node, ref, lines } = body
      knownNode(context, node)
      return await answer(await receiveReturn(context, params.id, { node, ref, lines }, givenBy(body)))
    }),
  ]
}

function nodeRoutes(context: ReturnContext): JsonRoute[] {
  const { sql } = context
  return [
    implement(contract.listNodeReturns, async ({ query, caller: { node } }) => {
      const isNamed = query.waybill !== undefined || query.orderId !== undefined
      return ok(await page(sql, { ...query, awaited: true, ...(isNamed ? {} : { node }) }))
    }),
    implement(contract.receiveAtNode, async ({ params, body, caller: { node } }) => {
      const said = { actor: nodeActor(node), note: body.note ?? '' }
      const told = await receiveReturn(context, params.id, { node, ref: body.ref, lines: body.lines }, said)
      return ok((await shown(sql, [returnOrThrow(told)]))[0]!)
    }),
  ]
}

function knownNode({ catalog }: ReturnContext, node: string): void {
  if (!catalog.current.nodeIndex.has(node)) throw new ApiError('invalid_request', 'node: no such node.')
}

async function page(sql: Sql, query: Omit<ReturnQuery, 'afterId'> & { readonly cursor?: string | undefined }) {
  const { cursor = '0', ...asked } = query
  if (!/^\d{1,18}$/.test(cursor))
    throw new ApiError('invalid_request', 'cursor: must be a nextCursor from an earlier answer.')
  const rows = await listReturns(sql, { ...asked, afterId: cursor })
  return { returns: await shown(sql, rows), nextCursor: rows.length === query.limit ? rows.at(-1)!.id : null }
}

async function shown(sql: Sql, returns: readonly Return[]) {
  const keys = await keysOfOrders(
    sql,
    returns.map(({ orderId }) => orderId),
  )
  return returns.map(({ orderId, hash: _, lines, receipts, acts, ...known }) => ({
    ...known,
    order: keys.get(orderId)!,
    lines: lines.map((line) => {
      const found = receipts.flatMap((receipt) => receipt.lines.filter((l) => keyOf(l) === keyOf(line)))
      const sum = (of: 'good' | 'damaged' | 'missing') => found.reduce((units, l) => units + l[of], 0)
      const [good, damaged, missing] = [sum('good'), sum('damaged'), sum('missing')]
      return { ...line, good, damaged, missing, open: line.quantity - good - damaged - missing }
    }),
    receipts: receipts.map(({ ref, node, at }) => ({ ref, node, at })),
    history: acts,
  }))
}

function givenBy({
  actor = '',
  note = '',
}: {
  readonly actor?: string | undefined
  readonly note?: string | undefined
}) {
  return { actor: { kind: 'operator' as const, name: actor }, note }
}

function returnOrThrow(told: ReturnTold): Return {
  switch (told.outcome) {
    case 'done':
      return told.known
    case 'not_found':
      throw new ApiError('not_found', 'No such return or order. If its event just came, it may not be decided yet.')
    case 'ref_used_for_other':
      throw new ApiError('ref_reused')
    case 'wrong_state':
      throw new ApiError(
        'wrong_return_state',
        `The return is ${told.state}: that cannot be done with it any more, or not yet.`,
      )
    case 'units_do_not_fit':
      throw new ApiError(
        'units_do_not_fit',
        `${told.sku}: more units than the order sent and has not back, or than the return still expects. Read it first.`,
      )
    case 'no_such_parcel':
      throw new ApiError(
        'units_do_not_fit',
        'waybill: the order sent no parcel under it, or a return speaks of it already.',
      )
    case 'refund_above_paid':
      throw new ApiError('refund_above_paid')
  }
}
