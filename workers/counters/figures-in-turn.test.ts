/** Every node once, in bounded pieces, and nothing left under way. */
import { expect, test } from 'vitest'
import type { NodeFigures } from '../../adapters/store/stock/stock.ts'
import { figuresInTurn } from './figures-in-turn.ts'

/** The node `n<rows>-…` has so many rows. */
function figuresOf(node: string): NodeFigures {
  const rows = Number(/^n(\d+)-/.exec(node)![1])
  const available = Array.from({ length: rows }, (_, i) => ({ sku: `s${i}`, available: i }))
  return { node, no: 1, seq: rows, available }
}

function namesOf(count: number, rows: number): string[] {
  return Array.from({ length: count }, (_, i) => `n${rows}-${i}`)
}

test.each([
  ['none', []],
  ['one', namesOf(1, 3)],
  ['stores', namesOf(3_000, 60)],
  ['stores behind warehouses', [...namesOf(40, 2_000), ...namesOf(1_000, 60)]],
  ['empty ones', namesOf(900, 0)],
  ['one that is more than a piece', namesOf(20, 20_000)],
])('%s', async (_, names) => {
  const seen: string[] = []
  const rows: number[] = []
  let running = 0
  const read = async (some: readonly string[]) => {
    expect(++running).toBe(1)
    await new Promise((resolve) => setImmediate(resolve))
    running -= 1
    const figures = some.map(figuresOf)
    rows.push(figures.reduce((sum, { available }) => sum + available.length, 0))
    return figures
  }
  for await (const { node } of figuresInTurn(names, read)) seen.push(node)
  expect(seen).toEqual(names)
  // The first ones are a guess.
  for (const some of rows.slice(1)) expect(some).toBeLessThanOrEqual(20_000)
  expect(rows.length).toBeLessThanOrEqual(2 + names.length / 4)
})

test('a failure is told when its turn comes', async () => {
  let asked = 0
  const read = async (some: readonly string[]) => {
    if (++asked === 2) throw new Error('away')
    return some.map(figuresOf)
  }
  const seen: string[] = []
  const all = async () => {
    for await (const { node } of figuresInTurn(namesOf(60, 1), read)) seen.push(node)
  }
  await expect(all()).rejects.toThrow('away')
  expect(seen).toEqual(namesOf(16, 1))
})

test('whoever stops early leaves nothing under way', async () => {
  let running = 0
  const read = async (some: readonly string[]) => {
    running += 1
    await new Promise((resolve) => setTimeout(resolve, 5))
    running -= 1
    return some.map(figuresOf)
  }
  for await (const { node } of figuresInTurn(namesOf(60, 1), read)) if (node === 'n1-3') break
  expect(running).toBe(0)
})
