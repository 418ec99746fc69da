/** Puts a run into a folder: report.json, report.md, and one SVG a plot. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchRun } from '../measured/scenario.ts'
import { reportMarkdown } from './markdown.ts'
import { plotSvg } from './plot.ts'

/** Makes the folder when it is not there; what a report wrote into it before is written over. */
export function writeReport(folder: string, run: BenchRun): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(run, null, 2)}\n`)
  writeFileSync(join(folder, 'report.md'), reportMarkdown(run, plotFile))
  for (const { name, result } of run.scenarios) {
    if (result.outcome === 'broken') continue
    for (const plot of result.plots) writeFileSync(join(folder, plotFile(name, plot.name)), plotSvg(plot))
  }
}

/** Names of ours; whatever else one may hold, the file stays in the folder. */
export function plotFile(scenario: string, plot: string): string {
  const word = (text: string) => text.replace(/[^A-Za-z0-9_-]+/g, '-')
  return plot.startsWith(`${scenario}-`) || plot === scenario
    ? `${word(plot)}.svg`
    : `${word(scenario)}-${word(plot)}.svg`
}
