/** Runs one input and says what is wrong with what happened: an error that is not documented, time, a spoilt prototype. */
import { readFileSync } from 'node:fs'
import type { Target } from './target.ts'

export interface Examined {
  readonly ms: number
  readonly problem: Problem | null
}

export interface Problem {
  /** Without figures: the same for the same fault. */
  readonly sign: string
  readonly message: string
}

/**
 * No input is larger than 256 KiB. The slowest sound parser, the bills' CSV, needs a quarter of this for it and on a busy
 * machine half; what is not linear needs many times of it.
 */
export const budgetMs = 1_000
const repeats = 3

export async function examine({ run }: Target, input: unknown): Promise<Examined> {
  const started = performance.now()
  let problem: Problem | null = null
  try {
    const running = run(input)
    if (running instanceof Promise) await running
  } catch (error) {
    problem = problemOf(error)
  }
  let ms = performance.now() - started
  problem ??= polluted()
  if (problem === null && ms > budgetMs) {
    // Another process may have had the core: only an input that is slow every time is slow.
    for (let again = 0; again < repeats && ms > budgetMs; again++) ms = Math.min(ms, await timed(run, input))
    if (ms > budgetMs)
      problem = { sign: 'slow', message: `takes ${Math.round(ms)} ms, every time (at most ${budgetMs})` }
  }
  return { ms, problem }
}

/** Of a run that waits for nothing only the time that its thread had a core counts, where the system tells it. */
async function timed(run: Target['run'], input: unknown): Promise<number> {
  const [started, startedOnCore] = [performance.now(), onCoreMs()]
  const running = run(input)
  if (running instanceof Promise) await running
  const ms = performance.now() - started
  const endedOnCore = onCoreMs()
  if (running instanceof Promise || startedOnCore === null || endedOnCore === null) return ms
  return Math.min(ms, endedOnCore - startedOnCore)
}

/** How long this thread has run on a core; null where the system does not tell. */
function onCoreMs(): number | null {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6
  } catch {
    return null
  }
}

function problemOf(error: unknown): Problem {
  const { name, message, stack } = error instanceof Error ? error : new Error(`thrown: ${String(error)}`)
  const where = /\n\s+at (?:async )?([^\s(]+)/.exec(stack ?? '')?.[1] ?? ''
  return { sign: `${name} ${message.replace(/[0-9]+/g, '#').slice(0, 120)} ${where}`, message: stack ?? message }
}

const builtIn = [Object.prototype, Array.prototype, Function.prototype, String.prototype] as const
const known = builtIn.map((prototype) => Reflect.ownKeys(prototype).length)
let turn = 0

/** What shows in every object is looked for each time, the rest now and then. */
function polluted(): Problem | null {
  for (const key in {}) return spoilt(key)
  if (++turn % 256 !== 0) return null
  const at = builtIn.findIndex((prototype, i) => Reflect.ownKeys(prototype).length !== known[i])
  return at < 0 ? null : spoilt('a hidden one')
}

function spoilt(key: string): Problem {
  return { sign: 'prototype', message: `a built-in prototype has a new property (${key})` }
}
