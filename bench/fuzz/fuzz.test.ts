/** A short run of every target, and that the fuzzer finds what is wrong, makes it small, and finds it again. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fc, testSeed as seed } from '../../router/testing/seed.ts'
import { fuzz } from '../fuzz.ts'
import { budgetMs, examine } from './examine.ts'
import { jsonTokens } from './json-tokens.ts'
import { keepFailure, readFailure } from './keep.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { jsonSample, mutateJson } from './mutate-json.ts'
import { parseOptions, UsageError } from './options.ts'
import { Random } from './random.ts'
import { sharing } from './sharing.ts'
import { inputAt, runStretch } from './stretch.ts'
import { expectThat, type Target, target } from './target.ts'
import { targets } from './targets.ts'

const here = targets.map((t) => t.name)
const options = { seed, targets: here, minutes: null, threads: 2, replay: null, folder: tmpdir() }

test('a few thousand inputs of every parser and decision: nothing breaks', async () => {
  const report = await fuzz({ ...options, inputs: 6_000 })
  expect([...report.failures.values()]).toEqual([])
  expect([...report.fed.keys()].sort()).toEqual([...here].sort())
  expect(report.inputs).toBeGreaterThanOrEqual(6_000)
})

describe('inputs', () => {
  test.each(targets.map((t) => [t.name, t] as const))('of %s are the same for the same seed and index', (_, each) => {
    for (const index of [0, 1, 77]) expect(inputAt(each, seed, index)).toEqual(inputAt(each, seed, index))
    const drawn = Array.from({ length: 20 }, (_, index) => JSON.stringify(inputAt(each, seed, index)))
    expect(new Set(drawn).size).toBeGreaterThan(10)
  })

  test('bytes are changed, and stay within their limit', () => {
    const original = Buffer.from('{"a":1}')
    const changed = Array.from({ length: 500 }, (_, index) =>
      mutateBytes(new Random(1, 'b', index), original, [original]),
    )
    expect(changed.every((bytes) => bytes.length <= 256 * 1024)).toBe(true)
    expect(changed.filter((bytes) => !bytes.equals(original)).length).toBeGreaterThan(400)
    expect(original.toString()).toBe('{"a":1}')
  })

  test('tokens of any JSON are where they are said to be', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        for (const { kind, start, end } of jsonTokens(text)) {
          const value: unknown = JSON.parse(text.slice(start, end))
          expect(kind === 'object' || kind === 'array').toBe(typeof value === 'object' && value !== null)
        }
      }),
    )
  })

  test('most mutated JSON still is JSON, so that its readers are reached', () => {
    const samples = [jsonSample('{"a":{"b":[1,2,{"c":"259.00"}],"d":"2026-11-11 00:00:00"},"e":12345678901234567}')]
    let sound = 0
    for (let index = 0; index < 500; index++) {
      try {
        JSON.parse(mutateJson(new Random(1, 'j', index), samples).toString())
        sound++
      } catch {}
    }
    expect(sound).toBeGreaterThan(250)
  })
})

describe('finds', () => {
  const planted = (run: (text: string) => void): Target =>
    target<{ readonly text: string }>({
      name: 'planted',
      share: 1,
      draw: (random) => ({
        text: mutateBytes(random, Buffer.from('{"quantity":1,"price":"2.00"}')).toString('latin1'),
      }),
      run: ({ text }) => run(text),
    })
  const stretch = { seed: 7, from: 0, to: 20_000 }

  test('a crash, made as small as it gets, and the same again from its file', async () => {
    const each = planted((text) => {
      if (text.includes('\\')) throw new TypeError('a backslash')
    })
    const { failure, inputs } = await runStretch(each, stretch)
    expect(failure).toMatchObject({ target: 'planted', seed: 7, index: inputs - 1, input: { text: '\\' } })
    const folder = mkdtempSync(join(tmpdir(), 'paidan-fuzz-'))
    const again = readFailure(keepFailure(folder, failure!))
    rmSync(folder, { recursive: true })
    expect((await examine(each, again.input)).problem?.message).toContain('a backslash')
  })

  test('a promise that does not hold', async () => {
    const each = planted((text) => expectThat(text.length < 40, 'short'))
    expect((await runStretch(each, stretch)).failure?.message).toContain('Broken: short')
  })

  test('what takes its time, every time', async () => {
    const each = planted(() => {
      const from = process.cpuUsage().user
      while (process.cpuUsage().user - from < (budgetMs + 200) * 1_000);
    })
    expect((await runStretch(each, { ...stretch, to: 1 })).failure?.sign).toBe('slow')
  })

  test('a spoilt prototype', async () => {
    const each = planted((text) => {
      if (text.includes('_')) (Object.prototype as Record<string, unknown>).spoilt = 1
    })
    const { failure } = await runStretch(each, stretch).finally(() => {
      delete (Object.prototype as Record<string, unknown>).spoilt
    })
    expect(failure?.sign).toBe('prototype')
  })

  test('bytes and odd numbers survive the file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'paidan-fuzz-'))
    const input = {
      bytes: Buffer.from([0, 255]),
      figures: [Number.NaN, -0, 1.5, Number.POSITIVE_INFINITY],
      text: '\ud800',
    }
    const failure = { target: 't', seed: 1, index: 2, sign: 's', message: 'm', input }
    expect(readFailure(keepFailure(folder, failure))).toEqual(failure)
    rmSync(folder, { recursive: true })
  })
})

test('inputs are shared by share, each index once, and none after the end', () => {
  const shared = sharing(
    [
      { name: 'a', share: 3 },
      { name: 'b', share: 1 },
    ],
    100_000,
    1,
  )
  const indexes: Record<string, number> = { a: 0, b: 0 }
  for (let order = shared.next(); order !== null; order = shared.next()) {
    expect(order.from).toBe(indexes[order.target])
    indexes[order.target] = order.to
  }
  expect(indexes).toEqual({ a: 75_000, b: 25_000 })
  const stopped = sharing([{ name: 'a', share: 1 }], 100_000, 1)
  stopped.next()
  stopped.stop()
  expect(stopped.next()).toBeNull()
})

describe('options', () => {
  const names = ['a', 'http']
  test('with their defaults', () => {
    expect(parseOptions([], names, 5_000)).toMatchObject({ inputs: 10_000_000, seed: 5, targets: null, minutes: null })
    expect(parseOptions(['--target', 'a', '--inputs', '5', '--seed', '1'], names, 0)).toMatchObject({
      ...{ inputs: 5, seed: 1, targets: ['a'] },
    })
    expect(parseOptions(['--help'], names, 0)).toBe('help')
  })
  test.each([['--target', 'c'], ['--inputs', '-1'], ['--inputs', 'many'], ['--what'], ['stray']])(
    '%s %s is refused',
    (...argv) => {
      expect(() => parseOptions(argv, names, 0)).toThrow(UsageError)
    },
  )
})
