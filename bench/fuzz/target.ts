/**
 * One thing that is fed with inputs. An input is plain data (objects, arrays, text, numbers, bytes), so that it can be
 * made smaller and kept.
 */
import type { Random } from './random.ts'

export interface Target<Input = unknown> {
  readonly name: string
  /** Its share of the inputs, beside the others'. Cheap ones and those that strangers reach get more. */
  readonly share: number
  draw(random: Random): Input
  /** Throws when something that is promised does not hold. */
  run(input: Input): void | Promise<void>
}

/** What was promised and is not so. */
export class Broken extends Error {
  override readonly name = 'Broken'
}

export function expectThat(holds: boolean, promise: string): asserts holds {
  if (!holds) throw new Broken(promise)
}

/** Targets of different inputs stand in one list. */
export function target<Input>(given: Target<Input>): Target {
  return given as unknown as Target
}
