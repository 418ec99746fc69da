/**
 * Random questions, asked of Redis and of plain maps. After each one the answers and everything there is to see have to
 * be the same.
 */
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fc, runs } from '../../router/testing/seed.ts'
import type { ReleaseRequest, ReservationRef, ReserveRequest, SkuAtp, StockCounters } from './counters.ts'
import { MemoryStock } from './memory.ts'
import { Stock } from './stock.ts'
import { type PrivateRedis, startPrivateRedis } from './testing.ts'

const nodes = ['east', 'west'] as const
const skus = ['a', 'b', '丙'] as const
const ids = ['r1', 'r2', 'r3', 'r4', 'r5'] as const

let server: PrivateRedis
let raw: Redis
let stock: Stock
beforeAll(async () => {
  server = await startPrivateRedis()
  raw = new Redis(server.socket)
  stock = new Stock({ redis: server.socket })
  await stock.connect()
  await stock.loadScripts()
})
afterAll(async () => {
  stock.close()
  raw.disconnect()
  await server.stop()
})

const sku = fc.constantFrom(...skus)
const node = fc.constantFrom(...nodes)
const line = fc.record({ sku, quantity: fc.integer({ min: 1, max: 4 }) })
const ref = fc.record({ node, reservationId: fc.constantFrom(...ids) })
const atMs = fc.constantFrom(1_000, 2_000)
const released = fc
  .tuple(ref, fc.option(atMs))
  .map(([name, madeAtMs]) => (madeAtMs === null ? name : { ...name, madeAtMs }))
const request = fc
  .tuple(ref, fc.array(line, { minLength: 1, maxLength: 4 }))
  .map(([where, lines]) => ({ ...where, lines }))
const delta = fc.record({
  lines: fc.array(fc.record({ sku, delta: fc.integer({ min: -5, max: 8 }) }), { maxLength: 3 }),
})
const row = fc.record({ sku, atp: fc.integer({ min: -3, max: 12 }) })
/** How far the asker's epoch is off the newest one. */
const epochOff = fc.constantFrom(0, 0, 0, 0, 0, 0, -1, 1)
const newer = fc.constantFrom(1, 1, 1, 0, -1)

type Question = (counters: StockCounters, epoch: number, seqOf: ReadonlyMap<string, number>) => Promise<unknown>
interface Step {
  readonly text: string
  readonly ask: Question
  readonly forget?: true
}

type Deltas = Parameters<StockCounters['apply']>[3]

const reserve = (off: number, nowMs: number, requests: readonly ReserveRequest[]): Step => ({
  text: `reserve ${off} ${nowMs} ${JSON.stringify(requests)}`,
  ask: (counters, epoch) => counters.reserve(epoch + off, nowMs, requests),
})
const confirm = (off: number, refs: readonly ReservationRef[]): Step => ({
  text: `confirm ${off} ${JSON.stringify(refs)}`,
  ask: (counters, epoch) => counters.confirm(epoch + off, refs),
})
const release = (off: number, refs: readonly ReleaseRequest[]): Step => ({
  text: `release ${off} ${JSON.stringify(refs)}`,
  ask: (counters, epoch) => counters.release(epoch + off, refs),
})
/** `behind`: how far the first change's number is off the one that the node waits for. */
const apply = (off: number, at: string, behind: number, deltas: Deltas): Step => ({
  text: `apply ${off} ${at} ${behind} ${JSON.stringify(deltas)}`,
  ask: (counters, epoch, seqOf) =>
    counters.apply(epoch + off, at, Math.max(0, (seqOf.get(at) ?? 0) + 1 + behind), deltas),
})
const reload = (off: number, at: string, rows: readonly SkuAtp[]): Step => ({
  text: `reload ${off} ${at} ${JSON.stringify(rows)}`,
  ask: (counters, epoch) => counters.reload(epoch + off, at, 2, rows),
})
const forgetAll: Step = { text: 'FLUSHALL', ask: async () => null, forget: true }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(epochOff, atMs, fc.array(request, { minLength: 1, maxLength: 6 }))
      .map((drawn) => reserve(...drawn)),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(epochOff, fc.array(ref, { minLength: 1, maxLength: 4 })).map((drawn) => confirm(...drawn)),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(epochOff, fc.array(released, { minLength: 1, maxLength: 4 })).map((drawn) => release(...drawn)),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(epochOff, node, fc.integer({ min: -3, max: 2 }), fc.array(delta, { maxLength: 4 }))
      .map((drawn) => apply(...drawn)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(newer, node, fc.uniqueArray(row, { selector: (one) => one.sku }))
      .map((drawn) => reload(...drawn)),
  },
  { weight: 1, arbitrary: fc.constant(forgetAll) },
)

const at = (reservationId: string, ...lines: ReserveRequest['lines']): ReserveRequest => ({
  ...{ node: 'east', reservationId, lines },
})
const one = (reservationId: string, madeAtMs?: number): ReleaseRequest => ({
  ...{ node: 'east', reservationId },
  ...(madeAtMs === undefined ? {} : { madeAtMs }),
})

/** Brings up every outcome, whatever the random steps bring up. */
const everyOutcomeOnce: Step[] = [
  reserve(0, 1_000, [at('r1', { sku: 'a', quantity: 2 })]),
  reserve(0, 2_000, [at('r1', { sku: 'a', quantity: 2 })]),
  reserve(0, 2_000, [at('r1', { sku: 'a', quantity: 3 })]),
  reserve(0, 1_000, [at('r2', { sku: 'b', quantity: 4 }, { sku: 'b', quantity: 4 })]),
  release(0, [one('r1', 1_000)]),
  release(0, [one('r1')]),
  release(0, [one('r1')]),
  reserve(0, 1_000, [at('r3', { sku: 'b', quantity: 1 })]),
  confirm(0, [one('r3')]),
  apply(0, 'east', 0, [{ lines: [{ sku: 'a', delta: 3 }] }]),
  apply(0, 'east', -1, [{ lines: [{ sku: 'a', delta: 3 }] }]),
  apply(0, 'east', 2, [{ lines: [{ sku: 'a', delta: 3 }] }]),
  reserve(-1, 1_000, [at('r4', { sku: 'a', quantity: 1 })]),
  reload(1, 'east', [{ sku: 'a', atp: 7 }]),
  forgetAll,
]

test('Redis and plain maps give the same answers and come to the same state', async () => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }), async (steps) => {
      await raw.flushall()
      const oracle = new MemoryStock()
      let epoch = 5
      for (const counters of [stock, oracle]) {
        for (const at of nodes)
          await counters.reload(epoch, at, 2, [
            { sku: 'a', atp: 9 },
            { sku: 'b', atp: 5 },
          ])
      }
      for (const { text, ask, forget } of steps) {
        if (forget) {
          await raw.flushall()
          oracle.forget()
        }
        const seqOf = await seqs(oracle, epoch)
        const expected = await ask(oracle, epoch, seqOf)
        expect(await ask(stock, epoch, seqOf), text).toEqual(expected)
        for (const answer of [expected].flat() as ({ outcome: string } | null)[]) seen.add(answer?.outcome ?? 'none')
        for (const at of nodes) {
          const [is, shall] = await Promise.all([newestState(stock, epoch, at), newestState(oracle, epoch, at)])
          expect(is, `${at} after ${text}`).toEqual(shall)
          if (shall !== null) epoch = Math.max(epoch, shall.epoch)
        }
      }
    }),
    { numRuns: runs(150), examples: [[everyOutcomeOnce]] },
  )
  // The questions are worth something only if each outcome came up.
  expect([...seen].sort()).toEqual(everyOutcome)
})
const everyOutcome = [
  'absent',
  'already_applied',
  'already_reserved',
  'applied',
  'asked_again',
  'confirmed',
  'exists_with_different_lines',
  'insufficient_stock',
  'none',
  'released',
  'reloaded',
  'reserved',
  'seq_gap',
  'stale_epoch',
]

async function newestState(counters: StockCounters, epoch: number, at: string) {
  for (const tried of [epoch + 1, epoch, epoch - 1]) {
    const state = await counters.inspect(tried, at)
    if (state.outcome !== 'inspected') continue
    const held = [...state.held].sort((x, y) => (x.reservationId < y.reservationId ? -1 : 1))
    return { epoch: tried, seq: state.seq, atp: Object.fromEntries([...state.atp].sort()), held }
  }
  return null
}

async function seqs(counters: StockCounters, epoch: number): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (const at of nodes) {
    const state = await newestState(counters, epoch, at)
    if (state !== null) found.set(at, state.seq)
  }
  return found
}
