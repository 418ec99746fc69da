/** What the tests of the scenarios share. */
import type { Broken, Measured, ScenarioContext } from '../measured/scenario.ts'

export const smallest: ScenarioContext = {
  size: 'smallest',
  seconds: null,
  connections: 16,
  seed: 7,
  profile: null,
  steadyRate: 200,
  say: () => undefined,
}

export function measuredOf(result: Measured | Broken): Measured {
  if (result.outcome === 'broken') throw new Error(JSON.stringify(result.violations))
  return result
}

export function figureOf(measured: Measured, name: string): number {
  const figure = measured.figures.find((one) => one.name === name)
  if (figure === undefined) throw new Error(`no figure ${name}: ${measured.figures.map((one) => one.name).join(', ')}`)
  return figure.value
}
