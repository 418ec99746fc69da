import { assertName } from './checks.ts'

export interface NodeKeys {
  readonly atp: string
  readonly held: string
  readonly meta: string
}

/** All keys of one node share its hash tag, so one call stays in one slot of a Redis Cluster. */
export function keysOf(prefix: string, node: string): NodeKeys {
  assertName(node, 'node')
  // Redis takes the tag between the first { and the first } after it; an empty tag would spread the keys over slots.
  if (node.startsWith('}')) throw new RangeError('a node cannot begin with }')
  const tagged = `${prefix}{${node}}`
  return { atp: `${tagged}:atp`, held: `${tagged}:held`, meta: `${tagged}:meta` }
}

export function assertPrefix(prefix: string): void {
  if (!/^[A-Za-z0-9:_-]{0,64}$/.test(prefix)) throw new RangeError('key prefix: up to 64 letters, digits, : _ -')
}
