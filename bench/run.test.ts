/** The command: what it can be told, what it hands on, and when a run has no result. What is measured: scenarios/*.test.ts. */
import { describe, expect, test, vi } from 'vitest'
import { main as auditSizeMain } from './audit-size.ts'
import { main as chaosMain } from './chaos.ts'
import { main as fuzzMain } from './fuzz.ts'
import { cpuSeconds } from './load/cpu.ts'
import { parseOptions, UsageError, usageOf } from './load/options.ts'
import { memoryOf, watchMemory } from './load/process-memory.ts'
import { grownByLabel, parseScrape, quantile } from './load/scrape.ts'
import type { Broken, Measured, Scenario, ScenarioContext } from './measured/scenario.ts'
import { main as benchMain, isBroken, runBench } from './run.ts'
import { scenarios } from './scenarios/all.ts'

const names = [...scenarios.map(({ name }) => name), 'parts']

test('every scenario can be named, and is explained', () => {
  expect(new Set(names).size).toBe(names.length)
  for (const name of names)
    expect(usageOf(scenarios.concat({ name: 'parts', question: '?' } as Scenario))).toContain(name)
})

test.each([
  ['--seconds', '0'],
  ['--connections', 'many'],
  ['--mix', 'tmall=50,ebay=50'],
  ['--mix', 'tmall=0'],
  ['--url', '127.0.0.1:8080'],
  ['--size', 'huge'],
  ['--faster', 'please'],
  ['sideways', '--size=full'],
  ['hot', '--requests=5'],
])('refused: %s %s', (...words) => {
  expect(() => parseOptions(words, names)).toThrow(UsageError)
})

test('options of steady alone choose it', () => {
  expect(parseOptions(['--requests', '5', '--mix', 'jd=1'], names)).toMatchObject({
    names: ['steady'],
    load: { requests: 5, mix: { jd: 1 } },
  })
  expect(parseOptions(['hot', 'steady', 'hot'], names).names).toEqual(['hot', 'steady'])
})

const measured = (value: number): Measured => ({
  outcome: 'measured',
  workload: '',
  figures: [{ name: 'routed', value, unit: 'orders/s' }],
  tables: [],
  plots: [],
  checks: { invariants: 1, ordersCompared: 1 },
  raw: null,
})
const brokenResult: Broken = {
  outcome: 'broken',
  violations: [{ invariant: 'nothing_is_oversold', count: 1, examples: [] }],
}

describe('a run', () => {
  const seen: ScenarioContext[] = []
  const scenario = (name: string, result: Measured | Broken): Scenario => ({
    name,
    question: '?',
    run: (context) => {
      seen.push(context)
      context.surroundings?.({ postgres: '18' })
      return Promise.resolve(result)
    },
  })
  const runAll = (all: readonly Scenario[], ...argv: string[]) => {
    seen.length = 0
    return runBench(parseOptions([...argv, ...all.map(({ name }) => name)], names), argv, all, () => undefined)
  }

  test('hands the steady rate on, and keeps what the servers said', async () => {
    const run = await runAll(
      [scenario('steady', measured(1234)), scenario('latency', measured(1))],
      '--size',
      'smallest',
    )
    expect(seen.map(({ steadyRate }) => steadyRate)).toEqual([null, 1234])
    expect(run).toMatchObject({ size: 'smallest', parts: null, command: 'npm run bench -- --size smallest' })
    expect(run.machine).toMatchObject({ postgres: '18', cores: expect.any(Number) })
    expect(isBroken(run)).toBe(false)
  })

  test('one broken scenario breaks it, and hands no rate on', async () => {
    const run = await runAll([scenario('steady', brokenResult), scenario('latency', measured(1))])
    expect(seen.map(({ steadyRate }) => steadyRate)).toEqual([null, null])
    expect(isBroken(run)).toBe(true)
  })
})

test('what prom-client writes is read: growth by label, and quantiles within a bucket', () => {
  const text = (count: number) => `# HELP x\nt_total{stage="commit",a="b"} ${count}\nt_total{stage="decode",a="b"} 7
h_bucket{le="0.1"} ${count}\nh_bucket{le="0.2"} ${count * 2}\nh_bucket{le="+Inf"} ${count * 2}\n`
  const [before, after] = [parseScrape(text(10)), parseScrape(text(60))]
  expect(grownByLabel(before, after, 't_total', 'stage')).toEqual({ commit: 50 })
  expect(quantile(before, after, 'h', 0.25)).toBeCloseTo(0.05)
  expect(quantile(before, after, 'h', 0.75)).toBeCloseTo(0.15)
  expect(quantile(before, before, 'h', 0.5)).toBeNull()
})

test('the CPU time of a process tree grows with its work', () => {
  const own = () => cpuSeconds({ own: process.pid }).own!
  const before = own()
  const until = process.cpuUsage().user + 100_000
  while (process.cpuUsage().user < until) Math.sqrt(2)
  expect(own() - before).toBeGreaterThan(0.05)
  expect(cpuSeconds({ nobody: 2 ** 30 })).toEqual({ nobody: 0 })
})

test('the memory of a process is seen, and its peak stays', () => {
  const watch = watchMemory(process.pid)
  const big = Buffer.alloc(64 * 2 ** 20, 1)
  const { points, peakMib } = watch.stop()
  expect(big.at(-1)).toBe(1)
  expect(points.at(-1)![1] - points[0]![1]).toBeGreaterThan(30)
  expect(peakMib).toBeGreaterThanOrEqual(points.at(-1)![1] - 1)
  expect(memoryOf(2 ** 30)).toBeNull()
  expect(watchMemory(undefined).stop()).toEqual({ peakMib: null, points: [] })
})

test('a wrong command line has an exit code of its own: 1 says that something is broken', async () => {
  const { argv } = process
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    const commands = [benchMain, chaosMain, fuzzMain, auditSizeMain]
    const wrong = [
      ...commands.map((main) => [main, ['--no-such-option']] as const),
      [auditSizeMain, ['--orders', 'abc']] as const,
      [fuzzMain, ['--replay', '/no/such/file']] as const,
      [fuzzMain, ['--replay', 'package.json']] as const,
      [chaosMain, ['--only', 'redis-kill', '--points', '1', '--world', '9']] as const,
    ]
    for (const [main, words] of wrong) {
      process.argv = ['node', 'command', ...words]
      process.exitCode = undefined
      await main()
      expect(process.exitCode).toBe(2)
    }
  } finally {
    write.mockRestore()
    process.argv = argv
    process.exitCode = undefined
  }
})
