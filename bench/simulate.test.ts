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

test.each([['--sedes', '3'], ['--seeds', 'many'], ['stray']])('refuses %s %s', async (...args) => {
  expect(await simulate(...args)).toContain('Usage: npm run simulate')
  expect(process.exitCode).toBe(2)
})
