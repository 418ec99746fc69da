import { ApiError } from '../../adapters/http/errors.ts'
import type { Refused } from '../process/refused.ts'

/** For HTTP handlers: what was refused becomes the error answer, everything else goes on. */
export function orThrow<Outcome extends { readonly outcome: string }>(
  told: Outcome | Refused,
): Exclude<Outcome, Refused> {
  if (told.outcome === 'refused') throw new ApiError((told as Refused).code, (told as Refused).message)
  return told as Exclude<Outcome, Refused>
}
