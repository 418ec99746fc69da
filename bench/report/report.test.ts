/** The report: what is reached, missed or broken is said as it is, and every file is there. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { BenchRun, Figure, Measured, PartsResult } from '../measured/scenario.ts'
import { endToEnd, headlines, isReached, shareOfCeiling } from './headline.ts'
import { reportMarkdown } from './markdown.ts'
import { code, table } from './markdown-text.ts'
import { plotFile, writeReport } from './write.ts'

const folder = mkdtempSync(join(tmpdir(), 'paidan-report-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const rate: Figure = { name: 'routed', value: 8_000, unit: 'orders/s', goal: { value: 10_000, better: 'higher' } }
const steady: Measured = {
  outcome: 'measured',
  workload: 'A closed loop of 256 connections.',
  figures: [
    { name: 'accepted', value: 9_000, unit: 'orders/s' },
    rate,
    { name: 'ACK p99', value: 12.345, unit: 'ms', goal: { value: 20, better: 'lower' } },
  ],
  tables: [{ title: 'CPU', columns: ['process', 'µs'], rows: [['service | own', 61.25]] }],
  plots: [
    {
      name: 'rss',
      title: 'Memory',
      kind: 'line',
      x: 's',
      y: 'MiB',
      series: [
        {
          name: 'service',
          points: [
            [0, 1],
            [1, 2],
          ],
        },
      ],
    },
  ],
  checks: { invariants: 17, ordersCompared: 1234 },
  raw: { kept: true },
}
const parts: PartsResult = {
  parts: [
    { name: 'http', ordersPerSecond: 17_000, cpuMicrosAnOrder: 60 },
    { name: 'decode', ordersPerSecond: 20_000, cpuMicrosAnOrder: 140 },
  ],
  method: 'cores × 1,000,000 µs ÷ the sum of the parts',
  ceilingPerSecond: 10_000,
}
const run: BenchRun = {
  startedAt: '2026-01-02T03:04:05.000Z',
  commit: 'abc1234',
  machine: { cpu: 'a CPU', cores: 2, commit: 'abc1234' },
  size: 'standard',
  command: 'npm run bench -- steady parts',
  scenarios: [{ name: 'steady', question: 'How many orders a second?', result: steady }],
  parts,
}
const broken: BenchRun = {
  ...run,
  scenarios: [
    ...run.scenarios,
    {
      name: 'hot',
      question: 'Exactly to zero?',
      result: {
        outcome: 'broken',
        violations: [{ invariant: 'nothing_is_oversold', count: 3, examples: [{ node: 'N' }] }],
      },
    },
  ],
}

test('goals are held against figures, in both directions', () => {
  expect(headlines(run).map(({ figure, reached }) => [figure.name, reached])).toEqual([
    ['routed', false],
    ['ACK p99', true],
    ['end to end ÷ ceiling', true],
  ])
  expect(isReached({ ...rate, value: 10_000 })).toBe(true)
  expect(isReached({ ...rate, value: Number.NaN })).toBe(false)
  expect(isReached({ name: 'x', value: 1, unit: '' })).toBeNull()
})

test('the share of the ceiling is that of the rate that has a goal, and there is none without both', () => {
  expect(endToEnd(run)).toBe(rate)
  expect(shareOfCeiling(run)?.value).toBe(0.8)
  expect(shareOfCeiling({ ...run, parts: null })).toBeNull()
  expect(shareOfCeiling({ ...run, scenarios: [] })).toBeNull()
  expect(shareOfCeiling({ ...run, scenarios: [{ ...broken.scenarios[1]!, name: 'steady' }] })).toBeNull()
})

test('the report says what was measured, and the command of each section', () => {
  const text = reportMarkdown(run, plotFile)
  for (const words of [
    'commit abc1234',
    '| cores | 2 |',
    '| steady | routed | 8,000 orders/s | ≥ 10,000 orders/s | **missed** |',
    '| steady | ACK p99 | 12.3 ms | ≤ 20 ms | reached |',
    '`npm run bench -- steady --size standard`',
    '`npm run bench -- parts --size standard`',
    'service \\| own',
    '![Memory](steady-rss.svg)',
    '1,234 acknowledged orders one by one',
    '8,000 orders/s ÷ ceiling 10,000 orders/s = **0.8**',
  ])
    expect(text).toContain(words)
  expect(text.match(/abc1234/g)).toHaveLength(2)
  expect(text).not.toMatch(/NaN|undefined|\[object/)
})

test('a broken scenario has no figures, and the first page says so', () => {
  const text = reportMarkdown(broken, plotFile)
  expect(text).toContain('**No result: in hot an invariant did not hold.**')
  expect(text).toContain('| nothing\\_is\\_oversold'.replaceAll('\\_', '_'))
  expect(reportMarkdown({ ...run, parts: null }, plotFile)).toContain('Not measured in this run.')
})

test('the folder holds the JSON as it is, the text, and one picture a plot', () => {
  const into = join(folder, 'deep', 'run')
  writeReport(into, broken)
  expect(readdirSync(into).sort()).toEqual(['report.json', 'report.md', 'steady-rss.svg'])
  expect(JSON.parse(readFileSync(join(into, 'report.json'), 'utf8'))).toEqual(broken)
  const text = readFileSync(join(into, 'report.md'), 'utf8')
  for (const [, file] of text.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)) expect(existsSync(join(into, file!))).toBe(true)
})

test('no name leaves the folder, a cell stays a cell, code stays code', () => {
  expect(plotFile('../../etc', 'pass wd')).toBe('-etc-pass-wd.svg')
  expect(plotFile('latency', 'latency-ack')).toBe('latency-ack.svg')
  expect(table(['a', 'b'], [['x|y\nz', 1234.5]])).toBe('| a | b |\n| --- | ---: |\n| x\\|y z | 1,235 |')
  expect(code('a`b')).toBe('`` a`b ``')
})
