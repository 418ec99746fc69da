/** Whatever comes, in whatever sequence: nothing is lost, nothing is counted twice, and the end is the same. */
import { expect, test } from 'vitest'
import { check } from './check.ts'
import { type Demand, keepsItems } from './decide.ts'
import { desiresOf } from './desire.ts'
import { defaultPolicy } from './policy.ts'
import { rejectReasons } from './reasons.ts'
import { catalog, line, noReceiver, receiver, refund, snapshot } from './testing/orders.ts'
import { fc, runs } from './testing/seed.ts'
import { allBut, type Sourcing, type Told, World, wrongIn } from './testing/world.ts'
import {
  type OrderSnapshot,
  platformStates,
  type RefundSnapshot,
  type RefundStatus,
  type SnapshotLine,
} from './types.ts'

const status = fc.constantFrom<RefundStatus>('none', 'requested', 'refunded', 'refused', 'closed')
const lineId = fc.constantFrom('1', '2', '3', '4')

const anyLine: fc.Arbitrary<SnapshotLine> = fc
  .record({
    lineId,
    sku: fc.constantFrom('A', 'A', 'B', 'C', 'SET', 'SET', 'unknown'),
    quantity: fc.integer({ min: 1, max: 4 }),
    paidFen: fc.integer({ min: 0, max: 300 }),
    gift: fc.constantFrom(false, false, false, true),
    giftOf: fc.option(lineId),
    // Mostly nothing, so that most orders have something to ship.
    refund: fc.oneof({ weight: 5, arbitrary: fc.constant<RefundStatus>('none') }, status),
    counted: fc.option(fc.record({ requested: fc.nat(2), refunded: fc.nat(3) }), { freq: 2 }),
  })
  .map(({ lineId: id, counted, ...change }) => {
    // Neither none nor all, as a platform that counts tells it.
    const isSome = counted !== null && counted.requested + counted.refunded > 0 && counted.refunded < change.quantity
    // Another SKU of ours is another one of the platform's: maps do not change here.
    const told = { ...change, platformSku: change.sku }
    return line(id, isSome ? { ...told, refundUnits: counted } : told)
  })

const likely = [
  line('1', { quantity: 2, platformSku: 'A' }),
  line('2', { sku: 'SET', platformSku: 'SET' }),
  line('3', { paidFen: 0, gift: true, platformSku: 'A' }),
]
const likelyLines = fc.constant(likely)

const anySnapshot: fc.Arbitrary<OrderSnapshot> = fc
  .record({
    platformState: fc.constantFrom('ready' as const, 'ready' as const, 'ready' as const, ...platformStates),
    lines: fc.oneof(
      likelyLines,
      likelyLines,
      fc.uniqueArray(anyLine, { minLength: 1, maxLength: 4, selector: (l) => l.lineId }),
    ),
    freightFen: fc.constantFrom(0, 10),
    sellerMemo: fc.constantFrom('', '', '', '改地址'),
    addressUnderReview: fc.constantFrom(false, false, false, true),
    adcode: fc.constantFrom('330110', '330110', '330206', null),
    isLeftOut: fc.constantFrom(false, false, false, true),
    presale: fc.constantFrom(
      null,
      null,
      null,
      { step: 'deposit_paid' as const, depositFen: 10 },
      { step: 'balance_paid' as const, depositFen: 10 },
      { step: 'forfeited' as const, depositFen: 10 },
    ),
  })
  .map(({ adcode, isLeftOut, ...change }) =>
    snapshot({ ...change, receiver: isLeftOut ? noReceiver : { ...receiver, adcode } }),
  )

const anyRefund: fc.Arbitrary<RefundSnapshot> = fc
  .record({
    refundId: fc.constantFrom('R1', 'R2', 'R3'),
    lineId: fc.option(fc.constantFrom('1', '2', '3', '9'), { freq: 4 }),
    status,
    // Often what one unit costs, or all of a line.
    refundFen: fc.oneof(fc.constantFrom(50, 100), fc.integer({ min: 0, max: 400 })),
  })
  .map(refund)

/** Each with a time of its own, in the order of their times. */
const anyHistory = fc
  .array(fc.oneof(anySnapshot, anyRefund), { minLength: 1, maxLength: 8 })
  .map((events) => events.map((event, i) => ({ ...event, modifiedAt: 10 * (i + 1) })))

function summaryOf(world: World) {
  const { state, snapshot: told, refunds, items, holds } = world.order
  return { state, told, refunds, items, holds, where: world.where }
}

test('the end does not depend on the sequence in which a platform tells it', () => {
  const shuffledHistory = anyHistory.chain((events) => {
    const doubled = events.flatMap((event) => [event, event])
    return fc.record({
      events: fc.constant(events),
      shuffled: fc.shuffledSubarray(doubled, { minLength: doubled.length }),
      batches: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: doubled.length, maxLength: doubled.length }),
      lacking: fc.subarray(['A', 'B', 'C']),
    })
  })
  fc.assert(
    fc.property(shuffledHistory, ({ events, shuffled, batches, lacking }) => {
      const inOrder = new World(allBut(...lacking))
      for (const event of events) {
        inOrder.tell(event)
        expect(wrongIn(inOrder)).toEqual([])
      }
      const other = new World(allBut(...lacking))
      const left = [...shuffled]
      for (const size of batches) {
        other.tell(...left.splice(0, size))
        expect(wrongIn(other)).toEqual([])
      }
      expect(summaryOf(other)).toEqual(summaryOf(inOrder))
    }),
    { numRuns: runs(300) },
  )
})

/** Takes from `stream` how many units of each demand no node has, and how the rest lies at two nodes. */
function sourcing(stream: () => number): Sourcing {
  return (demand) => {
    const at: Record<string, Demand[]> = { M: [], N: [] }
    const missing: Demand[] = []
    for (const { item, quantity } of demand) {
      const lacking = Math.min(quantity, Math.max(0, (stream() % 5) - 2))
      const atM = Math.min(quantity - lacking, stream() % 3)
      if (lacking > 0) missing.push({ item, quantity: lacking })
      if (atM > 0) at.M!.push({ item, quantity: atM })
      if (quantity > lacking + atM) at.N!.push({ item, quantity: quantity - lacking - atM })
    }
    const planned = Object.entries(at)
    return {
      planned: planned.filter(([, units]) => units.length > 0).map(([node, units]) => ({ node, units })),
      missing,
    }
  }
}

type Step =
  | { readonly verb: 'tell'; readonly told: Told }
  | { readonly verb: 'late'; readonly told: OrderSnapshot | RefundSnapshot }
  | { readonly verb: 'decide' }
  | {
      readonly verb: 'pull' | 'accept' | 'ship' | 'shipSome' | 'reject' | 'intercept' | 'shortage'
      readonly pick: number
    }

const pick = fc.integer({ min: 0, max: 1000 })
const warehouse = fc.record({
  verb: fc.constantFrom(
    'pull',
    'pull',
    'pull',
    'accept',
    'ship',
    'shipSome',
    'reject',
    'intercept',
    'intercept',
    'shortage',
  ),
  pick,
}) as fc.Arbitrary<Step>
const telling = (told: Told): Step => ({ verb: 'tell', told })
/** Mostly peaceful, or nothing would ever leave the house. */
const peaceful = fc.constantFrom(undefined, '改地址').map((sellerMemo) =>
  snapshot({
    lines: likely,
    ...(sellerMemo === undefined ? {} : { sellerMemo }),
  }),
)
const wordOfLine1 = ([ship = 0, hold = 0, cancel = 0]: readonly number[]): Step =>
  telling({ type: 'line', lineId: '1', ship, hold, cancel })
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: peaceful.map(telling) },
  { weight: 2, arbitrary: anySnapshot.map(telling) },
  { weight: 2, arbitrary: anyRefund.map(telling) },
  { weight: 2, arbitrary: fc.oneof(anySnapshot, anyRefund).map((told): Step => ({ verb: 'late', told })) },
  { weight: 3, arbitrary: fc.constantFrom<Told>({ type: 'restock' }, { type: 'approve' }).map(telling) },
  { weight: 1, arbitrary: pick.map((n) => telling(n < 100 ? { type: 'cancel' } : { type: 'restock' })) },
  { weight: 2, arbitrary: fc.constantFrom([2, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1], [0, 0, 2]).map(wordOfLine1) },
  { weight: 4, arbitrary: fc.constant<Step>({ verb: 'decide' }) },
  { weight: 20, arbitrary: warehouse },
)

/**
 * Of each item no more units are in tasks than are to ship, but for those that left or that a flagged task still has; and
 * no task is flagged that the order wants. Asked of desiresOf itself with what it was told.
 */
function tasksThatStandWrong(world: World, tasksBefore: World['tasks']): string[] {
  const { order } = world
  if (order.snapshot === null) return []
  const { snapshot, overruled } = order
  const limits = defaultPolicy.check
  const checked = check({ snapshot, catalog, overruled, limits, keepsItems: keepsItems(order) })
  const { lines } = desiresOf(order, tasksBefore, checked.holds, checked.refusals, catalog)
  const wrong: string[] = []
  const wanted = new Set<string>()
  order.items.forEach((item, i) => {
    const own = order.allocations.flatMap(({ item: of, taskId, quantity }) => {
      const task = world.tasks.find((t) => t.taskId === taskId)
      return of === i && task !== undefined ? [{ task, quantity }] : []
    })
    const toShip = (item.quantity / snapshot.lines[item.line]!.quantity) * lines[item.line]!.ship
    const sum = (of: typeof own) => of.reduce((units, { quantity }) => units + quantity, 0)
    const isBack = ({ task }: (typeof own)[number]) => task.state === 'rejected' || task.state === 'intercepted'
    const live = own.filter((of) => !isBack(of))
    const unflagged = live.filter(({ task }) => !task.interceptRequested)
    const callable = unflagged.filter(({ task: { state, lines: of } }) => {
      const line = of.find((l) => l.sku === item.sku)!
      return state !== 'shipped' && state !== 'cancelled' && line.shipped < line.quantity
    })
    if (sum(unflagged) > toShip && callable.length > 0)
      wrong.push(`${callable.map(({ task }) => task.taskId)} of item ${i} should be called back`)
    if (sum(live) <= toShip) return
    for (const { task } of live) if (task.interceptRequested) wanted.add(task.taskId)
  })
  for (const { taskId, state, interceptRequested } of world.tasks) {
    if (!interceptRequested || wanted.has(taskId) || (state !== 'pulled' && state !== 'accepted')) continue
    wrong.push(`${taskId} is flagged and wanted`)
  }
  return wrong
}

/** Without what the order kept for its tasks. */
function asToldBy(known: OrderSnapshot): OrderSnapshot {
  const lines = known.lines.map(({ wanted, ...l }) => ({ ...l, quantity: wanted ?? l.quantity }))
  return { ...known, lines: lines.filter((l) => l.quantity > 0) }
}

/** Some units of an item are cancelled while others of it are on their way. */
function isParted({ order: { items, allocations } }: World): boolean {
  return items.some((_, i) => {
    const places = new Set(allocations.filter((a) => a.item === i).map((a) => a.place))
    return places.has('cancelled') && places.has('task')
  })
}

test('nothing is lost between platforms and warehouses, whatever they do', () => {
  const seen = { shipped: 0, intercepted: 0, partly: 0, kept: 0, held: 0, backordered: 0, parted: 0 }
  fc.assert(
    fc.property(
      fc.array(anyStep, { minLength: 1, maxLength: 60, size: 'max' }),
      fc.infiniteStream(fc.nat(30)),
      (steps, stream) => {
        const world = new World(sourcing(() => stream.next().value))
        let now = 10
        const decided = (act: () => void) => {
          const { tasks, order } = world
          act()
          if (world.order === order) return
          seen.kept += world.order.snapshot?.lines.some((l) => l.wanted !== undefined) === true ? 1 : 0
          expect(tasksThatStandWrong(world, tasks)).toEqual([])
        }
        for (const step of steps) {
          const shippedBefore = new Map(world.shipped)
          if (step.verb === 'tell' || step.verb === 'late') {
            const { told } = step
            now += 10
            const at = step.verb === 'late' ? 5 : now
            decided(() =>
              world.tell(told.type === 'order' || told.type === 'refund' ? { ...told, modifiedAt: at } : told),
            )
          } else if (step.verb === 'decide') decided(() => world.decideHandedBack())
          else if (world.tasks.length > 0) {
            // Mostly one that is not gone; those that are have to bear it, too.
            const live = world.tasks.filter((t) => t.state !== 'cancelled' && t.state !== 'shipped')
            const some = live.length === 0 || step.pick % 8 === 0 ? world.tasks : live
            const { taskId, lines } = some[(step.pick >> 3) % some.length]!
            switch (step.verb) {
              case 'pull':
              case 'accept':
              case 'ship':
              case 'intercept':
                if (world[step.verb](taskId) && step.verb === 'intercept') seen.intercepted++
                break
              case 'shipSome': {
                const some = lines[step.pick % Math.max(1, lines.length)]
                if (some !== undefined) world.ship(taskId, [{ sku: some.sku, quantity: 1 }])
                break
              }
              case 'reject':
                world.reject(taskId, rejectReasons[step.pick % rejectReasons.length]!)
                break
              case 'shortage': {
                // Too late for a task that is pulled by now, and sometimes decided together with what came of that one.
                const withIt = step.pick % 2 === 0 ? world.handedBack.splice(0) : []
                decided(() => world.tell({ type: 'take_back', taskId, why: 'shortage' }, ...withIt))
              }
            }
          }
          expect(wrongIn(world)).toEqual([])
          for (const [of, quantity] of shippedBefore) expect(world.shipped.get(of)).toBeGreaterThanOrEqual(quantity)
          seen.partly += world.order.state === 'partly_shipped' ? 1 : 0
          seen.held += world.order.state === 'held' ? 1 : 0
          seen.parted += isParted(world) ? 1 : 0
          seen.backordered += world.order.state === 'backordered' ? 1 : 0
        }
        seen.shipped += world.shipped.size

        // The platform closes it: all that is not out of the house comes back.
        const { snapshot: known } = world.order
        const told = known === null ? snapshot() : asToldBy(known)
        decided(() => world.tell({ ...told, platformState: 'closed', modifiedAt: now + 10 }))
        for (const { taskId } of world.tasks) world.intercept(taskId)
        decided(() => world.decideHandedBack())
        expect(wrongIn(world)).toEqual([])
        expect(world.tasks.filter((t) => t.state !== 'cancelled' && t.state !== 'shipped')).toEqual([])
        const shippedUnits = [...world.shipped.values()].reduce((sum, quantity) => sum + quantity, 0)
        expect(world.order.state).toBe(shippedUnits > 0 ? 'shipped' : 'cancelled')
        const inTasks = world.order.allocations.filter((a) => a.place === 'task')
        expect(inTasks.reduce((sum, a) => sum + a.quantity, 0)).toBe(shippedUnits)
        expect(world.order.allocations.every((a) => a.place === 'task' || a.place === 'cancelled')).toBe(true)
      },
    ),
    { numRuns: runs(300) },
  )
  // A generator that never gets there proves nothing.
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(5)
})
