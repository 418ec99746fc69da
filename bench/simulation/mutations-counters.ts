/** Guards of Redis taken away. */
import type {
  ConfirmOutcome,
  HeldReservation,
  ReleaseOutcome,
  ReservationRef,
  StockCounters,
} from '../../adapters/stock/counters.ts'
import type { MemoryStock } from '../../adapters/stock/memory.ts'
import { nodes } from './network.ts'
import type { Mutation, Wiring } from './wiring.ts'

type Verbs = { readonly [K in keyof StockCounters]: StockCounters[K] }

export function verbsOf(stock: StockCounters): Verbs {
  return {
    reserve: (epoch, nowMs, requests) => stock.reserve(epoch, nowMs, requests),
    confirm: (epoch, requests) => stock.confirm(epoch, requests),
    release: (epoch, requests) => stock.release(epoch, requests),
    apply: (epoch, node, fromSeq, deltas) => stock.apply(epoch, node, fromSeq, deltas),
    reload: (epoch, node, seq, rows) => stock.reload(epoch, node, seq, rows),
    inspect: (epoch, node, skus) => stock.inspect(epoch, node, skus),
  }
}

function inRedis(name: string, broken: (stock: MemoryStock) => Partial<Verbs>): Mutation {
  const counters: Wiring['counters'] = (stock) => ({ ...verbsOf(stock), ...broken(stock) })
  return { name, wiring: { counters } }
}

/** Adds units behind the scripts' backs. */
function addUnits(stock: MemoryStock, node: string, sku: string, units: number): void {
  const image = stock.image()
  const atp = image.get(node)?.atp
  atp?.set(sku, (atp.get(sku) ?? 0) + units)
  stock.restore(image)
}

function recordOf(stock: MemoryStock, { node, reservationId }: ReservationRef): HeldReservation | undefined {
  return stock.image().get(node)?.held.get(reservationId)
}

function releasing(stock: MemoryStock, after: (ref: ReservationRef, record: HeldReservation) => void): Partial<Verbs> {
  return {
    async release(epoch, requests) {
      const records = requests.map((ref) => recordOf(stock, ref))
      const done = await stock.release(epoch, requests)
      done.forEach(({ outcome }, i) => {
        if (outcome === 'released') after(requests[i]!, records[i]!)
      })
      return done
    },
  }
}

const withoutAttempt = (id: string): string => id.replace(/@\d+/, '@')
const sameAttempt = <R extends ReservationRef>(requests: readonly R[]): R[] =>
  requests.map((r) => ({ ...r, reservationId: withoutAttempt(r.reservationId) }))

export const countersMutations: readonly Mutation[] = [
  inRedis('a release gives back twice', (stock) =>
    releasing(stock, ({ node }, { lines }) => {
      for (const l of lines) addUnits(stock, node, l.sku, l.quantity)
    }),
  ),
  inRedis('a release gives back too much', (stock) =>
    releasing(stock, ({ node }, { lines }) => addUnits(stock, node, lines[0]!.sku, 1)),
  ),
  inRedis('a release goes to another node', (stock) => ({
    release: (epoch, requests) =>
      stock.release(
        epoch,
        requests.map((r) => ({ ...r, node: nodes[(nodes.indexOf(r.node as 'n1') + 1) % nodes.length]! })),
      ),
  })),
  inRedis('what is to be released is confirmed', (stock) => ({
    async release(epoch, requests) {
      return (await stock.confirm(epoch, requests)).map((done) =>
        done.outcome === 'confirmed' ? { outcome: 'released' as const } : (done as ReleaseOutcome),
      )
    },
  })),
  inRedis('what is to be confirmed is released', (stock) => ({
    async confirm(epoch, requests) {
      return (await stock.release(epoch, requests)).map((done) =>
        done.outcome === 'released' ? { outcome: 'confirmed' as const } : (done as ConfirmOutcome),
      )
    },
  })),
  inRedis('a reservation’s id has no attempt in it', (stock) => ({
    reserve: (epoch, nowMs, requests) => stock.reserve(epoch, nowMs, sameAttempt(requests)),
    confirm: (epoch, requests) => stock.confirm(epoch, sameAttempt(requests)),
    release: (epoch, requests) => stock.release(epoch, sameAttempt(requests)),
  })),
  inRedis('a reservation that is asked for again takes again', (stock) => ({
    async reserve(epoch, nowMs, requests) {
      const image = stock.image()
      for (const { node, reservationId } of requests) image.get(node)?.held.delete(reservationId)
      stock.restore(image)
      return await stock.reserve(epoch, nowMs, requests)
    },
  })),
  inRedis('a change that Postgres made first is lost', (stock) => ({
    apply: (epoch, node, fromSeq, deltas) =>
      stock.apply(
        epoch,
        node,
        fromSeq,
        deltas.map((d, i) => (i === deltas.length - 1 && fromSeq % 3 === 0 ? { lines: [] } : d)),
      ),
  })),
  inRedis('a change that Redis knows is told to it again', (stock) => ({
    apply: (epoch, node, fromSeq, deltas) => {
      const seq = stock.image().get(node)?.seq ?? fromSeq - 1
      return stock.apply(epoch, node, Math.max(fromSeq, seq + 1), deltas)
    },
  })),
  inRedis('a gap in the changes is not noticed', (stock) => ({
    async apply(epoch, node, fromSeq, deltas) {
      const image = stock.image()
      const counters = image.get(node)
      if (counters !== undefined && counters.seq < fromSeq - 1) {
        counters.seq = fromSeq - 1
        stock.restore(image)
      }
      return await stock.apply(epoch, node, fromSeq, deltas)
    },
  })),
  inRedis('a recovery keeps the old counters', (stock) => ({
    async reload(epoch, node, seq, rows) {
      const before = stock.image().get(node)
      const done = await stock.reload(epoch, node, seq, rows)
      if (done.outcome !== 'reloaded' || before === undefined) return done
      stock.restore(new Map([...stock.image(), [node, { ...before, epoch }]]))
      return done
    },
  })),
]
