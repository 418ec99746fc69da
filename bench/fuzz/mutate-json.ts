/** JSON texts that are nearly what they were, mostly still JSON, so that what reads their fields is reached. */
import { jsonTokens, type Token } from './json-tokens.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { nastyAmounts, nastyInstants, nastyKeys, nastyNumbers, nastyStrings, nastyValues } from './nasty.ts'
import type { Random } from './random.ts'

export interface JsonSample {
  readonly text: string
  readonly tokens: readonly Token[]
}

export function jsonSample(text: string): JsonSample {
  return { text, tokens: jsonTokens(text) }
}

/** One in eight is changed as bytes too, and so is no JSON any more, as a rule. */
export function mutateJson(random: Random, samples: readonly JsonSample[]): Buffer {
  const sample = random.pick(samples)
  const bytes = Buffer.from(random.oneIn(40) ? sample.text : mutateJsonText(random, sample))
  return random.oneIn(8) ? mutateBytes(random, bytes) : bytes
}

/** From the end to the beginning, so that positions stay right. */
export function mutateJsonText(random: Random, { text, tokens }: JsonSample): string {
  const count = 1 + random.small(6)
  const chosen = Array.from({ length: count }, () => random.pick(tokens)).sort((a, b) => b.start - a.start)
  let changed = text
  let free = text.length + 1
  for (const token of chosen) {
    if (token.end > free) continue
    free = token.entryStart
    changed = changeAt(random, changed, token, text, tokens)
  }
  return changed
}

function changeAt(random: Random, text: string, token: Token, original: string, tokens: readonly Token[]): string {
  const { start, end, entryStart } = token
  if (token.kind === 'name') return put(text, start, end, `"${random.pick(nastyKeys)}"`)
  switch (random.below(12)) {
    case 0: {
      // Out with the member or element, and with the comma behind it; at the end of a list that leaves no JSON.
      const comma = text[end] === ',' ? 1 : 0
      return put(text, entryStart, end + comma, '')
    }
    case 1:
      return put(text, end, end, `,${text.slice(entryStart, end)}`)
    case 2: {
      const other = random.pick(tokens)
      return other.kind === 'name' ? text : put(text, start, end, original.slice(other.start, other.end))
    }
    case 3:
      return put(text, start, end, deep(random, text.slice(start, end)))
    case 4:
      return put(text, start, end, random.pick(nastyValues))
    case 5:
      return put(text, start, end, random.oneIn(2) ? random.pick(nastyNumbers) : `"${random.pick(nastyStrings)}"`)
    default:
      return put(text, start, end, sameKind(random, text.slice(start, end), token))
  }
}

/** Something that could stand there, and is odd. */
function sameKind(random: Random, value: string, { kind }: Token): string {
  if (kind === 'number') return random.oneIn(3) ? String(random.small(2 ** 31)) : random.pick(nastyNumbers)
  if (kind !== 'string') return random.pick(nastyValues)
  const content = value.slice(1, -1)
  if (/^-?\d+\.\d\d$/.test(content) && !random.oneIn(4)) return `"${amount(random)}"`
  if (/^\d{4}-/.test(content) && !random.oneIn(4)) return `"${instant(random)}"`
  if (/^\d+$/.test(content) && random.oneIn(2)) return `"${random.pick(nastyNumbers)}"`
  if (random.oneIn(8)) return `"${content.repeat(1 + random.small(40))}"`
  if (random.oneIn(8)) return `"${content}${random.pick(nastyStrings)}"`
  return `"${random.pick(nastyStrings)}"`
}

function amount(random: Random): string {
  return random.oneIn(2) ? (random.small(1_000_000) / 100).toFixed(2) : random.pick(nastyAmounts)
}

function instant(random: Random): string {
  if (random.oneIn(3)) return random.pick(nastyInstants)
  const two = (max: number) => String(random.below(max)).padStart(2, '0')
  return `2026-${two(14)}-${two(33)} ${two(25)}:${two(61)}:${two(61)}`
}

function deep(random: Random, value: string): string {
  const levels = random.oneIn(200) ? 20_000 : 1 + random.small(60)
  return random.oneIn(2)
    ? `${'['.repeat(levels)}${value}${']'.repeat(levels)}`
    : `${'{"a":'.repeat(levels)}${value}${'}'.repeat(levels)}`
}

function put(text: string, start: number, end: number, insert: string): string {
  return text.slice(0, start) + insert + text.slice(end)
}
