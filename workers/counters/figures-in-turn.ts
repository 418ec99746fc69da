/**
 * The figures of many nodes, a few at once, so that a bounded number of rows comes: a warehouse may have as many as hundreds of
 * stores. While some are worked on, the next ones are on their way.
 */
import type { NodeFigures } from '../../adapters/store/stock/stock.ts'

// Some two megabytes.
const rowsAtOnce = 16_000
const nodesAtFirst = 16
const nodesAtOnceMax = 256

export async function* figuresInTurn(
  nodes: readonly string[],
  figuresOf: (nodes: readonly string[]) => Promise<readonly NodeFigures[]>,
): AsyncGenerator<NodeFigures, void> {
  let at = 0
  let size = nodesAtFirst
  const ask = () => {
    const some = nodes.slice(at, at + size)
    at += some.length
    const figures = some.length === 0 ? null : figuresOf(some)
    // It may fail while the ones before are worked on, or when the caller does not want it any more.
    figures?.catch(() => undefined)
    return figures
  }
  let next = ask()
  try {
    while (next !== null) {
      const figures = await next
      size = sizeAfter(figures)
      next = ask()
      yield* figures
    }
  } finally {
    // A caller that stops early shall find the connection as if nothing had been asked.
    await next?.catch(() => undefined)
  }
}

/** The next nodes are taken to be like these. */
function sizeAfter(figures: readonly NodeFigures[]): number {
  const rows = figures.reduce((sum, { available }) => sum + available.length, 0)
  const fitting = Math.floor((rowsAtOnce * figures.length) / Math.max(1, rows))
  return Math.max(1, Math.min(fitting, figures.length * 4, nodesAtOnceMax))
}
