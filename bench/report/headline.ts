/** What stands on the first page: every figure that has a goal, and what the run as a whole came to. */
import type { BenchRun, Figure, Measured } from '../measured/scenario.ts'
import { figureText } from './ticks.ts'

export interface Headline {
  readonly scenario: string
  readonly figure: Figure
  /** null: nothing was promised. */
  readonly reached: boolean | null
}

export function headlines(run: BenchRun): readonly Headline[] {
  const found = run.scenarios.flatMap(({ name, result }) =>
    result.outcome === 'broken'
      ? []
      : result.figures
          .filter(({ goal }) => goal !== undefined)
          .map((figure) => ({ scenario: name, figure, reached: isReached(figure) })),
  )
  const share = shareOfCeiling(run)
  return share === null ? found : [...found, { scenario: 'steady', figure: share, reached: isReached(share) }]
}

export function isReached({ value, goal }: Figure): boolean | null {
  if (goal === undefined) return null
  if (!Number.isFinite(value)) return false
  return goal.better === 'higher' ? value >= goal.value : value <= goal.value
}

export function goalText({ goal, unit }: Figure): string {
  if (goal === undefined) return ''
  return `${goal.better === 'higher' ? '≥' : '≤'} ${figureText(goal.value)} ${unit}`
}

const shareGoal = { value: 0.8, better: 'higher' } as const

/** End to end against the parts of the same run; null where one of the two was not measured. */
export function shareOfCeiling(run: BenchRun): Figure | null {
  const rate = endToEnd(run)
  if (rate === null || run.parts === null || !(run.parts.ceilingPerSecond > 0)) return null
  return { name: 'end to end ÷ ceiling', value: rate.value / run.parts.ceilingPerSecond, unit: '×', goal: shareGoal }
}

/** What `steady` sustained: its orders a second that has a goal, else the first one. */
export function endToEnd(run: BenchRun): Figure | null {
  const steady = run.scenarios.find(({ name }) => name === 'steady')?.result
  if (steady === undefined || steady.outcome === 'broken') return null
  const rates = ratesOf(steady)
  return rates.find(({ goal }) => goal !== undefined) ?? rates[0] ?? null
}

function ratesOf({ figures }: Measured): readonly Figure[] {
  return figures.filter(({ unit, value }) => unit === 'orders/s' && Number.isFinite(value))
}
