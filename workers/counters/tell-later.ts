import { codeOf } from '../process/error-code.ts'
import type { Log } from '../process/log.ts'
import { sampled } from '../process/sampled-log.ts'

/** Redis away is no reason to refuse what Postgres has taken: the sweep tells it later. */
export async function tellLater(log: Log, tell: () => Promise<void>): Promise<void> {
  try {
    await tell()
  } catch (error) {
    sampled(log).warn({ code: codeOf(error) }, 'Redis is told later')
  }
}
