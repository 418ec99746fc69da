/** The small formats: forms, queries, JSON with long integers, instants, nesting, paths. */
import { isUtf8 } from 'node:buffer'
import { matcher } from '../../../adapters/http/match.ts'
import { nestsDeeper } from '../../../adapters/http/nesting.ts'
import { decodePercent, parseQuery } from '../../../adapters/http/query.ts'
import { formatForm, parseForm } from '../../../adapters/shared/form.ts'
import { parseInstant } from '../../../adapters/shared/instant.ts'
import { parseJson } from '../../../adapters/shared/json.ts'
import { skim, skimmedArray, skimmedObject } from '../../../adapters/shared/skim.ts'
import { formatGmt8, parseGmt8 } from '../../../adapters/shared/time.ts'
import { mutateBytes } from '../mutate-bytes.ts'
import { jsonSample, mutateJson } from '../mutate-json.ts'
import { nastyInstants, nastyNumbers } from '../nasty.ts'
import { sampleText } from '../samples.ts'
import { expectThat, target } from '../target.ts'

interface Bytes {
  readonly bytes: Uint8Array
}

const formSample = Buffer.from('param=%7B%22a%22%3A1%7D&sign=ABCDEF&empty=&flag&t=2026-11-11+00%3A10%3A00&n=%E5%BC%A0')

const form = target<Bytes>({
  name: 'form',
  share: 10,
  draw: (random) => ({ bytes: mutateBytes(random, formSample) }),
  run({ bytes }) {
    const fields = parseForm(bytes)
    if (fields === null) return
    expectThat(fields.size <= 64, 'at most 64 names')
    let length = 0
    for (const [name, value] of fields) {
      length += name.length + value.length
      expectThat(/^[\x21-\x7e]{1,64}$/.test(name), 'visible names')
    }
    expectThat(length <= bytes.length, 'nothing larger than what was sent')
    const texts = [...fields].map(([name, value]) => [name, value.toString()] as const)
    const again = parseForm(Buffer.from(formatForm(texts)))
    expectThat(
      again !== null && texts.every(([n, v]) => again.get(n)?.toString() === v),
      'what is written is read back',
    )
  },
})

const query = target<{ readonly text: string }>({
  name: 'query',
  share: 6,
  draw: (random) => ({
    text: mutateBytes(random, Buffer.from('state=held&limit=50&cursor=12&q=%E5%BC%A0')).toString(),
  }),
  run({ text }) {
    const pairs = parseQuery(text)
    if (pairs !== null) {
      expectThat(Object.getPrototypeOf(pairs) === Object.prototype, 'a plain object')
      for (const value of Object.values(pairs)) expectThat(!/\p{Cc}/u.test(value), 'no control characters')
    }
    const decoded = decodePercent(text)
    expectThat(decoded === null || decoded.length <= text.length, 'nothing larger than what was sent')
    find(`/${text}`)
  },
})

const find = matcher(
  ['/v1/nodes/{node}', '/v1/nodes/{node}/stock', '/v1/nodes/x/{a}/{b}', '/{a}/{b}/{c}/{d}'].map((path) => ({
    ...{ method: 'GET', path, value: path },
  })),
)

const jsonSamples = [
  jsonSample(sampleText('top.trade.fullinfo.get.response.json')),
  jsonSample('{"a":1234567890123456,"b":[1,"12345678901234567",{"c":-12345678901234567890}],"d":1234567890123456.5}'),
]
const longInteger = /\d{16}/

const json = target<Bytes>({
  name: 'json',
  share: 10,
  draw: (random) => ({ bytes: mutateJson(random, jsonSamples) }),
  run({ bytes }) {
    const text = Buffer.from(bytes).toString()
    const [ours, theirs] = [attempt(() => parseJson(text)), attempt(() => JSON.parse(text) as unknown)]
    expectThat((ours === null) === (theirs === null), 'JSON exactly where JSON.parse says so')
    if (ours === null || theirs === null) return
    if (!longInteger.test(text)) expectThat(JSON.stringify(ours) === JSON.stringify(theirs), 'as JSON.parse has it')
    const depth = depthOf(theirs.value)
    expectThat(depth <= 32 || nestsDeeper(text, 32), 'what is too deep is seen')
    // Written anew no name is there twice, which would hide the first one's depth from us. Very deep ones cannot be.
    if (depth < 500) expectThat(nestsDeeper(JSON.stringify(theirs.value), 32) === depth > 32, 'the depth is what it is')
  },
})

const skimmed = [
  ['trade_fullinfo_get_response', 'trade', 'tid_str'],
  ['trade_fullinfo_get_response', 'trade', 'modified'],
  ['trade_fullinfo_get_response', 'trade', 'orders'],
  ['trade_fullinfo_get_response', 'trade'],
  ['a'],
  ['b'],
]

const skimming = target<Bytes>({
  name: 'skim',
  share: 6,
  draw: (random) => ({ bytes: mutateJson(random, jsonSamples) }),
  run({ bytes }) {
    const found = skim(bytes, skimmed)
    const whole = attempt(() => parseJson(Buffer.from(bytes).toString()))
    // What stands between quotes and brackets is not looked at, so that it may find members in what is no JSON.
    if (found === null || whole === null || !isUtf8(bytes)) return
    skimmed.forEach((path, at) => {
      const value = memberAt(whole.value, path)
      const same = Array.isArray(value)
        ? found[at] === skimmedArray
        : typeof value === 'object' && value !== null
          ? found[at] === skimmedObject
          : found[at] === value
      expectThat(same, `${path.join('.')} as the parsed text has it`)
    })
  },
})

function memberAt(value: unknown, path: readonly string[]): unknown {
  let at = value
  for (const name of path) {
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, name)) return undefined
    at = (at as Record<string, unknown>)[name]
  }
  return at
}

/** A SyntaxError is the documented refusal; anything else is not. */
function attempt(parse: () => unknown): { readonly value: unknown } | null {
  try {
    return { value: parse() }
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** Without recursion: some inputs are 20,000 levels deep. */
function depthOf(value: unknown): number {
  let depth = 0
  let level: unknown[] = [value]
  while (level.length > 0) {
    const containers = level.filter((each): each is object => typeof each === 'object' && each !== null)
    if (containers.length === 0) return depth
    depth++
    level = containers.flatMap((each) => Object.values(each) as unknown[])
  }
  return depth
}

const instant = target<{ readonly text: string }>({
  name: 'instant',
  share: 6,
  draw(random) {
    const base = random.pick([...nastyInstants, ...nastyNumbers, '2026-11-11 00:00:04', '2026-11-11T01:02:03.5+08:00'])
    return { text: random.oneIn(4) ? base : mutateBytes(random, Buffer.from(base)).toString() }
  },
  run({ text }) {
    const gmt8 = parseGmt8(text)
    expectThat(gmt8 === null || formatGmt8(gmt8) === text, 'a wall clock is read back')
    const epochMs = parseInstant(text)
    expectThat(epochMs === null || (Number.isSafeInteger(epochMs) && epochMs >= 0), 'an instant, or null')
    if (gmt8 !== null && epochMs !== null) expectThat(gmt8 === epochMs, 'both readers agree')
  },
})

export const formatTargets = [form, query, json, skimming, instant]
