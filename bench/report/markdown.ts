/**
 * The report that people read: what was measured on what, the figures with their goals, one section a scenario, the parts
 * and the ceiling; each with the command that makes it again.
 */
import type { BenchRun, Figure } from '../measured/scenario.ts'
import { endToEnd, goalText, headlines, shareOfCeiling } from './headline.ts'
import { code, plain, table } from './markdown-text.ts'
import { figureText } from './ticks.ts'

/** `plotFile(scenario, plot)`: where the picture lies, beside the report. */
export type PlotFile = (scenario: string, plot: string) => string

export function reportMarkdown(run: BenchRun, plotFile: PlotFile): string {
  return `${[
    ...opening(run),
    ...firstPage(run),
    ...run.scenarios.flatMap((scenario) => section(run, scenario, plotFile)),
    ...partsSection(run),
  ].join('\n\n')}\n`
}

function opening(run: BenchRun): string[] {
  const machine = Object.entries(run.machine)
    .filter(([name]) => name !== 'commit')
    .map(([name, value]): [string, string] => [name, typeof value === 'number' ? figureText(value) : value])
  return [
    `# Paidan under load: ${plain(run.startedAt.slice(0, 10))}, commit ${plain(run.commit)}`,
    'Everything ran on one machine: the service, its Postgres and its Redis, the generator of the load and the stand-in of ' +
      'the WeChat API. After each load every invariant was checked, and every acknowledged order was compared with what ' +
      'was sent; a run that lost an order or oversold a unit has no figures.',
    table(['run', ''], [['begun', run.startedAt], ['commit', run.commit], ['size', run.size], ...machine]),
    `Made by ${code(run.command)}.`,
  ]
}

function firstPage(run: BenchRun): string[] {
  const rows = headlines(run).map(({ scenario, figure, reached }) => [
    scenario,
    figure.name,
    figureWithUnit(figure),
    goalText(figure),
    reached === true ? 'reached' : '**missed**',
  ])
  const broken = run.scenarios.filter(({ result }) => result.outcome === 'broken').map(({ name }) => name)
  return [
    '## Figures and goals',
    ...(broken.length > 0 ? [`**No result: in ${broken.join(', ')} an invariant did not hold.** See there.`] : []),
    rows.length === 0 ? 'Nothing that has a goal was measured in this run.' : headlineTable(rows),
    ...(run.size === 'smallest'
      ? ['This is the smallest size, which shows that everything works. Its figures are not those of the product.']
      : []),
  ]
}

/** The last column's bold is markup, so it does not go through `table`. */
function headlineTable(rows: readonly (readonly string[])[]): string {
  const [head, line] = table(['scenario', 'figure', 'measured', 'goal', ''], []).split('\n')
  return [head, line, ...rows.map((row) => `| ${row.map((c, at) => (at === 4 ? c : plain(c))).join(' | ')} |`)].join(
    '\n',
  )
}

function figureWithUnit({ value, unit }: Figure): string {
  return `${figureText(value)} ${unit}`.trim()
}

function section(
  run: BenchRun,
  { name, question, result }: BenchRun['scenarios'][number],
  plotFile: PlotFile,
): string[] {
  const head = [`## ${plain(name)}`, plain(question), code(`npm run bench -- ${name} --size ${run.size}`)]
  if (result.outcome === 'broken') {
    const rows = result.violations.map(({ invariant, count, examples }) => [
      invariant,
      count,
      JSON.stringify(examples).slice(0, 300),
    ])
    return [...head, '**No result.** These do not hold:', table(['invariant', 'times', 'for example'], rows)]
  }
  const figures = result.figures.map((figure) => [figure.name, figureWithUnit(figure), goalText(figure)])
  return [
    ...head,
    plain(result.workload),
    ...(figures.length === 0 ? [] : [table(['figure', 'measured', 'goal'], figures)]),
    ...result.plots.map((plot) => `![${plain(plot.title)}](${plotFile(name, plot.name)})`),
    ...result.tables.flatMap(({ title, columns, rows }) => [`**${plain(title)}**`, table(columns, rows)]),
    `Checked afterwards: ${figureText(result.checks.invariants)} invariants, and ` +
      `${figureText(result.checks.ordersCompared)} acknowledged orders one by one. All hold.`,
  ]
}

function partsSection(run: BenchRun): string[] {
  const { parts } = run
  const head = ['## The parts alone, and the ceiling', code(`npm run bench -- parts --size ${run.size}`)]
  if (parts === null) return [...head, 'Not measured in this run.']
  const all = parts.parts.reduce((sum, part) => sum + part.cpuMicrosAnOrder, 0)
  const rows = parts.parts.map(({ name, ordersPerSecond, cpuMicrosAnOrder }) => [
    name,
    parts.workloads?.[name] ?? '',
    ordersPerSecond,
    cpuMicrosAnOrder,
    `${figureText((cpuMicrosAnOrder / all) * 100)} %`,
  ])
  const rate = endToEnd(run)
  const share = shareOfCeiling(run)
  return [
    ...head,
    'Each part of an order’s way as fast as it goes with nothing else running, in fresh processes:',
    table(['part', 'what it does', 'orders/s', 'CPU µs an order', 'share'], rows),
    plain(parts.method),
    rate === null || share === null
      ? 'The whole way was not measured in this run, so there is no share of the ceiling.'
      : `End to end ${figureText(rate.value)} orders/s ÷ ceiling ${figureText(parts.ceilingPerSecond)} orders/s = ` +
        `**${figureText(share.value)}** (goal ${goalText(share)}).`,
  ]
}
