/**
 * Only the folder of a platform names it: what is said once more elsewhere is forgotten there when a platform is added.
 * The names are those of the registries, so a new one is looked for as soon as it is there. Comments may name a platform,
 * as the reason of something; tests, the bench and its demo play platforms and have to.
 */
import { describe, expect, test } from 'vitest'
import { carriers } from '../adapters/carriers/carriers.ts'
import { billFormatNames } from '../adapters/shared/bill-formats.ts'
import { projectRoot } from '../adapters/shared/root.ts'
import { channelNames } from '../router/types.ts'
import { isProduction, readTree, type Tree, withoutComments } from './testing/source-tree.ts'

/** `generic` is a word, and names no platform. */
const names: readonly string[] = [
  ...channelNames,
  ...carriers.map(({ name }) => name),
  ...billFormatNames.filter((name) => name !== 'generic'),
]

/** Where each is at home: how the paths begin that may name it. */
const homes: Readonly<Record<string, string>> = {
  ...Object.fromEntries(channelNames.map((name) => [`adapters/channels/${name}/`, name])),
  ...Object.fromEntries(carriers.map(({ name }) => [`adapters/carriers/${name}.ts`, name])),
  ...Object.fromEntries(billFormatNames.map((name) => [`adapters/bills/${name}.ts`, name])),
}

/** Folders, by how their paths begin, and files that name several platforms → why they have to. */
const named: Readonly<Record<string, string>> = {
  'adapters/channels/conformance/': 'one entry a platform, for the tests',
  'adapters/channels/channels.ts': 'the registry of channels',
  'adapters/channels/order-apis.ts': 'the registry of the clients that fetch orders',
  'adapters/carriers/carriers.ts': 'the registry of carrier services',
  'adapters/bills/bills.ts': 'the registry of bill formats',
  'adapters/shared/bill-formats.ts': 'the one list of the formats, which the API and the registry share',
  'bench/': 'it plays the platforms',
  'router/types.ts': 'the one list of channels',
  'router/carrier.ts': 'the codes of carriers: JD is one as well',
  'router/reconcile/world.ts': 'data of the tests of reconciling',
  'workers/process/demo-network/': 'the data of the demo',
}

function namesIn(text: string): readonly string[] {
  const code = withoutComments(text)
  return names.filter((name) => patternOf(name).test(code))
}

/** The name as a word or as a part of one in camel case: `jd`, `'jd'`, `jdOrder`, `isJd`, `JD`, `WeChat`, `WechatApi`. */
function patternOf(name: string): RegExp {
  const [head = '', ...rest] = name
  const anyCase = rest.map((letter) => `[${letter}${letter.toUpperCase()}]`).join('')
  return new RegExp(`(?<![A-Za-z])${name}(?![a-z0-9])|${head.toUpperCase()}${anyCase}(?![a-z])`)
}

function namedElsewhere(tree: Tree): readonly string[] {
  return [...tree].flatMap(([path, text]) => {
    if (!isProduction(path) || Object.keys(named).some((beginning) => path.startsWith(beginning))) return []
    const [, own = ''] = Object.entries(homes).find(([beginning]) => path.startsWith(beginning)) ?? []
    // A payment service's name begins with its platform's.
    const others = namesIn(text).filter((name) => !own.startsWith(name))
    return others.map((name) => `${path} names ${name}`)
  })
}

const tree = readTree(projectRoot())

test('no platform, carrier service or bill format is named outside its folder', () => {
  expect(names).toEqual(expect.arrayContaining(['tmall', 'jd', 'wechat', 'kuaidi100', 'wechatpay']))
  expect(namedElsewhere(tree)).toEqual([])
})

test.each([...Object.keys(homes), ...Object.keys(named)])('the exception %s is needed', (beginning) => {
  const files = [...tree].filter(([path]) => path.startsWith(beginning) && isProduction(path))
  expect(files.length).toBeGreaterThan(0)
  if (homes[beginning] !== 'generic') expect(files.some(([, text]) => namesIn(text).length > 0)).toBe(true)
})

test('a platform names no other', () => {
  const files = new Map([['adapters/channels/jd/a.ts', "import { b } from '../tmall/b.ts'\nconst jdOnly = b"]])
  expect(namedElsewhere(files)).toEqual(['adapters/channels/jd/a.ts names tmall'])
})

describe('a name is found', () => {
  test.each([
    ["if (channel === 'jd') return", 'jd'],
    ["import { jd } from './channels.ts'", 'jd'],
    ['const jdOrder = 1', 'jd'],
    ['const isJd = true', 'jd'],
    ['function signJd(): void {}', 'jd'],
    ['const shop = { jd: 1, other: 2 }', 'jd'],
    ['const path = `/v1/jd/`', 'jd'],
    ["throw new Error('JD is away')", 'jd'],
    ['new WechatApi()', 'wechat'],
    ["'WeChat is away'", 'wechat'],
    ["const path = '/webhooks/carriers/kuaidi100/{account}'", 'kuaidi100'],
    ['receiveKuaidi100(body)', 'kuaidi100'],
    ["z.enum(['wechatpay'])", 'wechatpay'],
    ['parseWechatPayBill(bytes)', 'wechatpay'],
    ["import { a } from '../adapters/channels/tmall/sign.ts'", 'tmall'],
    ['code() // and a comment about another\nconst tmallOnly = 1', 'tmall'],
  ])('in %j', (text, name) => {
    expect(namesIn(text)).toContain(name)
    const found = `workers/a.ts names ${name}`
    expect(namedElsewhere(new Map([['workers/a.ts', text]]))).toContain(found)
    expect(namedElsewhere(new Map([['workers/a.test.ts', text]]))).toEqual([])
  })
  test.each([
    ['/** WeChat hangs up after 5 s. */'],
    ['  /**\n   * JD signs otherwise.\n   */\nconst a = 1'],
    ['// Tmall retries.'],
    ['const a = 1 // as JD does'],
    ['const jdl = 1'],
    ['const adjusted = 1'],
    ['const generic = 1'],
  ])('but not in %j', (text) => {
    expect(namesIn(text)).toEqual([])
  })
})
