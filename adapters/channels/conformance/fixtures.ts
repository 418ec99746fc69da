/** What the three cases share: the fixtures, and ways to change them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseJson } from '../../shared/json.ts'
import { projectRoot } from '../../shared/root.ts'
import { parseGmt8 } from '../../shared/time.ts'

export const nowMs = parseGmt8('2026-11-11 00:10:00')!

// biome-ignore lint/suspicious/noExplicitAny: platform JSON as it lies in the files; tests reach into it freely
type Loose = any

const folder = join(projectRoot(), 'adapters', 'channels', 'fixtures')

export function fixture(name: string): Buffer {
  return readFileSync(join(folder, name))
}

/** Long ids come as text, which the channels take as well. */
export function fixtureJson(name: string): Loose {
  return parseJson(fixture(name).toString('utf8'))
}

export const vectors: Loose = fixtureJson('vectors.json')

export function bytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value), 'utf8')
}

/** A deep copy, changed. */
export function changed(value: Loose, change: (copy: Loose) => void): Loose {
  const copy = structuredClone(value)
  change(copy)
  return copy
}

/** Fields to set (undefined: to leave out), or a function for what lies deeper. */
export type Change = Readonly<Record<string, unknown>> | ((copy: Loose) => void)

export function apply(copy: Loose, change: Change): void {
  if (typeof change === 'function') change(copy)
  else Object.assign(copy, change)
}

export const odd = {
  notUtf8: Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]),
  deep: Buffer.from('['.repeat(50_000) + ']'.repeat(50_000)),
  deepObjects: Buffer.from(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`),
  notJson: Buffer.from('{"trade":'),
  proto: Buffer.from('{"__proto__":{"trade":{"tid":"1"},"orderInfo":{"orderId":"1"}}}'),
}
