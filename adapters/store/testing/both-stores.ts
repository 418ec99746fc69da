/**
 * For tests of `OrderStore`: one script runs on Postgres and on plain maps. Each answer, and all that the store holds after it,
 * has to be the same, so that the stand-in of the simulation cannot drift from what it stands for.
 *
 * Both stores have the clock of this machine. A script never waits: a lease that is to be over is one of 0 seconds.
 */
import { expect } from 'vitest'
import type { Task } from '../../../router/task.ts'
import { MemoryStore } from '../memory/store.ts'
import type { OrderStore } from '../order-store.ts'
import type { DecisionWrite } from '../orders/commit.ts'
import { keyOf, type Loaded } from '../orders/load.ts'
import { PostgresStore } from '../postgres-store.ts'
import type { Posted } from '../stock/stock.ts'
import type { PulledTask } from '../tasks/tasks.ts'
import type { TestDatabase } from '../testing.ts'
import { type State, stateInMemory, stateInPostgres } from './whole-state.ts'
import { empty, eventOf, keyFor, lines, makeNetwork, type Step, sha256, snapshotOf, writeOn } from './world.ts'

export const nodes = ['east', 'west'] as const
export const skus = ['a', 'b'] as const
export const safety = 1

export interface Subject {
  readonly name: string
  /** An empty store with the network. */
  readonly make: () => Promise<{ readonly store: OrderStore; readonly state: () => Promise<State> }>
}

export function subjectsOf(database: () => TestDatabase): readonly [Subject, Subject] {
  return [
    {
      name: 'Postgres',
      make: async () => {
        const { sql } = database()
        await empty(sql)
        await sql`alter sequence event_seq restart`
        await sql`alter sequence bill_row_id_seq restart`
        await sql`alter sequence returns_id_seq restart`
        await makeNetwork(sql, { nodes, skus, safety })
        return { store: new PostgresStore(sql), state: () => stateInPostgres(sql) }
      },
    },
    {
      name: 'plain maps',
      make: async () => {
        const store = new MemoryStore({ nodes: nodes.map((node) => ({ node, safety })) }, Date.now)
        return { store, state: async () => stateInMemory(store) }
      },
    },
  ]
}

export interface Seen {
  readonly verb: string
  /** First what the verb gave, then what it gave to functions of ours. */
  readonly answer: readonly unknown[]
  readonly state: State
}

/**
 * Runs the script on both; an expectation of its own holds on both, then the two histories are compared verb by verb. Gives the
 * history.
 */
export async function sameOnBoth(
  database: () => TestDatabase,
  script: (scene: Scene) => Promise<void>,
): Promise<readonly Seen[]> {
  const [postgres, memory] = subjectsOf(database)
  const expected = await seenBy(postgres, script)
  const found = await seenBy(memory, script)
  for (const [i, step] of expected.entries()) {
    const before = expected.slice(Math.max(0, i - 5), i + 1).map(({ verb }) => verb)
    expect(found[i], `plain maps, after ${before.join(', ')}`).toEqual(step)
  }
  expect(found.length).toBe(expected.length)
  return expected
}

async function seenBy({ make }: Subject, script: (scene: Scene) => Promise<void>): Promise<readonly Seen[]> {
  const { store, state } = await make()
  const seen: Seen[] = []
  await script(new Scene(recorded(store, state, seen)))
  return seen
}

/** The store, and beside it what each verb answered and left. */
function recorded(store: OrderStore, state: () => Promise<State>, seen: Seen[]): OrderStore {
  const verbs = store as unknown as Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>
  const call = async (verb: string, args: readonly unknown[]): Promise<unknown> => {
    const asked: unknown[] = []
    const watched = args.map((arg) => (typeof arg === 'function' ? told(arg as Work, asked) : arg))
    const done = await verbs[verb]!.apply(store, watched).then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    )
    const answer = 'answer' in done ? comparable(verb, done.answer) : 'throws'
    seen.push({ verb, answer: [answer, ...asked.map((given) => comparable(verb, given))], state: await state() })
    if ('error' in done) throw done.error
    return done.answer
  }
  return new Proxy(store, {
    get:
      (_, verb) =>
      (...args: readonly unknown[]) =>
        call(String(verb), args),
  })
}

type Work = (...given: readonly unknown[]) => unknown

/** A function that the store calls: the first of what it is given is compared as well. */
function told(work: Work, asked: unknown[]): Work {
  return (...given) => {
    asked.push(given[0])
    return work(...given)
  }
}

/** Their answers have no sequence of their own. */
const unordered: readonly string[] = ['figuresOf', 'changedSince', 'figuresWithCommitted', 'lapsedIntercepts']

function comparable(verb: string, answer: unknown): unknown {
  const plain = plainOf(answer)
  return unordered.includes(verb) ? sortedOf(plain) : plain
}

/** Of a store's own clock and of its own places in memory. */
const own: readonly string[] = ['storedAtMs', 'no', 'nowMs']

/** Of an instant only whether it is to come; of a node's number, which is a place in memory, nothing. */
function plainOf(value: unknown): unknown {
  if (value === undefined || typeof value === 'function') return null
  if (value instanceof Date) return value.getTime() > Date.now() ? 'to come' : 'over'
  if (value instanceof Map) return sortedOf([...value].map(plainOf))
  if (value instanceof Set) return sortedOf([...value].map(plainOf))
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plainOf)
  if (value === null || typeof value !== 'object') return value
  // The two stores may give the fields of one object in different sequences, and lists are sorted by their text.
  const fields = Object.entries(value).filter(([name]) => !own.includes(name))
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(fields.map(([name, field]) => [name, plainOf(field)]))
}

function sortedOf(value: unknown): unknown {
  if (!Array.isArray(value)) {
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, sortedOf(field)]))
  }
  const items = value.map(sortedOf).map((item) => [JSON.stringify(item), item] as const)
  return items.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item)
}

/** A store with short words for what most scripts do. Names are counted, so that both stores get the same ones. */
export class Scene {
  readonly store: OrderStore
  #events = 0
  #refs = 0

  constructor(store: OrderStore) {
    this.store = store
  }

  /** Stores an event; gives its number. */
  async told(orderId: string, kind = 'order', eventId = `e${++this.#events}`): Promise<string> {
    const [stored] = await this.store.storeEvents([eventOf(orderId, { eventId, kind })])
    if (stored?.outcome !== 'new') throw new Error('the event is known')
    return stored.seq
  }

  async loaded(orderId: string): Promise<Loaded | undefined> {
    const key = keyFor(orderId)
    return (await this.store.loadSome([key], 1)).loaded.get(keyOf(key))
  }

  /** Stores an event and decides it on what the store holds now; nothing is committed yet. */
  async decided(orderId: string, step: Step): Promise<DecisionWrite> {
    const seq = await this.told(orderId)
    return writeOn(await this.loaded(orderId), orderId, seq, step)
  }

  async commit(orderId: string, step: Step, change: Partial<DecisionWrite> = {}): Promise<DecisionWrite> {
    const write = { ...(await this.decided(orderId, step)), ...change }
    const done = await this.store.commitDecisions(await this.store.currentEpoch(), [write])
    expect(done).toMatchObject({ outcome: 'committed', conflicts: [] })
    return write
  }

  async post(node: string, kind: 'set' | 'add', quantity: number, sku = 'a'): Promise<Posted> {
    const ref = `r${++this.#refs}`
    return await this.store.postStock({ node, ref, kind, lines: lines(sku, quantity), bodyHash: sha256('') })
  }

  /** An order of so many units of a, in one task. */
  async routed(orderId: string, quantity = 2, node = 'east'): Promise<Task> {
    const { newTasks } = await this.commit(orderId, { told: snapshotOf(orderId, lines('a', quantity)), node })
    return newTasks[0]!.task
  }

  /** The same, leased to its node. */
  async pulled(orderId: string, quantity = 2, node = 'east'): Promise<PulledTask> {
    const { taskId } = await this.routed(orderId, quantity, node)
    const tasks = await this.store.pullTasks(node, 100, 60)
    return tasks.find((task) => task.taskId === taskId)!
  }

  /** The same, shipped in one parcel with the order's id as its waybill; gives our id of the order. */
  async shipped(orderId: string, quantity = 2): Promise<string> {
    const { taskId, fence } = await this.pulled(orderId, quantity)
    const box = { carrier: 'SF', waybill: `W${orderId}`, lines: lines('a', quantity), shippedAt: 7 }
    const done = await this.store.shipTask('east', taskId, fence, [box])
    if (done.outcome !== 'shipped') throw new Error(done.outcome)
    return done.orderId
  }

  async available(node: string, sku = 'a'): Promise<number | undefined> {
    const [figures] = await this.store.figuresOf([node])
    return figures?.available.find((row) => row.sku === sku)?.available
  }
}
