/** The operator's side: settings, stock, orders, bills, exceptions. */
import { createHash } from 'node:crypto'
import { channels } from '../../adapters/channels/channels.ts'
import { loadDivisions } from '../../adapters/divisions/load.ts'
import { ApiError } from '../../adapters/http/errors.ts'
import { implement, type JsonRoute, ok } from '../../adapters/http/route.ts'
import { sha256 } from '../../adapters/http/secrets.ts'
import { contract } from '../../adapters/http/v1/contract.ts'
import { putCarrierAccount, putNodes, putShop, putSkus } from '../../adapters/store/catalog/catalog.ts'
import { list } from '../../adapters/store/exceptions.ts'
import { backorderedUnits, findOrder, holdersOf, keysOfOrders, listOrders } from '../../adapters/store/orders/view.ts'
import { changeSafety, stockRows } from '../../adapters/store/stock/stock.ts'
import { pointOfAdcode } from '../../router/address.ts'
import type { Command, Freight, Node, OrderKey, OrderState } from '../../router/types.ts'
import type { Service } from '../context.ts'
import { tellLater } from '../counters/tell-later.ts'
import { commandEvent } from '../intake/commands.ts'
import { codeOf } from '../process/error-code.ts'
import { postStockOf } from '../stock/posting.ts'
import { viewOrder } from './order-view.ts'

// All nodes of a large network with one SKU, or all SKUs of a large node; a megabyte or two.
const stockRowsMax = 20_000
const decisionWaitMs = 10_000
const closedAtOnceMax = 500

/** What a parcel costs from a node whose own prices nobody gave: a common national tariff, in fen. */
const defaultFreight: Freight = {
  bands: [
    { kmMax: 300, firstFen: 500, stepFen: 100 },
    { kmMax: 1000, firstFen: 700, stepFen: 200 },
    { kmMax: 2000, firstFen: 900, stepFen: 400 },
    { kmMax: 20_100, firstFen: 1200, stepFen: 800 },
  ],
  firstGrams: 1000,
  stepGrams: 1000,
}
const defaultHandlingFen = 200
/** One step of priority is worth as much as a jiao a parcel. */
const fenPerPriority = 10

export function operationRoutes(service: Service): JsonRoute[] {
  const { sql, vault, catalog, keeper, reconciler } = service
  const divisions = loadDivisions()
  return [
    implement(contract.putShop, async ({ params, body, nowMs }) => {
      const { credentials, previousCredentials } = body
      for (const [name, given] of Object.entries({ credentials, previousCredentials })) {
        const missing = channels[params.channel].credentialKeys.filter((key) => given !== undefined && !given[key])
        if (missing.length > 0)
          throw new ApiError('invalid_request', `${name} lacks ${missing.join(', ')} for ${params.channel}.`)
      }
      const until = previousEnd(body.previousUntil, nowMs)
      await putShop(sql, vault, {
        channel: params.channel,
        shop: params.shop,
        credentials,
        previous: until === null ? null : { credentials: previousCredentials ?? null, until },
        apiBaseUrl: body.apiBaseUrl ?? null,
        skuMap: body.skuMap ?? {},
      })
      await catalog.refresh()
      return ok({ ok: true })
    }),
    implement(contract.putCarrierAccount, async ({ params, body, nowMs }) => {
      if (params.carrier !== 'kuaidi100') throw new ApiError('not_found', 'The only carrier service is kuaidi100.')
      const until = previousEnd(body.previousUntil, nowMs)
      const before = body.previousSalt === undefined ? null : { salt: body.previousSalt }
      await putCarrierAccount(sql, vault, {
        carrier: params.carrier,
        account: params.account,
        credentials: { salt: body.salt },
        previous: until === null ? null : { credentials: before, until },
      })
      return ok({ ok: true })
    }),
    implement(contract.putSku, async ({ params, body }) => {
      const bundle = body.bundle ?? []
      const unfit = bundle.find((c) => c.sku === params.sku || (catalog.current.sku(c.sku)?.bundle.length ?? 0) > 0)
      if (unfit !== undefined)
        throw new ApiError('invalid_request', `bundle: ${unfit.sku} is a bundle itself. Name its components.`)
      const { name, weightGrams, storageClass, warehouseOnly } = body
      await putSkus(sql, [{ sku: params.sku, name, weightGrams, storageClass, warehouseOnly, bundle }])
      await catalog.refresh()
      return ok({ ok: true })
    }),
    implement(contract.putNode, async ({ params, body, nowMs }) => {
      const point = body.point ?? pointOfAdcode(divisions, body.adcode!)
      if (point === null) throw new ApiError('invalid_request', 'adcode: no such division. Give a point as well.')
      const node: Node = {
        node: params.node,
        name: body.name,
        kind: body.kind,
        adcode: body.adcode ?? null,
        point,
        open: body.open,
        channels: body.channels ?? null,
        regions: body.regions ?? null,
        preferenceFen: (body.preferenceFen ?? 0) - (body.priority ?? 0) * fenPerPriority,
        handlingFen: body.handlingFen ?? defaultHandlingFen,
        freight: body.freight === undefined ? defaultFreight : freightOf(body.freight),
        safetyStock: body.safetyStock,
      }
      try {
        const previousKeyUntil = previousEnd(body.previousApiKeyUntil, nowMs)
        await putNodes(sql, [{ node, apiKeyHash: sha256(body.apiKey), previousKeyUntil }])
      } catch (error) {
        if (['23505', 'node_key_taken'].includes(codeOf(error))) throw new ApiError('node_key_taken')
        throw error
      }
      await catalog.refresh()
      const delta = await changeSafety(sql, params.node, body.safetyStock)
      await tellLater(service.log, async () => {
        if (delta !== null) await keeper.tell([delta])
        else await keeper.catchUp(params.node)
      })
      return ok({ ok: true })
    }),
    implement(contract.postStock, async ({ params, body }) => {
      const bodyHash = createHash('sha256')
        .update(JSON.stringify([body.kind, body.lines]))
        .digest()
      return ok(
        await postStockOf(service, { node: params.node, ref: body.ref, kind: body.kind, lines: body.lines, bodyHash }),
      )
    }),
    implement(contract.getStock, async ({ query }) => {
      const rows = await stockRows(sql, { ...query, limit: stockRowsMax } as Parameters<typeof stockRows>[1])
      const { node, sku } = query
      const tasks = node !== undefined && sku !== undefined ? await holdersOf(sql, node, sku) : undefined
      const stock = rows.map((row) => ({ ...row, ...(tasks === undefined ? {} : { tasks }) }))
      return ok({
        stock,
        complete: rows.length < stockRowsMax,
        ...(sku === undefined ? {} : { backordered: await backorderedUnits(sql, sku) }),
      })
    }),
    implement(contract.getOrder, async ({ params }) => {
      const view = await viewOrder(sql, params)
      if (view === null)
        throw new ApiError('not_found', 'No such order. If its event just came, it may not be decided yet.')
      return ok(view)
    }),
    implement(contract.listOrders, async ({ query }) => {
      const rows = await listOrders(sql, { state: query.state, afterId: idOfCursor(query.cursor), limit: query.limit })
      const orders = rows.map(({ id: _, receivedAt, updatedAt, ...row }) => ({
        ...row,
        channel: row.channel as OrderKey['channel'],
        state: row.state as OrderState,
        receivedAt: receivedAt.getTime(),
        updatedAt: updatedAt.getTime(),
      }))
      return ok({ orders, nextCursor: rows.length === query.limit ? rows.at(-1)!.id : null })
    }),
    implement(contract.releaseOrder, async ({ params, body }) => {
      const row = await findOrder(sql, params)
      if (row === null) throw new ApiError('not_found', 'No such order.')
      if ((row.body.holds ?? []).length === 0) throw new ApiError('order_not_held')
      await commandAndWait(service, params, { type: 'release', note: body.note ?? '' })
      return ok(await orderNow(service, params))
    }),
    implement(contract.cancelOrder, async ({ params, body }) => {
      const row = await findOrder(sql, params)
      if (row === null) throw new ApiError('not_found', 'No such order.')
      if (['shipped', 'closed'].includes(row.state)) throw new ApiError('order_already_shipped')
      await commandAndWait(service, params, { type: 'cancel', note: body.note ?? '' })
      return ok(await orderNow(service, params))
    }),
    implement(contract.postBill, async ({ params, bytes }) => {
      const { source, account } = params
      const done = await service.importBill({ source, account, bytes: new Uint8Array(bytes) })
      if (done.outcome === 'refused') throw new ApiError('invalid_request', done.message)
      const { rows, inserted, known, conflicting, orderIds } = done
      // Few are closed before the answer; many are marked as due already and follow.
      if (orderIds.length <= closedAtOnceMax) await reconciler.now(orderIds)
      else reconciler.soon(orderIds)
      return ok({ rows, imported: inserted, known, conflicts: conflicting, refused: [] })
    }),
    implement(contract.listExceptions, async ({ query }) => {
      const page = await list(sql, {
        ...{ kind: query.kind, state: query.state, cursor: idOfCursor(query.cursor), limit: query.limit },
      })
      const ids = page.exceptions.map((e) => e.orderId).filter((id) => id !== null)
      const orders = await keysOfOrders(sql, ids)
      const exceptions = page.exceptions.map(({ orderId, ageSeconds, resolvedAt, ...e }) => ({
        id: e.id,
        kind: e.kind,
        ref: e.ref,
        since: e.since,
        detail: e.detail,
        ageSeconds,
        resolvedAt,
        order: orderId === null ? null : (orders.get(orderId) ?? null),
      }))
      return ok({ exceptions, nextCursor: page.cursor })
    }),
  ]
}

const previousDaysMax = 90

/** Null: what was in force before is no longer. Already over says the same. */
function previousEnd(until: number | undefined, nowMs: number): number | null {
  if (until === undefined || until <= nowMs) return null
  if (until - nowMs > previousDaysMax * 86_400_000)
    throw new ApiError('invalid_request', `The one before is taken for at most ${previousDaysMax} days more.`)
  return until
}

async function commandAndWait({ intake, dispatch }: Service, key: OrderKey, command: Command): Promise<void> {
  const stored = await intake.storeOwn(commandEvent(key, command, Date.now()))
  if (stored.outcome !== 'new') return
  const decided = await dispatch.decided(stored.seq, decisionWaitMs)
  if (decided?.done !== true)
    throw new ApiError('try_again', 'The command is taken and will be carried out; look again shortly.')
}

async function orderNow({ sql }: Service, key: OrderKey) {
  const row = (await findOrder(sql, key))!
  return { state: row.state as OrderState, version: row.version }
}

function idOfCursor(cursor: string | undefined): string {
  if (cursor === undefined) return '0'
  if (!/^\d{1,18}$/.test(cursor))
    throw new ApiError('invalid_request', 'cursor: must be a nextCursor from an earlier answer.')
  return cursor
}

interface GivenFreight {
  readonly bands: readonly {
    readonly kmMax?: number | null | undefined
    readonly firstFen: number
    readonly stepFen: number
  }[]
  readonly firstGrams: number
  readonly stepGrams: number
}

/** Half the way around the world stands for "however far". */
const kmMaxOfAll = 20_100

function freightOf({ bands, firstGrams, stepGrams }: GivenFreight): Freight {
  return {
    bands: bands.map((b) => ({ kmMax: b.kmMax ?? kmMaxOfAll, firstFen: b.firstFen, stepFen: b.stepFen })),
    firstGrams,
    stepGrams,
  }
}
