import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { main } from './simulate.ts'

const argv = process.argv
let said: string[]
beforeEach(() => {
  said = []
  const say = (...words: unknown[]): void => void said.push(words.join(' '))
  vi.spyOn(console, 'log').mockImplementation(say)
  vi.spyOn(console, 'error').mockImplementation(say)
})
afterEach(() => {
  vi.restoreAllMocks()
  process.argv = argv
  process.exitCode = undefined
})

async function simulate(...args: string[]): Promise<string> {
  process.argv = ['node', 'simulate', ...args]
  await main()
  return said.join('\n')
}

test('plays seeds and says what held', async () => {
  expect(await simulate('--seeds', '3', '--from', '20')).toMatch(
    /^3 seeds from 20: every invariant held over \d+ steps/,
  )
  expect(process.exitCode).toBeUndefined()
})

test('shows every step of one', async () => {
  const text = await simulate('--seed', '20', '--trace')
  expect(text).toMatch(/▶ redis reserve in \d+ n\d: \d+-1@0/)
  expect(text).toContain('— calm —')
})

test('tells which seed notices a fault', async () => {
  const faults = ['read-back never begins again', 'a task is given away while somebody has it']
  for (const fault of faults) {
    said = []
    expect(await simulate('--mutants', '--only', fault, '--seeds', '60')).toMatch(new RegExp(`^ +\\d+ {2}${fault}: .+`))
  }
  expect(process.exitCode).toBeUndefined()
})

test.each([
  ['Unknown option', '--sedes', '3'],
  ['--seeds has to be a whole number from 1', '--seeds', 'many'],
  ['--seeds has to be a whole number from 1', '--seeds', '0'],
  ['stray', 'stray'],
  ['--only needs --mutants', '--only', 'read-back'],
  ['--trace is for worlds without --mutants', '--mutants', '--trace'],
  ['no fault has the text "nosuch"', '--mutants', '--only', 'nosuch'],
])('%s: refuses %s %s %s', async (why, ...args) => {
  const told = await simulate(...args)
  expect(told).toContain(why)
  expect(told).toContain('Usage: npm run simulate')
  expect(process.exitCode).toBe(2)
})
