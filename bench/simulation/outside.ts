/** What all outside of the processes have in common: platforms, warehouses, carriers, whatever asks a process for something. */
import type { Random } from '../../adapters/shared/seeded-random.ts'
import type { Ledger } from './ledger.ts'
import type { SimulatedProcess, Up } from './process.ts'
import type { Scheduler } from './scheduler.ts'

export interface OutsideContext {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly ledger: Ledger
  /** Some process that has started, if any. */
  readonly process: () => SimulatedProcess | null
  readonly isCalm: () => boolean
}

export interface Patience {
  readonly tries: number
  readonly patienceMs: number
  readonly name: string
}

/** null: nobody answered. `signal`: the caller has hung up. */
export async function ask<T>(
  { scheduler, process }: OutsideContext,
  { tries, patienceMs, name }: Patience,
  question: (up: Up, signal: AbortSignal) => Promise<T>,
): Promise<T | null> {
  for (let i = 0; i < tries; i++) {
    const up = process()?.up ?? null
    const gone = new AbortController()
    const hangsUp = scheduler.sleep(patienceMs, `${name} hangs up`).then(() => {
      gone.abort()
      return null
    })
    const answer = up === null ? await hangsUp : await Promise.race([asked(question, up, gone.signal), hangsUp])
    if (answer !== null) return answer
  }
  return null
}

async function asked<T>(
  question: (up: Up, signal: AbortSignal) => Promise<T>,
  up: Up,
  signal: AbortSignal,
): Promise<T | null> {
  try {
    return await question(up, signal)
  } catch (error) {
    // A refusal has a code; all else is a bug.
    if (typeof (error as { code?: unknown }).code !== 'string') up.log.error({ code: 'Error', err: error }, 'a verb')
    return null
  }
}
