/** What was fed and how fast, by target. */
import type { Failure } from './keep.ts'
import type { Stretched } from './stretch.ts'

export interface Fed {
  inputs: number
  ms: number
  slowestMs: number
  slowestIndex: number
}

export class Report {
  readonly fed = new Map<string, Fed>()
  /** One of each sign a target: the same fault is found a thousand times. */
  readonly failures = new Map<string, Failure>()

  add({ target, inputs, ms, slowest, failure }: Stretched): void {
    const fed = this.fed.get(target) ?? { inputs: 0, ms: 0, slowestMs: 0, slowestIndex: 0 }
    fed.inputs += inputs
    fed.ms += ms
    if (slowest.ms > fed.slowestMs) {
      fed.slowestMs = slowest.ms
      fed.slowestIndex = slowest.index
    }
    this.fed.set(target, fed)
    if (failure === null) return
    const key = `${target} ${failure.sign}`
    if (!this.failures.has(key)) this.failures.set(key, failure)
  }

  get inputs(): number {
    return [...this.fed.values()].reduce((sum, fed) => sum + fed.inputs, 0)
  }

  lines(): readonly string[] {
    const rows = [...this.fed].map(([name, { inputs, ms, slowestMs, slowestIndex }]) => [
      name,
      inputs.toLocaleString('en'),
      ms === 0 ? '' : Math.round((inputs * 1000) / ms).toLocaleString('en'),
      slowestMs.toFixed(1),
      String(slowestIndex),
    ])
    const head = ['target', 'inputs', 'inputs/s', 'slowest, ms', 'its index']
    const widths = head.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]!.length)))
    const line = (cells: readonly string[]) =>
      cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  ')
    return [line(head), ...rows.map(line)]
  }
}
