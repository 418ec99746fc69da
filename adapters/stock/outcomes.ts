/** The one table from the scripts' status numbers to the outcomes' names. The scripts' headers say the same. */
const outcomeNames = {
  1: 'ran',
  2: 'stale_epoch',
  10: 'reserved',
  11: 'already_reserved',
  12: 'exists_with_different_lines',
  13: 'insufficient_stock',
  20: 'confirmed',
  21: 'absent',
  22: 'released',
  23: 'asked_again',
  30: 'applied',
  31: 'already_applied',
  32: 'seq_gap',
  40: 'reloaded',
  41: 'loading',
  42: 'superseded',
  50: 'inspected',
} as const

type OutcomeName = (typeof outcomeNames)[keyof typeof outcomeNames]

/** Throws on a number that the table does not have or that this script may not answer: a bug, not an outcome. */
export function outcomeOf<Name extends OutcomeName>(status: unknown, possible: readonly Name[]): Name {
  const name = (outcomeNames as Readonly<Record<string, OutcomeName>>)[String(status)]
  const found = possible.find((one) => one === name)
  if (found === undefined) throw new Error(`unknown status ${String(status)}; possible: ${possible.join(', ')}`)
  return found
}

export function outcomeTable(): Readonly<Record<string, string>> {
  return outcomeNames
}
