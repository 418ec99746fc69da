/** Faults of the sweep over stock, of counts and of restocking. */
import type { Mutant } from './mutant.ts'

const sweep = 'workers/stock/sweep-stock.js'
const restock = 'workers/stock/restock.js'

export const stockMutants: readonly Mutant[] = [
  {
    name: 'the sweep ends a young reservation',
    file: sweep,
    from: 'h.madeAtMs < clock.now() - this.#heldMsMax',
    to: 'h.madeAtMs < clock.now()',
  },
  { name: 'the sweep never ends reservations', file: sweep, from: 'if (old.length > 0) {', to: 'if (false) {' },
  {
    name: 'the sweep never loads wrong counters anew',
    file: sweep,
    from: 'await keeper.recover(epoch);',
    to: '',
  },
  {
    name: 'restock skips the oldest',
    file: restock,
    from: 'await ask(this.#context, found)',
    to: 'await ask(this.#context, found.slice(1))',
  },
  {
    name: 'restock forgets those behind that cannot be filled',
    file: restock,
    from: 'after: mine.length < perSku ? null : mine.at(-1).id',
    to: 'after: null',
  },
  {
    name: 'a shortage calls back a pulled task',
    file: 'adapters/store/memory/shortages.js',
    from: "task.state === 'ready'",
    to: "(task.state === 'ready' || task.state === 'pulled')",
  },
  {
    name: 'a shortage calls back one too many',
    file: 'router/shortage.js',
    from: 'if (left <= 0)',
    to: 'if (left < 0)',
  },
  {
    name: 'a shortage calls back what is called back already',
    file: 'router/shortage.js',
    from: '[...held.filter(isRecalled), ...held.filter((h) => !isRecalled(h))]',
    to: 'held.filter((h) => !isRecalled(h))',
  },
  {
    name: 'a shortage calls nothing back',
    file: 'workers/stock/shortages.js',
    from: 'await Promise.all(wanted.map((task) => intake.storeOwn(commandOf(task))));',
    to: '',
  },
  {
    name: 'a shortage that is over stays open',
    file: 'workers/stock/sweep-shortages.js',
    from: 'await store.endShortages();',
    to: '',
  },
]
