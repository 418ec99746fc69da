import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { describeProblems } from '../problem.ts'
import { type Endpoint, implement, ok, type Schema } from '../route.ts'
import { contract } from './contract.ts'

const node = { name: '上海仓', kind: 'warehouse', adcode: '310115', apiKey: 'k'.repeat(16) }
const bands = [
  { kmMax: 100, firstFen: 500, stepFen: 100 },
  { firstFen: 900, stepFen: 300 },
]
const wide = '仓'.repeat(64)
const pack = { carrier: 'shunfeng', waybill: 'SF1234567890', lines: [{ sku: 'A', quantity: 1 }] }
const line = { sku: 'A', quantity: 1 }
const lines = (count: number) => Array.from({ length: count }, (_, i) => ({ sku: `S${i}`, quantity: 1 }))

/** Each body that is taken, and each way to be wrong once. */
const bodies: [keyof typeof contract, unknown, string | null][] = [
  ['putNode', node, null],
  ['putNode', { ...node, adcode: undefined, point: { lat: 31.2, lng: 121.5 } }, null],
  ['putNode', { ...node, point: { lat: -90, lng: 180 }, channels: ['tmall'], regions: ['31', '3101', '310115'] }, null],
  ['putNode', { ...node, freight: { bands }, priority: -1000, safetyStock: 0, open: false, handlingFen: 0 }, null],
  ['putNode', { ...node, adcode: undefined }, 'body: needs adcode, point, or both'],
  ['putNode', { ...node, adcode: '31011' }, 'body.adcode: must be six digits'],
  ['putNode', { ...node, point: { lat: 90.1, lng: 0 } }, 'body.point.lat: expected a number of at most 90'],
  ['putNode', { ...node, kind: 'shed' }, 'body.kind: expected one of "warehouse", "store"'],
  ['putNode', { ...node, channels: ['taobao'] }, 'body.channels[0]: expected one of "tmall", "jd", "wechat"'],
  ['putNode', { ...node, channels: [] }, 'body.channels: expected a number of entries of at least 1'],
  ['putNode', { ...node, apiKey: 'short' }, 'body.apiKey: must be 16 to 256 visible ASCII characters'],
  ['putNode', { ...node, apiKey: 'k'.repeat(257) }, 'body.apiKey: must be 16 to 256 visible ASCII characters'],
  ['putNode', { ...node, apiKey: `${'k'.repeat(16)} ` }, 'body.apiKey: must be 16 to 256 visible ASCII characters'],
  ['putNode', { ...node, priority: 1001 }, 'body.priority: expected a number of at most 1000'],
  ['putNode', { ...node, priority: 0.5 }, 'body.priority: expected an integer of at most 15 digits'],
  ['putNode', { ...node, freight: { bands: [] } }, 'body.freight.bands: expected a number of entries of at least 1'],
  [
    'putNode',
    { ...node, freight: { bands: [bands[1], bands[0]] } },
    'body.freight.bands: must ascend by kmMax; only the last band may leave kmMax out',
  ],
  ['putNode', { ...node, name: '' }, 'body.name: expected a length of at least 1'],
  ['putNode', { ...node, name: 'a\u0000b' }, 'body.name: must not hold control characters'],
  ['putNode', { ...node, name: 'a\ud800b' }, 'body.name: must not hold control characters'],
  ['putNode', { ...node, openn: true }, 'body: unknown key openn'],
  ['putNode', { ...node, 欧阳先生: 1, '13900000000': 2 }, 'body: unknown key (not a field name), (not a field name)'],
  ['putSku', { name: '袜子', weightGrams: 0 }, null],
  [
    'putSku',
    { name: '套装', weightGrams: 1_000_000, storageClass: 'frozen', warehouseOnly: true, bundle: [line] },
    null,
  ],
  ['putSku', { name: '套装', weightGrams: 1_000_001 }, 'body.weightGrams: expected a number of at most 1000000'],
  ['putSku', { name: '套装', weightGrams: 1, storageClass: 'warm' }, 'body.storageClass: expected one of '],
  ['putSku', { name: '套装', weightGrams: 1, bundle: [] }, 'body.bundle: expected a number of entries of at least 1'],
  [
    'putSku',
    { name: '套装', weightGrams: 1, bundle: lines(51) },
    'body.bundle: expected a number of entries of at most 50',
  ],
  ['putSku', { name: '套装', weightGrams: 1, bundle: [line, line] }, 'body.bundle: must name each SKU once'],
  ['putShop', { credentials: { appKey: 'a', appSecret: 'b' } }, null],
  ['putShop', { credentials: {}, apiBaseUrl: 'http://127.0.0.1:9000/api', skuMap: { '123': 'A' } }, null],
  ['putShop', { credentials: { appKey: 1 } }, 'body.credentials.appKey: expected a string'],
  ['putShop', { credentials: {}, apiBaseUrl: 'ftp://x' }, 'body.apiBaseUrl: must be an http or https URL'],
  ['putShop', { credentials: {}, apiBaseUrl: 'http://u:p@x/' }, 'body.apiBaseUrl: must not hold a user or password'],
  ['putShop', { credentials: {}, skuMap: { a: '{x}' } }, 'body.skuMap.a: must not hold control characters, braces'],
  ['putCarrierAccount', { salt: 's' }, null],
  ['putCarrierAccount', { credentials: { salt: 's' } }, null],
  ['putCarrierAccount', {}, 'body.credentials: expected a record'],
  ['putCarrierAccount', { credentials: { salt: 1 } }, 'body.credentials.salt: expected a string'],
  ['putCarrierAccount', { credentials: { a: 'b' }, salt: 's' }, 'body.salt: must not stand beside credentials'],
  ['putNode', { ...node, apiKey: undefined }, null],
  ['patchNode', {}, null],
  ['patchNode', { channels: null, regions: null, freight: null, handlingFen: null }, null],
  ['patchNode', { adcode: null }, 'body.adcode: expected a string'],
  ['patchNode', { node: 'east' }, 'body: unknown key node'],
  ['patchSku', {}, null],
  ['patchSku', { bundle: null }, null],
  ['patchSku', { bundle: [line, line] }, 'body.bundle: must name each SKU once'],
  ['patchShop', {}, null],
  ['patchShop', { credentials: { appSecret: 'b', old: null }, previousUntil: 1, skuMap: { a: null, b: 'B' } }, null],
  ['patchShop', { apiBaseUrl: null }, null],
  ['patchShop', { previousCredentials: { a: 'b' } }, 'previousUntil must say until when the previous one is taken'],
  ['patchShop', { skuMap: { a: '{x}' } }, 'body.skuMap.a: must not hold control characters, braces'],
  ['patchCarrierAccount', { credentials: { salt: 's' } }, null],
  ['patchCarrierAccount', { salt: 's' }, 'body: unknown key salt'],
  ['postStock', { ref: 'r', kind: 'set', lines: [{ sku: 'A', quantity: 0 }] }, null],
  ['postStock', { ref: 'r', kind: 'add', lines: [{ sku: wide, quantity: -1_000_000 }] }, null],
  ['postStock', { ref: 'r', kind: 'add', lines: lines(5000) }, null],
  [
    'postStock',
    { ref: 'r', kind: 'set', lines: [{ sku: 'A', quantity: -1 }] },
    'body.lines[0].quantity: expected a number of at least 0',
  ],
  ['postStock', { ref: 'r', kind: 'add', lines: [{ sku: 'A', quantity: 0 }] }, 'body.lines[0].quantity: must not be 0'],
  [
    'postStock',
    { ref: 'r', kind: 'add', lines: lines(5001) },
    'body.lines: expected a number of entries of at most 5000',
  ],
  ['postStock', { ref: 'r', kind: 'add', lines: [line, line] }, 'body.lines: must name each SKU once'],
  ['postStock', { ref: 'r', kind: 'move', lines: [line] }, 'body.kind: '],
  ['postStock', { ref: 'r', kind: 'plus', lines: [line] }, 'body.kind: expected one of "set", "add"'],
  ['postStock', { ref: '', kind: 'add', lines: [line] }, 'body.ref: expected a length of at least 1'],
  [
    'postStock',
    { ref: 'r', kind: 'add', lines: [{ sku: `${wide}x`, quantity: 1 }] },
    'body.lines[0].sku: expected a length of at most 64',
  ],
  ['postStock', { ref: 'r', kind: 'add', lines: [{ sku: ' A', quantity: 1 }] }, 'body.lines[0].sku: must not hold'],
  ['pullTasks', {}, null],
  ['pullTasks', { limit: 500, leaseSeconds: 86_400, waitSeconds: 30 }, null],
  ['pullTasks', { limit: 501 }, 'body.limit: expected a number of at most 500'],
  ['pullTasks', { leaseSeconds: 4 }, 'body.leaseSeconds: expected a number of at least 5'],
  ['pullTasks', { waitSeconds: 31 }, 'body.waitSeconds: expected a number of at most 30'],
  ['acceptTask', { fence: 1 }, null],
  ['acceptTask', {}, 'body.fence: expected a number'],
  ['shipTask', { fence: 1, packages: [pack] }, null],
  ['shipTask', { fence: 1, packages: [] }, 'body.packages: expected a number of entries of at least 1'],
  ['shipTask', { fence: 1, packages: [pack, pack] }, 'body.packages: must name each waybill once'],
  ['shipTask', { fence: 1, packages: [{ ...pack, carrier: 'S F' }] }, 'body.packages[0].carrier: must be 2 to 32'],
  ['shipTask', { fence: 1, packages: [{ ...pack, waybill: 'SF 1' }] }, 'body.packages[0].waybill: must be 6 to 64'],
  [
    'shipTask',
    { fence: 1, packages: [{ ...pack, lines: [] }] },
    'body.packages[0].lines: expected a number of entries',
  ],
  [
    'shipTask',
    { fence: 1, packages: [{ ...pack, lines: [{ sku: 'A', quantity: 1.5 }] }] },
    'body.packages[0].lines[0].quantity: expected an integer',
  ],
  ['rejectTask', { fence: 1, reason: 'out_of_stock' }, null],
  ['rejectTask', { fence: 1, reason: 'damaged', lines: [line] }, null],
  [
    'rejectTask',
    { fence: 1, reason: 'bored' },
    'body.reason: expected one of "out_of_stock", "damaged", "closed", "overloaded"',
  ],
  ['extendTask', { fence: 1 }, null],
  ['interceptTask', { fence: -1 }, 'body.fence: expected a number of at least 0'],
  ['approveOrder', {}, null],
  ['approveOrder', { actor: 'x'.repeat(65) }, 'body.actor: expected a length of at most 64'],
  ['releaseOrder', { actor: '王芳', note: 'read' }, null],
  ['cancelOrder', { note: 'x'.repeat(501) }, 'body.note: expected a length of at most 500'],
  ['resolveException', { as: 'done' }, null],
  ['resolveException', { as: 'written_off', actor: '王芳', note: '少一分' }, null],
  ['resolveException', { as: 'written_off', actor: '王芳' }, 'a write-off needs an actor and a note'],
  ['resolveException', { as: 'gone' }, 'body.as: expected one of "written_off", "done", "false_alarm"'],
  ['assignException', { assignedTo: '李雷' }, null],
  ['assignException', { assignedTo: null, note: 'on holiday' }, null],
  ['assignException', {}, 'body.assignedTo: expected'],
]

describe('bodies', () => {
  test.each(bodies)('%s %j → %s', (name, body, problem) => {
    const schema = (contract[name] as { readonly body: Schema }).body
    const parsed = schema.safeParse(JSON.parse(JSON.stringify(body)))
    const told = parsed.success ? null : describeProblems('body', parsed.error.issues)
    if (problem === null) expect(told).toBeNull()
    else expect(told).toContain(problem)
  })
})

interface JsonSchema {
  readonly enum?: readonly string[]
  readonly const?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, JsonSchema>>
}

/** Every place that takes only some words: its path, and the words. `[0]` stands for any entry of a list. */
function choicesOf(
  schema: JsonSchema,
  path: readonly (string | number)[] = [],
  shapes: Readonly<Record<string, JsonSchema>> = schema.$defs ?? {},
): Map<string, Set<string>> {
  const named = schema.$ref === undefined ? undefined : shapes[schema.$ref.replace('#/$defs/', '')]
  const found = new Map<string, Set<string>>()
  const add = (at: string, words: Iterable<string>) => found.set(at, new Set([...(found.get(at) ?? []), ...words]))
  const words = schema.enum ?? (schema.const === undefined ? [] : [schema.const])
  if (words.length > 0) add(JSON.stringify(path), words)
  const below = [
    ...Object.entries(schema.properties ?? {}).map(([key, inner]) => choicesOf(inner, [...path, key], shapes)),
    ...(schema.items === undefined ? [] : [choicesOf(schema.items, [...path, 0], shapes)]),
    ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(named === undefined ? [] : [named])].map((inner) =>
      choicesOf(inner, path, shapes),
    ),
  ]
  for (const inner of below) for (const [at, more] of inner) add(at, more)
  return found
}

const choices = Object.entries(contract).flatMap(([name, { params, query, body }]: [string, Partial<Endpoint>]) =>
  Object.entries({ params, query, body }).flatMap(([part, schema]) =>
    schema === undefined
      ? []
      : [...choicesOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema)].map(
          ([path, words]) => ({ name, part, schema, path: JSON.parse(path) as (string | number)[], words }),
        ),
  ),
)

test('there are places that take only some words', () => {
  expect(choices.map(({ name, path }) => `${name} ${path.join('.')}`)).toEqual(
    expect.arrayContaining(['postStock kind', 'rejectTask reason', 'listOrders state', 'putNode channels.0']),
  )
})

test.each(choices)('$name $part $path: a wrong word is answered with the right ones', ({ schema, path, words }) => {
  for (const wrong of ['wrong', 7, undefined]) {
    const value = path.reduceRight<unknown>((inner, key) => (key === 0 ? [inner] : { [key]: inner }), wrong)
    const parsed = schema.safeParse(value)
    const issues = parsed.error?.issues.filter((issue) => issue.path.join() === path.join()) ?? []
    // Left out, a place may have a default.
    if (wrong === undefined && issues.length === 0) continue
    const told = describeProblems('it', issues)
    for (const word of words) expect(told).toContain(JSON.stringify(word))
  }
})

test.each([
  ['a', true],
  [wide, true],
  ['华东/上海 1号', true],
  ['', false],
  [`${wide}x`, false],
  [' a', false],
  ['a\u3000', false],
  ['a\tb', false],
  ['{a}', false],
  ['a}', false],
  ['a\u0085', false],
])('the code %j is taken: %s', (code, taken) => {
  expect(contract.putNode.params.safeParse({ node: code }).success).toBe(taken)
})

test('defaults are filled in', () => {
  expect(contract.pullTasks.body.parse({})).toEqual({ limit: 50, leaseSeconds: 300, waitSeconds: 0 })
  expect(contract.putSku.body.parse({ name: 'n', weightGrams: 1 })).toMatchObject({
    storageClass: 'normal',
    warehouseOnly: false,
  })
  expect(contract.listOrders.query.parse({})).toEqual({ limit: 50 })
  expect(contract.getStock.query.safeParse({}).success).toBe(false)
})

test('handlers are held to the contract by their types', () => {
  implement(contract.putSku, ({ body, params, caller }) => {
    const weight: number = body.weightGrams
    const sku: string = params.sku
    const kind: 'admin' = caller.kind
    expect([weight, sku, kind]).toHaveLength(3)
    return ok({ ok: true })
  })
  // @ts-expect-error a pull answers with tasks
  implement(contract.pullTasks, () => ok({ things: [] }))
  // @ts-expect-error only documented statuses
  implement(contract.putSku, () => ({ status: 201 as const, body: { ok: true as const } }))
  // @ts-expect-error a node's route has a node for a caller, not the operator
  implement(contract.pullTasks, ({ caller }) => ok({ tasks: caller.kind === 'admin' ? [] : [] }))
  expect(Object.keys(contract)).toHaveLength(50)
})
