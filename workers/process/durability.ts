/**
 * Whether an ACK keeps its promise: asked at the start, and again with every round of the sweep, since a server may be
 * restarted with other settings, and a role may be given its own. While it does not, webhooks are refused in the
 * platform's own words, unless DURABILITY=off says that the promise is not wanted.
 */
import { adviceOn, durabilityOf, type Lack } from '../../adapters/store/postgres/durability.ts'
import type { Log } from './log.ts'

export class NotDurableError extends Error {
  readonly code = 'postgres_not_durable'

  constructor(lacks: readonly Lack[]) {
    super(
      'Postgres does not promise to keep what it has committed when the machine fails, so no order could be acknowledged. ' +
        `${adviceOn(lacks)} Or set DURABILITY=off, where losing acknowledged orders is acceptable.`,
    )
  }
}

export class DurabilityWatch {
  readonly #databaseUrl: string
  readonly #isRequired: boolean
  readonly #log: Log
  #lacks: readonly Lack[]

  private constructor(databaseUrl: string, isRequired: boolean, log: Log, lacks: readonly Lack[]) {
    this.#databaseUrl = databaseUrl
    this.#isRequired = isRequired
    this.#log = log
    this.#lacks = lacks
  }

  /** Throws NotDurableError when the promise is required and void; as the driver does when Postgres is away. */
  static async open(databaseUrl: string, required: 'required' | 'off', log: Log): Promise<DurabilityWatch> {
    const lacks = await durabilityOf(databaseUrl)
    if (lacks.length > 0 && required === 'required') throw new NotDurableError(lacks)
    if (lacks.length > 0) log.warn({ lacks }, 'not durable: acknowledged orders may be lost when the machine fails')
    return new DurabilityWatch(databaseUrl, required === 'required', log, lacks)
  }

  /** Empty: what is committed is durable, as far as the last look told. */
  get lacks(): readonly Lack[] {
    return this.#lacks
  }

  /** Nothing may be acknowledged. */
  get isBroken(): boolean {
    return this.#isRequired && this.#lacks.length > 0
  }

  /** Throws as the driver does when Postgres is away: then nothing can be acknowledged anyway. */
  async look(): Promise<void> {
    const lacks = await durabilityOf(this.#databaseUrl)
    const changed = lacks.map((l) => l.setting).join() !== this.#lacks.map((l) => l.setting).join()
    this.#lacks = lacks
    if (!changed) return
    if (lacks.length === 0) this.#log.info('durable again')
    else this.#log.error({ lacks, refusing: this.isBroken }, 'Postgres is not durable any more')
  }
}
