/** Bodies by the contract's own shapes: valid as a rule, with values of the network that the service runs. */
import { z } from 'zod'
import type { Schema } from '../../../adapters/http/route.ts'
import type { Random } from '../random.ts'

type Shape = Readonly<Record<string, unknown>>

const shapes = new WeakMap<Schema, Shape>()

/** JSON text; `{}` where the endpoint takes no body. `words`: texts that mean something to the service. */
export function drawBody(random: Random, schema: Schema | undefined, words: readonly string[] = defaultWords): string {
  if (schema === undefined) return '{}'
  let shape = shapes.get(schema)
  if (shape === undefined) {
    shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape
    shapes.set(schema, shape)
  }
  return JSON.stringify(shaped(random, shape, shape, words)) ?? 'null'
}

const defaultWords = [
  ...['tmall', 'east', 'S1', 'S2', 'a ref', '330106', 'SF', 'SF7444400031887', '12-1', '3705115058471999999'],
  ...['https://example.com', 'http://127.0.0.1:1', 'key-of-east-warehouse', '张三', 'x'],
]

function shaped(random: Random, shape: Shape, root: Shape, words: readonly string[]): unknown {
  const { $ref, enum: choices, const: only, anyOf, type } = shape
  if (typeof $ref === 'string') {
    const named = (root.$defs as Record<string, Shape>)[$ref.split('/').at(-1)!]
    return shaped(random, named ?? {}, root, words)
  }
  if (Array.isArray(choices)) return random.pick(choices)
  if (only !== undefined) return only
  if (Array.isArray(anyOf)) return shaped(random, random.pick(anyOf as Shape[]), root, words)
  switch (type) {
    case 'object':
      return objectOf(random, shape, root, words)
    case 'array':
      return arrayOf(random, shape, root, words)
    case 'string':
      return textOf(random, shape, words)
    case 'integer':
    case 'number':
      return numberOf(random, shape)
    case 'boolean':
      return random.oneIn(2)
    case 'null':
      return null
    default:
      return random.pick([null, 1, 'x', [], {}])
  }
}

function objectOf(random: Random, shape: Shape, root: Shape, words: readonly string[]): unknown {
  const {
    properties = {},
    required = [],
    additionalProperties,
  } = shape as {
    properties?: Record<string, Shape>
    required?: readonly string[]
    additionalProperties?: unknown
  }
  const made: Record<string, unknown> = {}
  for (const [name, of] of Object.entries(properties)) {
    if (required.includes(name) ? !random.oneIn(50) : random.oneIn(2)) made[name] = shaped(random, of, root, words)
  }
  if (typeof additionalProperties === 'object' && additionalProperties !== null) {
    for (let left = random.below(4); left > 0; left--) {
      made[random.pick(words)] = shaped(random, additionalProperties as Shape, root, words)
    }
  }
  return made
}

function arrayOf(random: Random, shape: Shape, root: Shape, words: readonly string[]): unknown {
  const { items = {}, minItems = 0, maxItems = 10 } = shape as { items?: Shape; minItems?: number; maxItems?: number }
  const most = random.oneIn(200) ? Math.min(maxItems + 1, 501) : Math.min(maxItems, minItems + 3)
  const count = minItems + random.below(most - minItems + 1)
  return Array.from({ length: count }, () => shaped(random, items, root, words))
}

/** A known text that fits the shape, as a rule. */
function textOf(random: Random, shape: Shape, words: readonly string[]): string {
  const {
    pattern,
    maxLength = 64,
    minLength = 0,
  } = shape as { pattern?: string; maxLength?: number; minLength?: number }
  if (random.oneIn(30)) return 'x'.repeat(Math.min(maxLength + 1, 2_000))
  const expression = pattern === undefined ? null : regexOf(pattern)
  const fits = words.filter((w) => w.length >= minLength && w.length <= maxLength && (expression?.test(w) ?? true))
  return random.pick(fits.length === 0 ? words : fits)
}

const expressions = new Map<string, RegExp>()

function regexOf(pattern: string): RegExp {
  const known = expressions.get(pattern) ?? new RegExp(pattern, 'u')
  expressions.set(pattern, known)
  return known
}

function numberOf(random: Random, shape: Shape): number {
  const { minimum = -1_000, maximum = 1_000_000 } = shape as { minimum?: number; maximum?: number }
  if (random.oneIn(20)) return random.pick([minimum, maximum, maximum + 1, minimum - 1, 0.5, 2 ** 53])
  return Math.max(minimum, Math.min(maximum, random.small(20)))
}
