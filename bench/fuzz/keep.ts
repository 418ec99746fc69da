/** Failing inputs as files that can be run again. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Failure {
  readonly target: string
  readonly seed: number
  readonly index: number
  readonly sign: string
  readonly message: string
  /** The smallest that fails in the same way; as drawn where nothing smaller does, or it never came back. */
  readonly input: unknown
}

/** Gives the file's path. */
export function keepFailure(folder: string, failure: Failure): string {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${failure.target}-${failure.seed}-${failure.index}.json`)
  writeFileSync(path, `${JSON.stringify({ ...failure, input: packed(failure.input) }, null, 2)}\n`)
  return path
}

export function readFailure(path: string): Failure {
  const failure = JSON.parse(readFileSync(path, 'utf8')) as Failure
  return { ...failure, input: unpacked(failure.input) }
}

// JSON keeps neither bytes nor the numbers that are none.
function packed(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
  if (typeof value === 'number' && !Number.isFinite(value)) return { $number: String(value) }
  if (Object.is(value, -0)) return { $number: '-0' }
  if (Array.isArray(value)) return value.map(packed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, packed(entry)]))
}

function unpacked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpacked)
  if (typeof value !== 'object' || value === null) return value
  const { $bytes, $number } = value as { $bytes?: unknown; $number?: unknown }
  if (typeof $bytes === 'string') return Buffer.from($bytes, 'base64')
  if (typeof $number === 'string') return Number($number)
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, unpacked(entry)]))
}
