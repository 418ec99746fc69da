/** Makes faults: crashes and freezes processes, and does to Redis whatever may happen to a Redis. */
import type { MemoryImage } from '../../adapters/stock/memory.ts'
import type { MemoryStore } from '../../adapters/store/memory/store.ts'
import { nodes, skus } from './network.ts'
import type { OutsideContext } from './outside.ts'
import type { SimulatedRedis } from './redis.ts'
import { isPatient, type Temper } from './temper.ts'
import type { Faults, Life } from './wire.ts'

const freezeMsMax = 600
const downMsMax = 1_000
// Longer than the intake lets a platform wait.
const silentMsMin = 4_500
const silentMsMax = 6_500
const phantomUnits = 2

export interface TroublesContext extends OutsideContext {
  readonly temper: Temper
  readonly faults: Faults
  readonly redis: SimulatedRedis
  readonly store: MemoryStore
  readonly lives: readonly Life[]
  readonly restart: (index: number) => void
  readonly noticesRestarts: boolean
}

/** What happens to a process: it dies, and its supervisor starts it again; or it stands still for a while. */
function processTroubles({ random, scheduler, lives, restart }: TroublesContext) {
  function crash(): void {
    const index = random.below(lives.length)
    const life = lives[index]!
    if (!life.alive) return
    scheduler.note(`${life.name} crashes`)
    life.end()
    scheduler.after(random.between(50, downMsMax), `${life.name} starts`, () => {
      if (!lives[index]!.alive) restart(index)
    })
  }

  function freeze(): void {
    const life = random.pick(lives)
    life.freeze(scheduler.nowMs + random.between(100, freezeMsMax))
    scheduler.note(`${life.name} freezes`)
  }

  return { crash, freeze }
}

/** `doubtedEpoch`: the last one in which Redis was emptied or spoilt without becoming another process. */
export function openTroubles(context: TroublesContext): { readonly doubtedEpoch: number } {
  const { random, scheduler, redis, store, temper } = context
  const { crash, freeze } = processTroubles(context)
  let dump: MemoryImage | null = null
  let doubtedEpoch = -1

  function restartRedis(how: string, image: MemoryImage | null): void {
    scheduler.note(`Redis is restarted ${how}`)
    const known = redis.scriptsLoaded
    redis.restart(image)
    if (!context.noticesRestarts) redis.scriptsLoaded = known
  }

  function emptyRedis(): void {
    scheduler.note('Redis is emptied')
    doubtedEpoch = store.tables.epoch
    redis.stock.forget()
  }

  /** Redis promises what nobody has: only Postgres stands between that and a second sale. */
  function addPhantoms(): void {
    // While it is being made anew it is of no epoch yet.
    if (store.locked) return
    scheduler.note('Redis promises units that nobody has')
    doubtedEpoch = store.tables.epoch
    const image = redis.stock.image()
    for (const { atp } of image.values()) for (const [sku, units] of atp) atp.set(sku, units + phantomUnits)
    redis.stock.restore(image)
  }

  /** Availability is nonsense from now on: no decision may rely on it. */
  function spoilAvailability(): void {
    const settings = context.process()?.settings
    if (settings === undefined) return
    const atp = random.pick([0, 3, 50])
    for (const node of nodes)
      settings.setAvailability(
        node,
        skus.map((sku) => ({ sku, atp })),
      )
  }

  // Once: several in a row would be one that outlasts every patience.
  let wasSilent = false
  function silencePostgres(): void {
    if (wasSilent) return
    wasSilent = true
    scheduler.note('Postgres falls silent')
    context.faults.silentUntilMs = scheduler.nowMs + random.between(silentMsMin, silentMsMax)
  }

  const pauses: readonly (() => void)[] = [freeze, silencePostgres]
  const losses: readonly (() => void)[] = [
    crash,
    () => context.process()?.endThread(random),
    () => {
      dump = redis.stock.image()
    },
    () => restartRedis('as it was', redis.stock.image()),
    () => restartRedis('from an old dump', dump),
    () => restartRedis('empty', null),
    emptyRedis,
    addPhantoms,
  ]
  // Each world knows only some of them: where everything breaks all the time, nothing comes far enough to break well.
  const possible = [spoilAvailability, ...(isPatient(temper) ? pauses : []), ...(temper === 'quiet' ? [] : losses)]
  const some = possible.filter(() => random.chance(0.4))
  const everyMs = random.pick([80, 250, 800])
  const again = (): void => {
    if (context.isCalm()) return
    random.pick(some)()
    scheduler.after(random.between(1, everyMs * 2), 'trouble', again)
  }
  if (some.length > 0) scheduler.after(random.between(1, everyMs * 2), 'trouble', again)
  return {
    get doubtedEpoch() {
      return doubtedEpoch
    },
  }
}
