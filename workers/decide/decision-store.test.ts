/**
 * What the way of an order needs of its store: the same tests on Postgres and on plain maps, then random commands on both,
 * answer by answer, so that the stand-in of the simulation cannot drift from what it stands for.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { MemoryStore } from '../../adapters/store/memory/store.ts'
import type { OrderStore } from '../../adapters/store/order-store.ts'
import type { DecisionWrite } from '../../adapters/store/orders/commit.ts'
import { keyOf } from '../../adapters/store/orders/load.ts'
import { PostgresStore } from '../../adapters/store/postgres-store.ts'
import type { PulledTask } from '../../adapters/store/tasks/tasks.ts'
import {
  atMs,
  empty,
  eventOf,
  keyFor,
  lines,
  makeNetwork,
  type Step,
  sha256,
  snapshotOf,
  writeOn,
} from '../../adapters/store/testing/world.ts'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import { nodeActor } from '../../router/commands.ts'
import type { GivenBackAs } from '../../router/task.ts'
import { commandEvent } from '../intake/commands.ts'

const given = { actor: nodeActor('east'), note: '' }
const nodes = ['east', 'west'] as const
const skus = ['a', 'b'] as const
const safety = 1

interface Subject {
  readonly name: string
  readonly make: () => Promise<OrderStore>
  readonly lapse: (taskId: string) => Promise<void>
}

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

let memory: MemoryStore
const subjects: readonly [Subject, Subject] = [
  {
    name: 'Postgres',
    make: async () => {
      const { sql } = database
      await empty(sql)
      await sql`alter sequence event_seq restart`
      await makeNetwork(sql, { nodes, skus, safety })
      return new PostgresStore(sql)
    },
    lapse: async (taskId) => {
      await database.sql`update task set lease_until = now() - interval '1 second' where task_id = ${taskId}`
    },
  },
  {
    name: 'plain maps',
    make: async () => {
      memory = new MemoryStore({ nodes: nodes.map((node) => ({ node, safety })) }, () => atMs)
      return memory
    },
    lapse: async (taskId) => {
      const row = memory.tables.tasks.get(taskId)
      if (row !== undefined) row.leaseUntilMs = atMs - 1000
    },
  },
]

/** Stores an event and decides it on what the store holds now. */
async function decided(store: OrderStore, orderId: string, step: Step, eventId = orderId): Promise<DecisionWrite> {
  const [stored] = await store.storeEvents([eventOf(orderId, { eventId: `${eventId}.${++events}` })])
  if (stored?.outcome !== 'new') throw new Error('the event is known')
  const key = keyFor(orderId)
  return writeOn((await store.loadByKeys([key])).get(keyOf(key)), orderId, stored.seq, step)
}
let events = 0

async function post(store: OrderStore, node: string, kind: 'set' | 'add', quantity: number, sku = 'a') {
  return await store.postStock({ node, ref: `r${++refs}`, kind, lines: lines(sku, quantity), bodyHash: sha256('') })
}
let refs = 0

async function available(store: OrderStore, node: string, sku = 'a'): Promise<number | undefined> {
  const [figures] = await store.figuresOf([node])
  return figures?.available.find((r) => r.sku === sku)?.available
}

const told = (orderId: string, quantity = 2): Step => ({
  told: snapshotOf(orderId, lines('a', quantity)),
  node: 'east',
})

const closed = (orderId: string): Step => ({
  told: snapshotOf(orderId, lines('a', 2), { platformState: 'closed', modifiedAt: atMs + 1 }),
})

const takeBack = (taskId: string) => (order: Parameters<typeof commandEvent>[0]) =>
  commandEvent(order, { type: 'take_back', taskId, why: 'closed', lines: [], ...given }, atMs, taskId)

describe.each(subjects)('$name', ({ make, lapse }) => {
  let store: OrderStore
  beforeEach(async () => {
    store = await make()
    await post(store, 'east', 'set', 6)
  })

  async function routed(orderId: string): Promise<string> {
    const write = await decided(store, orderId, told(orderId))
    expect(await store.commitDecisions(0, [write])).toEqual({ outcome: 'committed', conflicts: [], deltas: [] })
    return write.newTasks[0]!.task.taskId
  }

  async function pulled(orderId: string): Promise<PulledTask> {
    await routed(orderId)
    const [task] = await store.pullTasks('east', 1, 60)
    return task!
  }

  test('an event is kept once, another body beside it', async () => {
    const [event, other] = [eventOf('1', { eventId: 'e' }), eventOf('1', { eventId: 'e', body: Buffer.from('{}') })]
    expect((await store.storeEvents([event])).map((s) => s.outcome)).toEqual(['new'])
    expect((await store.storeEvents([other, event])).map((s) => s.outcome)).toEqual(['conflict', 'duplicate'])
    const pending = await store.readPending({ afterSeq: '0', limit: 9, olderThanMs: 0 })
    expect(pending.map((p) => p.eventId)).toEqual(['e'])
    expect(await store.readPending({ afterSeq: pending[0]!.seq, limit: 9, olderThanMs: 0 })).toEqual([])
    expect([...(await store.stillPending([pending[0]!.seq, '99']))]).toEqual([pending[0]!.seq])
  })

  test('a decision settles its events, takes stock and is known by its reservation’s node and id', async () => {
    const write = await decided(store, '1', told('1'))
    await store.commitDecisions(0, [write])
    expect((await store.stillPending(write.seqs)).size).toBe(0)
    expect(await available(store, 'east')).toBe(6 - safety - 2)
    expect(await store.hasReserved('east')).toBe(true)
    expect(await store.hasReserved('west')).toBe(false)
    const { reservationId } = write.newTasks[0]!
    const asked = nodes.map((node) => ({ node, reservationId }))
    expect(await store.partedByCommit(asked)).toEqual({ committed: [asked[0]], others: [asked[1]] })
  })

  test.each<[why: string, write: (fresh: DecisionWrite) => DecisionWrite, epoch: number, outcome: object]>([
    ['another epoch', (w) => w, 1, { outcome: 'stale_epoch', epoch: 0 }],
    ['an event that is settled', (w) => ({ ...w, seqs: ['999'] }), 0, { outcome: 'settled_elsewhere' }],
  ])('nothing is written for %s', async (_, change, epoch, outcome) => {
    const write = await decided(store, '1', told('1'))
    expect(await store.commitDecisions(epoch, [change(write)])).toEqual(outcome)
    expect(await store.stillPending(write.seqs)).toEqual(new Set(write.seqs))
    expect(await available(store, 'east')).toBe(6 - safety)
    expect((await store.loadByKeys([keyFor('1')])).size).toBe(0)
  })

  test('more than there is refuses the whole batch', async () => {
    const small = await decided(store, '1', told('1'))
    const large = await decided(store, '2', told('2', 4))
    const short = [{ node: 'east', sku: 'a' }]
    expect(await store.commitDecisions(0, [small, large])).toEqual({ outcome: 'stock_refused', short })
    expect(await store.commitDecisions(0, [small])).toMatchObject({ outcome: 'committed' })
    expect(await store.stillPending(large.seqs)).toEqual(new Set(large.seqs))
  })

  test('an order that changed meanwhile is a conflict, and the others of its batch are not', async () => {
    const [late, first] = [await decided(store, '1', told('1')), await decided(store, '1', told('1'))]
    const other = await decided(store, '2', told('2'))
    await store.commitDecisions(0, [first])
    expect(await store.commitDecisions(0, [late, other])).toMatchObject({ outcome: 'committed', conflicts: [0] })
    const cancelling = await decided(store, '1', closed('1'))
    await store.pullTasks('east', 9, 60)
    expect(await store.commitDecisions(0, [cancelling])).toMatchObject({ outcome: 'committed', conflicts: [0] })
  })

  test('a task that was pulled again is decided on: what is asked reaches the owner that it has now', async () => {
    const task = await pulled('1')
    const cancelling = await decided(store, '1', closed('1'))
    await lapse(task.taskId)
    const [second] = await store.pullTasks('east', 9, 60)
    expect(second).toMatchObject({ taskId: task.taskId, fence: task.fence + 1, intercepted: false })
    expect(await store.commitDecisions(0, [cancelling])).toMatchObject({ outcome: 'committed', conflicts: [] })
    const told = { taskId: task.taskId, fence: second!.fence, intercepted: true }
    expect(await store.pullTasks('east', 9, 60)).toMatchObject([told])
  })

  test('what is released is numbered, and told from any number on', async () => {
    const taskId = await routed('1')
    const write = await decided(store, '1', closed('1'))
    const back = { node: 'east', seq: 2, lines: [{ sku: 'a', delta: 2 }] }
    expect(await store.commitDecisions(0, [write])).toMatchObject({ deltas: [back] })
    expect(await store.deltasAfter('east', 1)).toEqual([back])
    expect(await store.deltasAfter('east', 0)).toEqual([
      { node: 'east', seq: 1, lines: [{ sku: 'a', delta: 6 - safety }] },
      back,
    ])
    const loaded = (await store.loadByKeys([keyFor('1')])).get(keyOf(keyFor('1')))
    expect(loaded?.tasks).toMatchObject([{ taskId, state: 'cancelled', lines: [{ sku: 'a', quantity: 2 }] }])
  })

  test('the epoch is raised alone: a commit waits for it, and what throws leaves it', async () => {
    const write = await decided(store, '1', told('1'))
    const done: string[] = []
    let commit: Promise<unknown> = Promise.resolve()
    const raised = store.withEpochLock(async (inside, epoch) => {
      commit = store.commitDecisions(epoch, [write]).then((c) => done.push(c.outcome))
      expect(await inside.nodeNames()).toEqual(nodes)
      expect((await inside.figuresOf(['east']))[0]).toMatchObject({ seq: 1 })
      done.push('raised')
      return epoch + 1
    })
    expect(await raised).toBe(1)
    await commit
    expect(done).toEqual(['raised', 'stale_epoch'])
    const failing = store.withEpochLock(() => Promise.reject(new RangeError('no')))
    await expect(failing).rejects.toThrow(RangeError)
    expect(await store.withEpochLock(async () => null)).toBe(1)
    expect(await store.currentEpoch()).toBe(1)
  })

  test('a task has one owner at a time, and only he may ship it, once', async () => {
    const first = await pulled('1')
    expect(await store.pullTasks('east', 9, 60)).toEqual([])
    await lapse(first.taskId)
    const box = [{ carrier: 'c', waybill: 'w', lines: lines('a', 2), shippedAt: atMs }]
    const ship = (node: string, fence: number) => store.shipTask(node, first.taskId, fence, box)
    expect(await ship('east', first.fence)).toEqual({ outcome: 'lease_lapsed' })
    const [second] = await store.pullTasks('east', 9, 60)
    expect(second).toMatchObject({ taskId: first.taskId, fence: first.fence + 1 })
    expect(await ship('east', first.fence)).toEqual({ outcome: 'stale_fence' })
    expect(await ship('west', second!.fence)).toEqual({ outcome: 'unknown_task' })
    expect(await store.acceptTask('east', first.taskId, second!.fence)).toEqual({
      ...{ outcome: 'accepted', leaseUntil: second!.leaseUntil },
    })
    expect(await ship('east', second!.fence)).toMatchObject({ outcome: 'shipped' })
    expect(await ship('east', second!.fence)).toMatchObject({ outcome: 'already_shipped' })
    expect(await available(store, 'east')).toBe(6 - safety - 2)
    expect(await store.hasReserved('east')).toBe(false)
  })

  test('what is given back waits for its command; a silent owner’s task is taken back', async () => {
    const task = await pulled('1')
    const reject: GivenBackAs = { state: 'rejected', reason: 'closed', lines: [] }
    const stop: GivenBackAs = { state: 'intercepted', lapsed: true }
    const back = (how: GivenBackAs) => store.giveBack('east', task.taskId, task.fence, how, takeBack(task.taskId))
    expect(await back(stop)).toEqual({ outcome: 'lease_lapsed' })
    await store.commitDecisions(0, [await decided(store, '1', closed('1'))])
    expect(await store.lapsedIntercepts(9)).toEqual([])
    await lapse(task.taskId)
    expect(await store.lapsedIntercepts(9)).toEqual([{ taskId: task.taskId, fence: task.fence, node: 'east' }])
    expect(await back(reject)).toEqual({ outcome: 'lease_lapsed' })
    const done = await back(stop)
    expect(done).toMatchObject({ outcome: 'given_back' })
    expect(await back(stop)).toEqual({ outcome: 'already_given_back' })
    expect((await store.stillPending([(done as { seq: string }).seq])).size).toBe(1)
  })
})

/** One command of a random history, on one of the two. */
type Command = (store: OrderStore, memory: Shared) => Promise<unknown>

interface Shared {
  readonly lapse: (taskId: string) => Promise<void>
  readonly late: DecisionWrite[]
  readonly tasks: PulledTask[]
  count: number
}

const orderId = fc.constantFrom('1', '2', '3')
const node = fc.constantFrom(...nodes)
const small = fc.integer({ min: 1, max: 4 })
const nth = fc.nat({ max: 5 })

const command: fc.Arbitrary<readonly [string, Command]> = fc.oneof(
  fc
    .tuple(
      orderId,
      node,
      small,
      fc.constantFrom('ready', 'closed', 'on_hold'),
      fc.constantFrom(0, 0, 0, 1),
      fc.boolean(),
    )
    .map(([order, at, quantity, platformState, epochOff, late]) => {
      const run: Command = async (store, shared) => {
        const n = ++shared.count
        const [stored] = await store.storeEvents([eventOf(order, { eventId: `e${n}` })])
        if (stored?.outcome !== 'new') return stored
        const snapshot = snapshotOf(order, lines('a', quantity, 'b', 1), {
          platformState,
          modifiedAt: atMs + n,
        } as never)
        const loaded = (await store.loadByKeys([keyFor(order)])).get(keyOf(keyFor(order)))
        const write = writeOn(loaded, order, stored.seq, { told: snapshot, node: at })
        // Decided now, committed after others. A batch never has two writes of one order.
        if (late && shared.late.every((w) => w.order.orderId !== order)) return shared.late.push(write)
        return await store.commitDecisions((await store.currentEpoch()) + epochOff, [write])
      }
      return [`${platformState} ${order} ×${quantity} at ${at}${late ? ', late' : ''}`, run] as const
    }),
  fc.constant([
    'commit what is late',
    async (store: OrderStore, shared: Shared) =>
      await store.commitDecisions(await store.currentEpoch(), shared.late.splice(0)),
  ] as const),
  fc
    .tuple(node, fc.constantFrom('set', 'add'), fc.integer({ min: -2, max: 8 }), fc.constantFrom(...skus))
    .map(([at, kind, quantity, sku]) => {
      const run: Command = async (store, shared) => {
        const ref = `r${++shared.count}`
        const amount = kind === 'set' ? Math.abs(quantity) : quantity
        return await store.postStock({
          node: at,
          ref,
          kind: kind as 'set',
          lines: lines(sku, amount),
          bodyHash: sha256(''),
        })
      }
      return [`${kind} ${quantity} ${sku} at ${at}`, run] as const
    }),
  node.map((at) => {
    const run: Command = async (store, shared) => {
      const tasks = await store.pullTasks(at, 2, 60)
      shared.tasks.push(...tasks)
      return tasks.map(({ leaseUntil: _, ...task }) => task)
    }
    return [`pull ${at}`, run] as const
  }),
  fc
    .tuple(
      fc.constantFrom('accept', 'ship', 'ship a part', 'reject', 'intercept', 'lapsed', 'lapse'),
      nth,
      fc.constantFrom(0, 0, -1),
    )
    .map(([verb, which, off]) => {
      const run: Command = async (store, shared) => {
        const task = shared.tasks[which % Math.max(1, shared.tasks.length)]
        if (task === undefined) return null
        return await act(store, shared, verb, task, task.fence + off)
      }
      return [`${verb} ${which} ${off}`, run] as const
    }),
)

async function act(store: OrderStore, shared: Shared, verb: string, task: PulledTask, fence: number) {
  const at = shared.tasks[0]!.taskId === task.taskId ? 'east' : 'west'
  const places = [at, at === 'east' ? 'west' : 'east']
  const back = (how: GivenBackAs, place: string) =>
    store.giveBack(place, task.taskId, fence, how, (order) =>
      commandEvent(
        order,
        { type: 'take_back', taskId: task.taskId, why: 'closed', lines: [], ...given },
        atMs,
        `${++shared.count}`,
      ),
    )
  const answers: unknown[] = []
  for (const place of places) {
    if (verb === 'lapse') answers.push(await shared.lapse(task.taskId))
    else if (verb === 'accept') answers.push(await store.acceptTask(place, task.taskId, fence))
    else if (verb === 'reject') answers.push(await back({ state: 'rejected', reason: 'closed', lines: [] }, place))
    else if (verb === 'intercept') answers.push(await back({ state: 'intercepted' }, place))
    else if (verb === 'lapsed') answers.push(await back({ state: 'intercepted', lapsed: true }, place))
    else {
      const some = verb === 'ship' ? task.lines : task.lines.slice(0, 1)
      const box = { carrier: 'c', waybill: `${task.taskId}${verb}`, shippedAt: atMs }
      const sent = some.map(({ sku, quantity }) => ({ sku, quantity }))
      answers.push(await store.shipTask(place, task.taskId, fence, [{ ...box, lines: sent }]))
    }
  }
  return answers.map(withoutClock)
}

/** The two stores have different clocks: of a lease only whether there is one can be compared. */
function withoutClock(answer: unknown): unknown {
  if (answer === null || typeof answer !== 'object' || !('leaseUntil' in answer)) return answer
  return { ...answer, leaseUntil: answer.leaseUntil !== null }
}

/** Everything that the verbs can show. */
async function look(store: OrderStore) {
  const figures = (await store.figuresOf(nodes)).map(({ node: at, seq, available: rows }) => {
    return { at, seq, rows: [...rows].sort((a, b) => (a.sku < b.sku ? -1 : 1)) }
  })
  const deltas = await Promise.all(nodes.map((at) => store.deltasAfter(at, 0)))
  const pending = await store.readPending({ afterSeq: '0', limit: 100, olderThanMs: 0 })
  return {
    figures: figures.sort((a, b) => (a.at < b.at ? -1 : 1)),
    deltas,
    pending: pending.map((p) => [p.seq, p.eventId, p.occurredDay]),
    orders: [...(await store.loadByKeys(['1', '2', '3'].map(keyFor)))].sort(([a], [b]) => (a < b ? -1 : 1)),
    lapsed: (await store.lapsedIntercepts(100)).map((l) => l.taskId).sort(),
  }
}

test('random histories have the same answers and the same end on both', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 15, maxLength: 25, size: 'max' }), async (history) => {
      const both = await Promise.all(
        subjects.map(async (subject) => {
          const store = await subject.make()
          const shared: Shared = { lapse: subject.lapse, late: [], tasks: [], count: 0 }
          const seen: unknown[] = []
          for (const at of nodes)
            await store.postStock({
              node: at,
              ref: 'all',
              kind: 'set',
              lines: lines('a', 9, 'b', 5),
              bodyHash: sha256(''),
            })
          for (const [text, run] of history) seen.push([text, await run(store, shared), await look(store)])
          return seen
        }),
      )
      both[0]!.forEach((seen, i) => {
        expect(
          both[1]![i],
          `after ${history
            .slice(0, i + 1)
            .map(([text]) => text)
            .join('; ')}`,
        ).toEqual(seen)
      })
    }),
    { numRuns: 20 },
  )
})
