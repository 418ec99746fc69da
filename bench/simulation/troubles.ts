/** Somebody who breaks things: crashes and freezes processes, and does to Redis whatever may happen to a Redis. */
import type { MemoryImage } from '../../adapters/stock/memory.ts'
import type { MemoryStore } from '../../adapters/store/memory/store.ts'
import type { SimulatedRedis } from './redis.ts'
import type { WarehouseContext } from './warehouse.ts'
import type { Life } from './wire.ts'

const freezeMsMax = 60
const downMsMax = 100
const phantomUnits = 2

export interface TroublesContext extends WarehouseContext {
  readonly redis: SimulatedRedis
  readonly store: MemoryStore
  readonly lives: readonly Life[]
  readonly restart: (index: number) => void
  readonly noticesRestarts: boolean
}

/** `doubtedEpoch`: the last one in which Redis was emptied or spoilt without becoming another process. */
export function openTroubles(context: TroublesContext): { readonly doubtedEpoch: number } {
  const { random, scheduler, redis, store, lives } = context
  let dump: MemoryImage | null = null
  let doubtedEpoch = -1

  function crash(): void {
    const index = random.below(lives.length)
    const life = lives[index]!
    if (!life.alive) return
    scheduler.note(`${life.name} crashes`)
    life.end()
    scheduler.after(random.between(5, downMsMax), `${life.name} starts`, () => {
      if (!lives[index]!.alive) context.restart(index)
    })
  }

  function freeze(): void {
    const life = random.pick(lives)
    life.freeze(scheduler.nowMs + random.between(10, freezeMsMax))
    scheduler.note(`${life.name} freezes`)
  }

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

  const troubles: readonly (() => void)[] = [
    crash,
    freeze,
    () => context.process()?.endThread(random),
    () => {
      dump = redis.stock.image()
    },
    () => restartRedis('as it was', redis.stock.image()),
    () => restartRedis('from an old dump', dump),
    () => restartRedis('empty', null),
    emptyRedis,
    addPhantoms,
    () => context.process()?.spoilAvailability(random.pick([0, 3, 50])),
  ]
  // Each world knows only some of them: where everything breaks all the time, nothing comes far enough to break well.
  const some = troubles.filter(() => random.chance(0.4))
  const everyMs = random.pick([8, 25, 80])
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
