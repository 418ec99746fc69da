/**
 * Secrets, signatures and tokens are compared in one file, in constant time. Every comparison anywhere else whose words
 * speak of a secret stands here with the reason why its time tells nothing; a new one fails.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectRoot } from '../../adapters/shared/root.ts'

const root = projectRoot()
const sources = ['adapters', 'workers']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
  )
  .filter((path) => /\.(ts|mjs)$/.test(path))
  .filter((path) => !/\.test\.ts$|(^|\/)[\w-]*testing(\.ts$|\/)|conformance\//.test(path))
const linesOf = (path: string) => readFileSync(join(root, path), 'utf8').split('\n')

const same = 'adapters/shared/same.ts'

test('one file compares', () => {
  const users = sources.filter((path) => linesOf(path).some((line) => line.includes('timingSafeEqual(')))
  expect(users).toEqual([same])
})

/** Where a signature, a token or a key that a caller sends is held against ours. */
const places: Readonly<Record<string, number>> = {
  'adapters/channels/tmall/channel.ts': 1,
  'adapters/channels/jd/channel.ts': 1,
  // The check of our URL, and the push.
  'adapters/channels/wechat/channel.ts': 2,
  'adapters/carriers/kuaidi100.ts': 1,
  // The operator's token; a warehouse's key is looked up by its digest.
  'workers/serve.ts': 1,
}

test('every place where a caller proves who it is', () => {
  const found: Record<string, number> = {}
  for (const path of sources) {
    const calls = linesOf(path).filter((line) => /\bsame(Digest|Text)\(/.test(line)).length
    if (calls > 0 && path !== same) found[path] = calls
  }
  expect(found).toEqual(places)
})

const secretWord = /\w*(sign|signature|digest|hmac|secret|token|salt|apikey|password|keyhash)\w*/i
const operand = String.raw`[\w$.!?[\]()'"]+`
const comparison = new RegExp(
  String.raw`(${operand}) (?:===|!==|==|!=) (${operand})|(${operand})\.(?:equals|compare|localeCompare)\((${operand})`,
)
// Against a literal nothing is guessed.
const literal = /^(null|undefined|true|false|-?\d+|'.*|".*)\)*$/

const harmless: Readonly<Record<string, string>> = {
  'adapters/channels/tmall/channel.ts: tmallSignMethods.find((method) => method === signMethod': 'the name of a method',
  'adapters/channels/outbound/token.ts: this.#tokens.get(key)?.value === value': 'both are ours',
}

test('nothing else compares what is secret', () => {
  const found = sources.flatMap((path) =>
    linesOf(path).flatMap((line) => {
      if (/^\s*(\*|\/\/|\/\*)/.test(line)) return []
      const [, a, b, c, d] = comparison.exec(line) ?? []
      const sides = [a ?? c, b ?? d]
      if (sides.some((side) => side === undefined || literal.test(side))) return []
      return sides.some((side) => secretWord.test(side!)) ? [`${path}: ${line.trim()}`] : []
    }),
  )
  const known = Object.keys(harmless).map((entry) => entry.split(': ') as [string, string])
  const unknown = found.filter(
    (line) => !known.some(([path, text]) => line.startsWith(`${path}: `) && line.includes(text)),
  )
  expect(unknown).toEqual([])
  const stale = known.filter(([path, text]) => !linesOf(path).some((line) => line.includes(text)))
  expect(stale).toEqual([])
})

test('the search finds what it is for', () => {
  const finds = (line: string) => comparison.test(line)
  for (const line of [
    'if (sign === expected) return',
    'if (digest.equals(given)) {',
    'return token !== options.adminToken',
    'a.signature == b.signature',
  ])
    expect(finds(line), line).toBe(true)
})
