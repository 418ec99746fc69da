/**
 * A setting that was mended lets go what it held: an order whose codes no catalog knew is checked again once all of them
 * are known, without a person. Each gets a command in the inbox, like goods that came (../stock/restock.ts).
 *
 * Whoever sets something asks for the first of them at once; the sweep finds the rest, what another process was told,
 * and what a process left that died in between.
 */
import { type HeldForCodes, heldForCodes } from '../../adapters/store/orders/held.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { areCodesKnown, stage } from '../../router/commands.ts'
import type { ChannelName } from '../../router/types.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Backlog } from '../intake/backlog.ts'
import { commandEvent } from '../intake/commands.ts'
import type { Intake } from '../intake/intake.ts'
import type { Clock } from '../process/clock.ts'
import { codeOf } from '../process/error-code.ts'
import type { Log } from '../process/log.ts'

// An order has up to 2,000 lines, some hundred bytes each.
const ordersPerPage = 200
// Held orders that one setting, or one round of the sweep, looks at: some ten milliseconds.
const pagesDefault = 10
// A backlog goes first: held orders wait for a later round.
const busyEvents = 5_000
// Another process goes by the settings before for as long as one round of its sweep takes, and may hold an order by them.
const settledMs = 60_000

const given = { actor: stage('settings'), note: '' }

export interface LetGoContext {
  readonly sql: Sql
  readonly catalog: { readonly current: Pick<Catalog, 'version' | 'sku' | 'shop'> }
  readonly intake: Pick<Intake, 'storeOwn'>
  readonly backlog: Pick<Backlog, 'size'>
  readonly clock: Clock
  readonly log: Log
}

export interface LetGoOptions {
  readonly ordersPerPage?: number
  readonly pages?: number
}

/** After a setting is in force. What fails here, and what is more, the sweep does. */
export async function letGo(context: LetGoContext): Promise<void> {
  try {
    await walk(context, null, {})
  } catch (error) {
    context.log.warn({ code: codeOf(error) }, 'orders that a setting lets go wait for the next round of the sweep')
  }
}

/** For the sweep: walks along all held orders after each change of settings, over several rounds when there are many. */
export class LettingGo {
  readonly #context: LetGoContext
  readonly #options: LetGoOptions
  /** The settings that were seen last, and since when. */
  #version = -1
  #since = 0
  /** Behind which order the walk goes on; null: none is under way. */
  #after: string | null = null
  #began = { version: -1, at: 0, asked: 0 }
  /** Nothing that these settings let go is left. */
  #isOver = false

  constructor(context: LetGoContext, options: LetGoOptions = {}) {
    this.#context = context
    this.#options = options
  }

  async round(): Promise<void> {
    const { catalog, clock } = this.#context
    const { version } = catalog.current
    if (version !== this.#version) {
      this.#version = version
      this.#since = clock.elapsed()
      this.#isOver = false
    }
    if (this.#isOver) return
    if (this.#after === null) this.#began = { version, at: clock.elapsed(), asked: 0 }
    const { asked, after } = await walk(this.#context, this.#after, this.#options)
    this.#began.asked += asked
    this.#after = after
    const isSettled = this.#began.version === version && this.#began.at - this.#since >= settledMs
    if (after === null && isSettled && this.#began.asked === 0) this.#isOver = true
  }
}

/** From behind an order on; `after`: where it stopped, null when it came to the end. */
async function walk(
  context: LetGoContext,
  from: string | null,
  options: LetGoOptions,
): Promise<{ readonly asked: number; readonly after: string | null }> {
  const { sql, backlog, catalog } = context
  const look = options.ordersPerPage ?? ordersPerPage
  let after = from ?? '0'
  let asked = 0
  for (let page = 0; page < (options.pages ?? pagesDefault); page++) {
    if (backlog.size > busyEvents) break
    const { orders, next } = await heldForCodes(sql, after, look)
    const { current } = catalog
    const known = orders.filter(({ channel, shop, lines }) =>
      areCodesKnown(lines, { sku: current.sku, skuMap: current.shop(channel, shop)?.skuMap ?? {} }),
    )
    await ask(context, known)
    asked += known.length
    if (next === null) return { asked, after: null }
    after = next
  }
  return { asked, after }
}

/** Asked twice within a minute, by whatever process, it is one event. Later it is another: the first may have come too early. */
async function ask({ intake, clock, catalog }: LetGoContext, orders: readonly HeldForCodes[]): Promise<void> {
  const now = clock.now()
  const minute = Math.floor(now / 60_000)
  await Promise.all(
    orders.map(({ id, version, channel, shop, orderId }) => {
      const key = { channel: channel as ChannelName, shop, orderId }
      const once = `${id}.${version}.${catalog.current.version}.${minute}`
      return intake.storeOwn(commandEvent(key, { type: 'recheck', ...given }, now, once))
    }),
  )
}
