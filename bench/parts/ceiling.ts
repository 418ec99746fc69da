/** What an order costs when nothing but its parts has to be done, and how many of them a machine could do. */
import type { Part, PartsResult } from '../measured/scenario.ts'

type Ceiling = Pick<PartsResult, 'ceilingPerSecond' | 'oneAfterAnotherPerSecond' | 'method' | 'cores'>

/** `parts` is not empty. */
export function ceilingOf(parts: readonly Part[], cores: number): Ceiling {
  const micros = parts.reduce((sum, part) => sum + part.cpuMicrosAnOrder, 0)
  const seconds = parts.reduce((sum, part) => sum + 1 / part.ordersPerSecond, 0)
  const ceilingPerSecond = (cores * 1e6) / micros
  const oneAfterAnotherPerSecond = 1 / seconds
  return {
    cores,
    ceilingPerSecond,
    oneAfterAnotherPerSecond,
    method:
      `The ceiling is what ${cores} cores could do if both the load and the way of an order were these parts and nothing ` +
      `else: ${cores} × 1,000,000 µs ÷ ${Math.round(micros)} µs, the sum of the parts' CPU time an order in every process ` +
      `that took part (generator, part, Postgres, Redis), = ${rounded(ceilingPerSecond)} orders/s. It counts no trip between ` +
      'threads, no reading of a known order, no pulling of WeChat orders and no stand-in, no collection of garbage that is ' +
      'not the part’s own, no vacuum. If an order went through the parts one after the other and nothing overlapped, ' +
      `1 ÷ Σ (1 ÷ rate) = ${rounded(oneAfterAnotherPerSecond)} orders/s would come out.`,
  }
}

function rounded(value: number): string {
  return Math.round(value).toLocaleString('en')
}
