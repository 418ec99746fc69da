/** What a scenario of the bench is, and what it gives: figures and curves that a report can show without knowing the scenario. */
import type { Violation } from '../../adapters/store/audit/audit.ts'
import type { ChannelName } from '../../router/types.ts'

/** `smallest` is what the tests run, in seconds; `full` has the sizes of a release. */
export type Size = 'smallest' | 'standard' | 'full'

export interface ScenarioContext {
  readonly size: Size
  /** Seconds of load, where a scenario has one and it was told; null: what fits the size. */
  readonly seconds: number | null
  readonly connections: number
  readonly seed: number
  /** A folder for the service's CPU profiles; null: none are taken. */
  readonly profile: string | null
  /** Orders a second that an earlier scenario of the same run sustained; null when none did. */
  readonly steadyRate: number | null
  /** Progress, a line at a time. */
  readonly say: (text: string) => void
  readonly load?: LoadOverrides
  /** Told where and on what is measured, as the servers say it themselves. */
  readonly surroundings?: (facts: Readonly<Record<string, string | number>>) => void
}

/** What a run was told on the command line and not every scenario has. */
export interface LoadOverrides {
  /** A service that runs already. */
  readonly url?: string
  /** In proportion. */
  readonly mix?: Readonly<Record<ChannelName, number>>
  /** Stops after this many requests, however long that takes. */
  readonly requests?: number
  readonly warmUpSeconds?: number
}

export interface Figure {
  readonly name: string
  readonly value: number
  /** `orders/s`, `ms`, `µs`, `MiB`, `bytes`, `×`, `%`, `orders`, … */
  readonly unit: string
  /** What the product wants to reach, and which way is better; absent: a figure that explains. */
  readonly goal?: { readonly value: number; readonly better: 'higher' | 'lower' }
}

export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Plot {
  /** A file name without its ending: `latency-ack`. */
  readonly name: string
  readonly title: string
  /**
   * bar: every x is a column of its own, whatever the distance (100, 1,000, 10,000 nodes). percentile: x is a percent
   * (50 … 99.9), drawn so that every further nine has the same room; 100 stands at the right edge.
   */
  readonly kind: 'line' | 'step' | 'bar' | 'percentile'
  readonly x: string
  readonly y: string
  readonly series: readonly Series[]
}

export interface Measured {
  readonly outcome: 'measured'
  /** How the load was made, in a sentence. */
  readonly workload: string
  readonly figures: readonly Figure[]
  readonly tables: readonly Table[]
  readonly plots: readonly Plot[]
  /** What was checked after it, so that "nothing was broken" means something. */
  readonly checks: { readonly invariants: number; readonly ordersCompared: number }
  /** Everything else that was measured, for readers of the JSON. */
  readonly raw: unknown
}

/** No figure of such a run is worth anything. */
export interface Broken {
  readonly outcome: 'broken'
  readonly violations: readonly Violation[]
}

export interface Scenario {
  readonly name: string
  /** What it answers, in a sentence. */
  readonly question: string
  run(context: ScenarioContext): Promise<Measured | Broken>
}

/** One part of an order's way alone, as fast as it goes. */
export interface Part {
  readonly name: 'http' | 'intake' | 'reserve' | 'commit' | 'decode'
  readonly ordersPerSecond: number
  /** Of every process that took part. */
  readonly cpuMicrosAnOrder: number
}

export interface PartsResult {
  readonly parts: readonly Part[]
  /** How the ceiling follows from the parts, in a sentence. */
  readonly method: string
  /** cores × 1,000,000 µs ÷ Σ CPU µs an order: every core busy with nothing but the parts. */
  readonly ceilingPerSecond: number
  /** 1 ÷ Σ (1 ÷ rate): an order passes one part after the other, and nothing overlaps. */
  readonly oneAfterAnotherPerSecond?: number
  /** How each part was measured, by its name. */
  readonly workloads?: Readonly<Partial<Record<Part['name'], string>>>
  readonly cores?: number
}

export interface BenchRun {
  readonly startedAt: string
  readonly commit: string
  readonly machine: Readonly<Record<string, string | number>>
  readonly size: Size
  readonly command: string
  readonly scenarios: readonly {
    readonly name: string
    readonly question: string
    readonly result: Measured | Broken
  }[]
  /** null: not measured in this run. */
  readonly parts: PartsResult | null
}
