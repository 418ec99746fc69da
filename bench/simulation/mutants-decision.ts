/** Faults of the dispatch, of a batch's decision, and of what follows from it. */
import type { Mutant } from './mutant.ts'

const dispatch = 'workers/decide/dispatch.js'
const batch = 'workers/decide/decide-batch.js'
const placing = 'workers/decide/source-and-reserve.js'
const reconcile = 'workers/settle/reconcile.js'

export const decisionMutants: readonly Mutant[] = [
  {
    name: 'the dispatch forgets who is busy',
    file: dispatch,
    from: 'if (waiting !== undefined && !ours.has(key)) {',
    to: 'if (false) {',
  },
  {
    name: 'the dispatch starts an event twice',
    file: dispatch,
    from: 'this.#isFull() || this.#known.has(event.seq)',
    to: 'this.#isFull()',
  },
  {
    name: 'the dispatch never lets an order go',
    file: dispatch,
    from: 'this.#busy.delete(key);',
    to: '',
  },
  {
    name: 'the dispatch loses what waited for an order',
    file: dispatch,
    from: 'first.push(...waiting);',
    to: '',
  },
  {
    name: 'what lost at commit is not given back',
    file: batch,
    from: 'endReservations(store, keeper, takenBy(lost)),',
    to: '',
  },
  {
    name: 'a refused batch keeps what it took',
    file: batch,
    from: 'await endReservations(context.store, keeper, takenBy(made));',
    to: '',
  },
  {
    name: 'a refused batch gives back what an attempt before it reserved, whose commit was cut off',
    file: placing,
    from: 'taken: toGiveBack(attempt, answers)',
    to: 'taken: kept.map(({ node, reservationId }) => ({ node, reservationId, madeAtMs: attempt.madeAtMs }))',
    isRare: true,
  },
  {
    name: 'what is committed is not confirmed',
    file: batch,
    from: 'keeper.confirm(kept.flatMap((p) => p.newTasks.map(referenceOf))),',
    to: '',
  },
  {
    name: 'a plan that was refused keeps what it took',
    file: placing,
    from: 'await context.keeper.release(release);',
    to: '',
  },
  {
    name: 'a plan that was refused gives back what an attempt before it took',
    file: placing,
    from: "answers[i].outcome === 'reserved'",
    to: '!isRefused(answers[i])',
    isRare: true,
  },
  {
    name: 'a task is called back whatever became of it',
    file: 'router/take-back.js',
    from: 'return task.state === reasonRules[why].taskState;',
    to: 'return true;',
  },
  {
    name: 'an intercept ends a live lease as if it had lapsed',
    file: 'adapters/store/memory/tasks.js',
    from: 'leaseUntilMs !== null && isInterceptLapsed(task, leaseUntilMs > nowMs)',
    to: 'leaseUntilMs !== null && isInterceptLapsed(task, false)',
    also: {
      file: 'router/task.js',
      from: 'if (isLeased === speaksForSilent)',
      to: 'if (!isLeased && !speaksForSilent)',
    },
  },
  {
    name: 'the sweep forgets intercepts that lapsed',
    file: 'workers/fulfil/lapsed-intercepts.js',
    from: 'at < lapsed.length',
    to: 'false',
  },
  {
    name: 'the sweep forgets orders that are marked',
    file: reconcile,
    from: '[...due, ...unreconciled]',
    to: '[...unreconciled]',
  },
  {
    name: 'a mark on an order that was matched before is dropped',
    file: 'adapters/store/memory/due.js',
    from: 'row.updatedAtMs = due;',
    to: 'void 0;',
  },
  {
    name: 'a bill that came before its order is forgotten',
    file: reconcile,
    from: 'await store.resolveBillsWithoutOrder(limit);',
    to: '',
  },
]
