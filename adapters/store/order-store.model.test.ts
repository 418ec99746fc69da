/**
 * Random verbs of every matter on Postgres and on plain maps: each answer, and all that is stored after it, is the same.
 * fast-check prints the shortest history that fails.
 */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BillRow, billProgresses } from '../../router/bill.ts'
import { type SettledAs, settledAs } from '../../router/exceptions.ts'
import type { ParcelName } from '../../router/parcels.ts'
import { defaultPolicy } from '../../router/policy.ts'
import { atTime, nextDue } from '../../router/reconcile/expectations.ts'
import { fundsExceptionKinds, logisticsExceptionKinds } from '../../router/reconcile/types.ts'
import { changeOf, hasSomethingToClose, reconcile } from '../../router/reconcile.ts'
import { isOwned } from '../../router/task.ts'
import { fc, runs, standardSeed, testSeed } from '../../router/testing/seed.ts'
import { trackStates } from '../../router/track.ts'
import type { DecisionWrite } from './orders/commit.ts'
import { PostgresStore } from './postgres-store.ts'
import type { ReconcileLoad, ReconcileResult } from './settle/reconcile.ts'
import type { UnpulledTask } from './stock/shortages.ts'
import type { PulledTask } from './tasks/tasks.ts'
import { nodes, type Scene, type Seen, sameOnBoth, skus } from './testing/both-stores.ts'
import { atMs, eventOf, keyFor, lines, snapshotOf, writeOn } from './testing/world.ts'
import { type TestDatabase, testDatabase } from './testing.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

interface Run {
  readonly scene: Scene
  /** Decided, and not committed yet. */
  readonly late: DecisionWrite[]
  readonly tasks: PulledTask[]
  count: number
}

interface Command {
  readonly text: string
  readonly run: (run: Run) => Promise<unknown>
  readonly [fc.toStringMethod]: () => string
}

const longAgo = Date.UTC(2020, 0, 1)
const orderIds = ['1', '2', '3'] as const
const orderId = fc.constantFrom(...orderIds)
const node = fc.constantFrom(...nodes)
const sku = fc.constantFrom(...skus)
const small = fc.integer({ min: 1, max: 4 })
const nth = fc.nat({ max: 9 })
const limit = fc.constantFrom(1, 2, 100)
const delayMs = fc.constantFrom(0, 0, 3_600_000)

/** fast-check shows the text alone. */
const command = (text: string, run: Command['run']): Command => ({ text, run, [fc.toStringMethod]: () => text })

// ─────────────────────────────────────────────────────────────── events and exceptions

const events: fc.Arbitrary<Command> = fc.oneof(
  fc.tuple(orderId, nth, fc.constantFrom('{}', '{"a":1}')).map(([order, n, text]) =>
    command(`store e-${n % 3} of ${order}`, ({ scene }) => {
      const kind = n % 2 === 0 ? 'order' : 'notification'
      return scene.store.storeEvents([eventOf(order, { eventId: `e-${n % 3}`, kind, body: Buffer.from(text) })])
    }),
  ),
  fc.tuple(nth, nth).map(([n, answered]) =>
    command(`answer ${answered}`, async ({ scene }) => {
      const pending = await scene.store.readPending({ afterSeq: '0', limit: 100, olderThanMs: 0 })
      const answers = pending.filter((_, i) => i === answered).map((p) => p.seq)
      return await scene.store.storeEvents([{ ...eventOf('1', { eventId: `fetched-${n}` }), answers }])
    }),
  ),
  fc.tuple(fc.constantFrom('postpone', 'doubt'), nth, delayMs).map(([verb, which, delay]) =>
    command(`${verb} ${which} for ${delay}`, async ({ scene: { store } }) => {
      const pending = await store.readPending({ afterSeq: '0', limit: 100, olderThanMs: 0 })
      const seqs = pending.filter((_, i) => i % 3 === which % 3).map((p) => p.seq)
      return verb === 'doubt' ? await store.doubt(seqs, delay) : await store.postpone(seqs, delay, 'why')
    }),
  ),
  fc.tuple(limit, fc.nat({ max: 60 }), delayMs).map(([rows, bytesMax, olderThanMs]) =>
    command(`read ${rows} of ${bytesMax} bytes`, async ({ scene: { store } }) => {
      await store.readPending({ afterSeq: '1', limit: rows, bytesMax, olderThanMs })
      await store.stillPending(['1', '2', '3', '99'])
      return await store.countPending()
    }),
  ),
  fc.constantFrom(
    command('next number', ({ scene }) => scene.store.nextNumber()),
    command('is stored', ({ scene }) => scene.store.isStored(eventOf('1', { eventId: 'e-1' }))),
    command('end exceptions of events', ({ scene }) => scene.store.endEventExceptions()),
  ),
  fc
    .tuple(fc.constantFrom('undecidable_event', 'order_not_fetched', 'payment_short'), nth, orderId)
    .map(([kind, n, of]) =>
      command(`raise ${kind} ${n}`, ({ scene }) => {
        const detail = { channel: 'tmall', shop: 'shop', eventId: `e-${n % 3}`, orderId: of }
        return scene.store.raise([{ kind, ref: `${n % 3}`, orderId: n > 5 ? '1' : null, detail }])
      }),
    ),
  nth.map((n) => command(`resolve ${n}`, ({ scene }) => scene.store.resolve('payment_short', [`${n % 3}`]))),
)

// ─────────────────────────────────────────────────────────────── decisions

const decision: fc.Arbitrary<Command> = fc
  .record({
    order: orderId,
    at: fc.constantFrom(...nodes, ...nodes, null),
    quantity: small,
    platformState: fc.constantFrom('ready', 'ready', 'ready', 'closed', 'on_hold'),
    transactionId: fc.constantFrom(null, 'tx'),
    epochOff: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1),
    isLate: fc.constantFrom(false, false, false, true),
  })
  .map(({ order, at, quantity, platformState, transactionId, epochOff, isLate }) =>
    command(`${platformState} ${order} ×${quantity} at ${at}${isLate ? ', late' : ''}`, async (run) => {
      const { scene, late } = run
      const n = ++run.count
      const seq = await scene.told(order)
      const change = { platformState, modifiedAt: atMs + n, transactionId } as const
      const told = snapshotOf(order, lines('a', quantity, 'b', 1), change)
      const made = writeOn(await scene.loaded(order), order, seq, at === null ? { told } : { told, node: at })
      const problems = quantity === 4 ? [{ kind: 'shortage', ref: `of-${order}`, detail: { node: at, sku: 'a' } }] : []
      const write = { ...made, problems, shipBy: quantity === 1 ? longAgo : null }
      // Decided now, committed after others. A batch never has two writes of one order.
      if (isLate && late.every((w) => w.order.orderId !== order)) return late.push(write)
      return await scene.store.commitDecisions((await scene.store.currentEpoch()) + epochOff, [write])
    }),
  )

const decisions: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: decision, weight: 9 },
  fc.constant(
    command('commit what is late', async ({ scene: { store }, late }) =>
      store.commitDecisions(await store.currentEpoch(), late.splice(0)),
    ),
  ),
  orderId.map((order) =>
    command(`decide ${order} again`, async ({ scene }) => {
      const seq = await scene.told(order, 'command')
      const write = writeOn(await scene.loaded(order), order, seq, { node: 'east' })
      return await scene.store.commitDecisions(await scene.store.currentEpoch(), [write])
    }),
  ),
  fc
    .boolean()
    .map((raises) =>
      command(`epoch ${raises ? 'raised' : 'looked at'}`, ({ scene }) =>
        scene.store.withEpochLock(async (_, epoch) => (raises ? epoch + 1 : null)),
      ),
    ),
  fc.tuple(sku, limit, limit).map(([of, perSku, all]) =>
    command(`backorders of ${of}`, async ({ scene: { store } }) => {
      await store.backorderedSkus(of === 'a' ? '' : 'a', perSku)
      const both = skus.map((one) => ({ sku: one, after: one === of ? '2' : null }))
      return await store.backordersOf(both, { perSku, all })
    }),
  ),
)

// ─────────────────────────────────────────────────────────────── stock

const recallIdOf = ({ taskId }: UnpulledTask): string => `${taskId}.recall`

const stock: fc.Arbitrary<Command> = fc.oneof(
  fc
    .tuple(node, fc.constantFrom('set', 'set', 'add'), fc.integer({ min: -2, max: 9 }), sku)
    .map(([at, kind, n, of]) =>
      command(`${kind} ${n} ${of} at ${at}`, ({ scene }) =>
        scene.post(at, kind as 'set', kind === 'set' ? Math.abs(n) : n, of),
      ),
    ),
  fc.tuple(node, nth).map(([at, from]) =>
    command(`watch ${at} from ${from}`, async ({ scene: { store } }) => {
      const seqs = await store.nodeSeqs()
      await store.figuresOf(nodes)
      await store.deltasAfter(at, from)
      await store.hasReserved(at)
      return await store.changedSince(seqs.map((n) => ({ ...n, seq: Math.max(0, n.seq - from) })))
    }),
  ),
  node.map((at) =>
    command(`reservations at ${at}`, async ({ scene }) => {
      const orders = await Promise.resolve([...orderIds])
      const tasks: string[] = []
      for (const order of orders) tasks.push(...((await scene.loaded(order))?.tasks ?? []).map((t) => t.taskId))
      const ids = tasks.map((taskId) => `${taskId}@0`)
      await scene.store.partedByCommit(ids.map((reservationId) => ({ node: at, reservationId })))
      return await scene.store.figuresWithCommitted(at, ids)
    }),
  ),
  node.map((at) =>
    command(`shortages at ${at}`, async ({ scene: { store } }) => {
      await store.shortRows(null)
      const places = await store.shortAmong(
        skus.map((one) => ({ node: at, sku: one })),
        [at],
      )
      const { short, tasks } = await store.readShortages(places, recallIdOf)
      await store.raise(short.map((s) => ({ kind: 'shortage', ref: `${s.node}/${s.sku}`, detail: { ...s } })))
      const [first] = tasks
      if (first === undefined) return await store.endShortages()
      return await store.storeEvents([eventOf(first.orderId, { eventId: recallIdOf(first), kind: 'command' })])
    }),
  ),
)

// ─────────────────────────────────────────────────────────────── tasks

const tasks: fc.Arbitrary<Command> = fc.oneof(
  fc.tuple(node, limit, fc.constantFrom(60, 60, 60, 0)).map(([at, rows, seconds]) =>
    command(`pull ${rows} at ${at} for ${seconds} s`, async (run) => {
      run.tasks.push(...(await run.scene.store.pullTasks(at, rows, seconds)))
    }),
  ),
  fc
    .tuple(
      fc.constantFrom(
        'accept',
        'ship',
        'ship',
        'ship a part',
        'ship a part',
        'ship a part',
        'reject',
        'reject',
        'reject',
        'stop',
        'stop',
        'lapsed',
        'extend',
        'lapse',
        'end',
        'lapsed intercepts',
      ),
      nth,
      fc.constantFrom(0, 0, 0, 0, 0, -1),
    )
    .map(([verb, which, off]) =>
      command(`${verb} ${which} ${off}`, async (run) => {
        const task = await inHand(run, which)
        return task === null ? null : await act(run, verb, task, task.fence + off)
      }),
    ),
)

/** One of the tasks that a node has in hand; when there is none, what may be pulled is. */
async function inHand({ scene, tasks: pulled }: Run, which: number): Promise<PulledTask | null> {
  const open: PulledTask[] = []
  for (const order of orderIds) {
    for (const task of (await scene.loaded(order))?.tasks.filter(isOwned) ?? []) {
      const known = pulled.filter((one) => one.taskId === task.taskId).at(-1)
      if (known !== undefined) open.push({ ...known, fence: task.fence })
    }
  }
  if (open.length > 0) return open[which % open.length]!
  for (const at of nodes) pulled.push(...(await scene.store.pullTasks(at, 100, 60)))
  return null
}

async function act(run: Run, verb: string, task: PulledTask, fence: number): Promise<unknown> {
  const { store } = run.scene
  const { taskId } = task
  if (verb === 'lapsed intercepts') return await store.lapsedIntercepts(100)
  const node = (await run.scene.loaded(task.orderId))!.tasks.find((t) => t.taskId === taskId)!.node
  // Now and then the other node asks.
  const at = fence < task.fence && run.count % 2 === 0 ? nodes.find((one) => one !== node)! : node
  const back = (how: Parameters<typeof store.giveBack>[3]) =>
    store.giveBack(at, taskId, fence, how, (order) => {
      return eventOf(order.orderId, { eventId: `back-${++run.count}`, kind: 'command' })
    })
  if (verb === 'accept') return await store.acceptTask(at, taskId, fence)
  if (verb === 'extend') return await store.extendLease(at, taskId, fence, 60)
  if (verb === 'lapse') return await store.extendLease(at, taskId, fence, 0)
  if (verb === 'end') return await store.endLeases([{ ...task, fence }])
  if (verb === 'reject') return await back({ state: 'rejected', reason: 'closed', lines: lines('a', 1) })
  if (verb === 'stop') return await back({ state: 'intercepted' })
  if (verb === 'lapsed') return await back({ state: 'intercepted', lapsed: true })
  const some = verb === 'ship' ? task.lines : task.lines.slice(0, 1)
  const box = { carrier: 'SF', waybill: `W${task.orderId}${verb.length}`, shippedAt: longAgo }
  const sent = some.map((l) => ({ sku: l.sku, quantity: l.quantity }))
  return await store.shipTask(at, taskId, fence, [{ ...box, lines: sent }])
}

// ─────────────────────────────────────────────────────────────── settling

const settling: fc.Arbitrary<Command> = fc.oneof(
  fc
    .tuple(orderId, fc.boolean())
    .map(([of, refunds]) => command(`finish ${of}${refunds ? ', refund' : ''}`, (run) => finish(run, of, refunds))),
  fc
    .record({
      of: orderId,
      n: nth,
      paid: fc.constantFrom(true, true, true, false),
      byPayment: fc.constantFrom(false, false, true),
      amount: small,
      progress: fc.constantFrom(...billProgresses, null),
    })
    .map((given) =>
      command(`bill ${JSON.stringify(given)}`, ({ scene }) => {
        const { of, n, paid, byPayment, amount, progress } = given
        const key = byPayment ? { channel: null, shop: null, orderId: null } : keyFor(of)
        const row: BillRow = {
          ...{
            ...key,
            ref: `b${of}${n % 2}`,
            kind: paid ? 'payment' : 'refund',
            transactionId: byPayment ? 'tx' : null,
          },
          ...{ amountFen: 100 * amount + 100, feeFen: 0, occurredAt: longAgo + n },
          ...(paid || progress === null ? {} : { progress }),
        }
        const odd = n < 8 ? [] : [{ ref: `odd${amount}`, reason: 'odd', cells: { of } }]
        return scene.store.importBill('generic', 'a', n < 4 ? [row] : [row, { ...row, feeFen: n % 2 }], odd)
      }),
    ),
  fc
    .tuple(
      orderId,
      fc.constantFrom(4, 11),
      fc.constantFrom(...trackStates, 'delivered', 'delivered', 'delivered', 'delivered' as const),
      nth,
    )
    .map(([of, verb, state, n]) =>
      command(`track ${of} ${state} ${n}`, ({ scene }) => {
        const track = {
          carrier: n > 7 ? 'other' : 'shunfeng',
          waybill: `W${of}${verb}`,
          state,
          occurredAt: longAgo + n,
        }
        return scene.store.recordTrack(track, `{"n":${n}}`)
      }),
    ),
  fc
    .tuple(orderId, fc.constantFrom(4, 11), nth)
    .map(([of, verb, n]) =>
      n % 3 === 1
        ? command(`outside ${of} ${n}`, (run) => shipSomeOutside(run, of, n))
        : command(`put right ${of} ${verb} ${n}`, (run) => putSomeRight(run, of, verb, n)),
    ),
  fc
    .tuple(orderId, nth, fc.constantFrom(...settledAs))
    .map(([of, n, as]) => command(`settle ${of} ${n} ${as}`, (run) => settleSome(run, of, n, as))),
  fc.tuple(limit, nth, fc.boolean()).map(([rows, after, asIfNew]) =>
    command(`reconcile ${rows} after ${after}`, async ({ scene: { store } }) => {
      await store.resolveBillsWithoutOrder(rows)
      const due = await store.dueOrders('0', rows)
      const { unreconciled } = await store.unreconciledOrders(`${after}`, rows)
      // As if none had been entered when it was read: what was entered meanwhile keeps its mark.
      const ask = asIfNew && after > 6 ? (load: ReconcileLoad) => resultOf({ ...load, entered: false }) : resultOf
      return await store.reconcileTogether([...unreconciled, ...due, '999'], ask)
    }),
  ),
)

const nobody = { actor: { kind: 'operator', name: '' }, note: '' } as const
const voidOf = (parcel: ParcelName) => ({ kind: 'void', parcel }) as const

async function shipSomeOutside({ scene: { store }, tasks: pulled }: Run, of: string, n: number): Promise<unknown> {
  const at = nodes[n % 2]!
  const told = {
    node: at,
    carrier: 'SF',
    waybill: `W${of}o${n}`,
    shippedAt: longAgo,
    lines: n > 4 ? null : lines('a', 1),
  }
  return await store.shipOutside(keyFor(of), told, nobody, ({ version }) =>
    eventOf(of, { eventId: `outside-${of}-${version}-${pulled.length}`, kind: 'command' }),
  )
}

/** One that was told, as far as its number can be guessed; said twice. */
async function putSomeRight(run: Run, of: string, verb: number, n: number): Promise<unknown> {
  const { store } = run.scene
  if (n % 3 === 0) await finish(run, of, false)
  const named = (waybill: string) => ({ carrier: 'SF', waybill })
  const told = named(`W${of}${verb}`)
  if (n > 7) return await store.moveTrack({ carrier: 'SF', waybill: told.waybill, carrierNew: 'other' })
  const word = n > 4 ? voidOf(told) : ({ kind: 'correct', from: told, to: named(`W${of}x`) } as const)
  const eventId = `void-${++run.count}`
  const put = () => store.putParcelRight(keyFor(of), word, nobody, () => eventOf(of, { eventId, kind: 'command' }))
  await put()
  return await put()
}

/** One or more of what is open about an order, as far as its name can be guessed. */
async function settleSome({ scene }: Run, of: string, n: number, as: SettledAs): Promise<unknown> {
  const id = (await scene.loaded(of))?.order.id ?? 'none'
  const names = [...fundsExceptionKinds.map((kind) => [kind, id]), ['bill_without_order', `generic:a:b${of}${n % 2}`]]
  for (const kind of logisticsExceptionKinds) names.push([kind, `${id}/W${of}${n % 2 === 0 ? 4 : 11}`])
  const words = names.map(([kind, ref]) => [kind!, ref!, { as, actor: 'a', note: 'n' }] as const)
  const done: unknown[] = []
  for (const word of n < 3 ? words : [words[n % words.length]!]) done.push(await scene.store.settleException(...word))
  return done
}

/** Ships all of an order's open tasks, pays what the platform says, and delivers; a refund that nobody asked for may follow. */
async function finish({ scene, tasks: pulled }: Run, of: string, refunds: boolean): Promise<unknown> {
  const { store } = scene
  const found = await scene.loaded(of)
  for (const at of nodes) {
    const given = await store.pullTasks(at, 100, 60)
    pulled.push(...given)
    for (const { taskId, fence, lines: open, orderId: its } of given) {
      const left = open.filter((l) => l.quantity > l.shipped)
      const sent = left.map((l) => ({ sku: l.sku, quantity: l.quantity - l.shipped }))
      const box = { carrier: 'SF', waybill: `W${of}4`, shippedAt: longAgo, lines: sent }
      if (its === of) await store.shipTask(at, taskId, fence, [box])
    }
  }
  const { paidFen = 0 } = found?.order.snapshot ?? {}
  const row = { ...keyFor(of), ref: `b${of}`, kind: 'payment', transactionId: null, amountFen: paidFen } as const
  await store.importBill('generic', 'whole', [{ ...row, feeFen: 0, occurredAt: longAgo }])
  const track = { carrier: 'shunfeng', waybill: `W${of}4`, state: 'delivered', occurredAt: longAgo } as const
  await store.recordTrack(track, '{}')
  if (found === undefined) return null
  await store.reconcileTogether([found.order.id], resultOf)
  if (!refunds) return null
  const back = { ...row, ref: `r${of}`, kind: 'refund', amountFen: 5, feeFen: 0, occurredAt: longAgo } as const
  await store.importBill('generic', 'whole', [back])
  return await store.reconcileTogether([found.order.id], resultOf)
}

function resultOf({ input, entered, nowMs }: ReconcileLoad): ReconcileResult | null {
  if (!hasSomethingToClose(input, entered)) return null
  const { id, version, state } = input.order
  const reconciliation = atTime(reconcile(input), nowMs, defaultPolicy.expectations)
  const dueAt = nextDue(reconciliation)
  return { orderId: id, version, entered, reconciliation, dueAt, change: changeOf(reconciliation, state) }
}

const every: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: decisions, weight: 6 },
  { arbitrary: tasks, weight: 12 },
  { arbitrary: stock, weight: 3 },
  { arbitrary: settling, weight: 5 },
  { arbitrary: events, weight: 3 },
)

const history = fc.array(every, { minLength: 30, maxLength: 60, size: 'max' })

async function play(scene: Scene, commands: readonly Command[]): Promise<void> {
  for (const at of nodes) for (const of of skus) await scene.post(at, 'set', 12, of)
  const run: Run = { scene, late: [], tasks: [], count: 0 }
  for (const { run: act } of commands) await act(run)
}

test('random histories are the same on both stores', async () => {
  const reached = new Set<string>()
  const property = fc.asyncProperty(history, async (commands) => {
    for (const seen of await sameOnBoth(
      () => database,
      (scene) => play(scene, commands),
    ))
      note(seen, reached)
  })
  await fc.assert(property, { numRuns: runs(30) })
  // Another seed may miss one of them, and says nothing about the stores by that.
  if (testSeed !== standardSeed) return
  const verbs = Object.getOwnPropertyNames(PostgresStore.prototype).filter((name) => name !== 'constructor')
  expect([...verbs, ...outcomes].filter((one) => !reached.has(one))).toEqual([])
}, 240_000)

/** Verbs, and what came out of them. */
function note({ verb, answer: [answer] }: Seen, reached: Set<string>): void {
  reached.add(verb)
  for (const one of Array.isArray(answer) ? answer : [answer]) {
    if (one === null || typeof one !== 'object') continue
    const { outcome, change, conflicts } = one as Readonly<Record<string, unknown>>
    const isConflict = Array.isArray(conflicts) && conflicts.length > 0
    if (outcome !== undefined || change) reached.add(`${verb} ${isConflict ? 'conflict' : (outcome ?? change)}`)
  }
}

const outcomes: readonly string[] = [
  ...['storeEvents new', 'storeEvents duplicate', 'commitDecisions committed', 'commitDecisions conflict'],
  ...['commitDecisions stale_epoch', 'commitDecisions stock_refused', 'acceptTask accepted', 'extendLease extended'],
  ...['giveBack given_back', 'shipTask shipped', 'shipTask partly_shipped'],
  ...['reconcileTogether closed', 'reconcileTogether reopened', 'recordTrack recorded', 'recordTrack older'],
  ...['putParcelRight put_right', 'putParcelRight already_put_right', 'putParcelRight unknown_parcel'],
  ...['shipOutside booked', 'shipOutside units_in_hand'],
  ...['settleException settled', 'settleException not_open'],
]
