import type { z } from 'zod'

// The first few are enough to act on; a body with 5,000 wrong lines must not make an answer of 5,000 sentences.
const problemsMax = 5
const keyCharactersMax = 64

/**
 * Says where a request is wrong and what is expected there: "lines[3].quantity: expected a number of at most 1000000".
 * Never what was sent: it may be a person's data or a secret.
 */
export function describeProblems(part: string, issues: readonly z.core.$ZodIssue[]): string {
  const told = issues.slice(0, problemsMax).map((issue) => describe(part, issue))
  if (issues.length > problemsMax) told.push(`and ${issues.length - problemsMax} more`)
  return told.join('; ')
}

function describe(part: string, issue: z.core.$ZodIssue): string {
  return `${where(part, issue.path)}: ${expected(issue)}`
}

function where(part: string, path: readonly PropertyKey[]): string {
  let text = part
  for (const key of path) text += typeof key === 'number' ? `[${key}]` : `.${shortKey(String(key))}`
  return text
}

function shortKey(key: string): string {
  const visible = key.replace(/[\p{Cc}\p{Cs}]/gu, '?')
  return visible.length > keyCharactersMax ? `${visible.slice(0, keyCharactersMax)}…` : visible
}

/** A key that nobody documented is shown when it is a misspelt name, and not when it may be data in the wrong place. */
function fieldName(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) ? shortKey(key) : '(not a field name)'
}

function expected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${kindOf(issue.expected)}`
    case 'too_small':
      return `expected ${sizeOf(issue.origin)} of at least ${issue.minimum}`
    case 'too_big':
      return `expected ${sizeOf(issue.origin)} of at most ${issue.maximum}`
    case 'invalid_value':
      return `expected one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`
    // Of the shapes that a field may choose from.
    case 'invalid_union':
      if (!('options' in issue) || !Array.isArray(issue.options)) return 'does not have a documented shape'
      return `expected one of ${issue.options.map((value) => JSON.stringify(value)).join(', ')}`
    case 'unrecognized_keys':
      return `unknown key ${issue.keys.slice(0, problemsMax).map(fieldName).join(', ')}`
    // Messages of our own schemas: written for the caller, without values.
    case 'custom':
    case 'invalid_format':
      return issue.message
    default:
      return 'does not have the documented shape'
  }
}

function kindOf(expected: string): string {
  if (expected === 'int') return 'an integer of at most 15 digits'
  if (expected === 'number') return 'a number of at most 15 digits'
  return expected === 'object' || expected === 'array' ? `an ${expected}` : `a ${expected}`
}

function sizeOf(origin: string): string {
  if (origin === 'string') return 'a length'
  if (origin === 'array') return 'a number of entries'
  return 'a number'
}
