/**
 * router ← adapters ← workers ← bench: nothing imports against this direction, the router imports nothing else at all,
 * the parts of adapters/ know each other only through adapters/shared, one file knows the HTTP server, and there is no
 * circle, neither of files nor of the rooms of a layer. Tests may use packages and the harness (files named testing.ts, folders named testing) from everywhere; bench/,
 * which nobody runs in production, the harness as well.
 */
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectRoot } from '../adapters/shared/root.ts'
import {
  circles,
  type Graph,
  graphOf,
  importsOf,
  isHarness,
  isTest,
  layers,
  longestChain,
  readTree,
  roomsOf,
  type Tree,
  targetOf,
} from './testing/source-tree.ts'

const httpServer = 'adapters/http/server.ts'

const layerOf = (path: string): number => layers.findIndex((layer) => path.startsWith(`${layer}/`))
/** adapters/store/x.ts → store */
const partOf = (path: string): string => path.split('/')[1] ?? ''

function packageOf(specifier: string): string {
  const [first = '', second = ''] = specifier.split('/')
  return first.startsWith('@') ? `${first}/${second}` : first
}

function violations(tree: Tree, packages: ReadonlySet<string>): readonly string[] {
  const found: string[] = []
  for (const [path, text] of tree) {
    for (const specifier of importsOf(text)) {
      const target = targetOf(path, specifier)
      const problem = target === null ? packageProblem(path, specifier, packages) : fileProblem(path, target, tree)
      if (problem !== null) found.push(`${path} → ${specifier}: ${problem}`)
    }
  }
  return [...found, ...circles(graphOf(tree))]
}

function packageProblem(path: string, specifier: string, packages: ReadonlySet<string>): string | null {
  const name = packageOf(specifier)
  if (name === 'uWebSockets.js' && path !== httpServer) return `only ${httpServer} knows it`
  if (layerOf(path) === 0 && !isTest(path) && !isHarness(path)) return 'router/ imports nothing but itself'
  if (isBuiltin(specifier)) return specifier.startsWith('node:') ? null : 'write node: before it'
  return packages.has(name) ? null : 'not in package.json'
}

function fileProblem(path: string, target: string, tree: Tree): string | null {
  if (!tree.has(target)) return 'no such source file'
  if (isTest(path) && isHarness(target)) return null
  if (isTest(target)) return 'a test is not a library'
  const isBench = layerOf(path) === layers.length - 1
  if (isHarness(target) && !isHarness(path) && !isBench) return 'the harness is for tests'
  if (layerOf(target) > layerOf(path)) return `${layers[layerOf(path)]}/ may not import ${layers[layerOf(target)]}/`
  const acrossAdapters = layers[layerOf(path)] === 'adapters' && layers[layerOf(target)] === 'adapters'
  if (acrossAdapters && partOf(path) !== partOf(target) && partOf(target) !== 'shared') {
    return `adapters/${partOf(path)} may not import adapters/${partOf(target)}`
  }
  return null
}

const root = projectRoot()
const tree = readTree(root)

test('no import goes against the direction', () => {
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const { dependencies, devDependencies } = manifest as Record<string, Record<string, string>>
  expect(tree.size).toBeGreaterThan(10)
  expect([...tree.values()].flatMap(importsOf).length).toBeGreaterThan(tree.size)
  expect(violations(tree, new Set(Object.keys({ ...dependencies, ...devDependencies })))).toEqual([])
})

/**
 * Rooms of one layer that import each other although they should not: the circle as the test says it → why it is still there.
 * A line here is work that is left; it goes away with its circle.
 */
const circlesLeft: Readonly<Record<string, string>> = {}

test.each(['router', 'adapters/channels', 'adapters/http', 'adapters/store', 'workers', 'bench'])(
  'the rooms of %s/ import each other in no circle',
  (layer) => {
    const rooms = roomsOf(graphOf(tree), layer)
    expect(rooms.size).toBeGreaterThan(3)
    const left = Object.keys(circlesLeft).filter((circle) => circle.includes(` ${layer}/`))
    expect(circles(rooms)).toEqual(left)
  },
)

test('the longest chain of imports inside workers/ is as long as ARCHITECTURE.md says', () => {
  const said = /longest chain of imports inside `workers\/` is (\d+) files/.exec(
    readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'),
  )
  const chain = longestChain(graphOf(tree), 'workers')
  expect(`${chain.length}: ${chain.join(' → ')}`).toBe(`${said?.[1]}: ${chain.join(' → ')}`)
})

const good: Record<string, string> = {
  'router/a.ts': '',
  'adapters/shared/s.ts': '',
  'adapters/store/a.ts': '',
  'adapters/store/testing.ts': '',
  'adapters/stock/a.ts': '',
  'adapters/http/server.ts': "import { App } from 'uWebSockets.js'",
  'workers/a.ts': '',
  'workers/testing/servers.ts': "import { a } from '../a.ts'",
  'bench/a.ts': '',
}
const packages = new Set(['uWebSockets.js', 'postgres', '@scope/name', 'vitest'])
const check = (path: string, text: string): readonly string[] =>
  violations(new Map(Object.entries({ ...good, [path]: text })), packages)

// Put together, so that this file itself does not say it.
const dynamically = (name: string): string => `const x = await import(${`'${name}'`})`

test.each([
  ['adapters/store/b.ts', "import { a } from '../../router/a.ts'"],
  [
    'adapters/store/b.ts',
    "import { s } from '../shared/s.ts'\nimport p, { type T } from 'postgres'\nimport * as n from '@scope/name/x'",
  ],
  ['workers/b.ts', "import type {\n  A,\n  B,\n} from '../adapters/stock/a.ts'\nimport { join } from 'node:path'"],
  ['bench/b.ts', "export { a } from '../workers/a.ts'"],
  [
    'router/a.test.ts',
    "import { test } from 'vitest'\nimport { readFileSync } from 'node:fs'\nimport { a } from './a.ts'",
  ],
  [
    'adapters/stock/a.test.ts',
    "import { t } from '../store/testing.ts'\nimport { s } from '../../workers/testing/servers.ts'",
  ],
])('%s may say %j', (path, text) => {
  expect(check(path, text)).toEqual([])
})

test.each([
  ['router/b.ts', "import { a } from '../adapters/store/a.ts'", 'router/ may not import adapters/'],
  ['router/b.ts', "import p from 'postgres'", 'imports nothing but itself'],
  ['router/b.ts', "import { join } from 'node:path'", 'imports nothing but itself'],
  ['router/b.ts', dynamically('node:path'), 'imports nothing but itself'],
  ['router/a.test.ts', "import { a } from '../workers/a.ts'", 'router/ may not import workers/'],
  ['adapters/store/b.ts', "import type { A } from '../../workers/a.ts'", 'adapters/ may not import workers/'],
  ['adapters/store/b.ts', "import {\n  a,\n} from '../stock/a.ts'", 'adapters/store may not import adapters/stock'],
  ['adapters/shared/t.ts', "export * from '../store/a.ts'", 'adapters/shared may not import adapters/store'],
  ['adapters/store/b.ts', "import '../stock/a.ts'", 'adapters/store may not import adapters/stock'],
  ['workers/b.ts', "import { a } from '../bench/a.ts'", 'workers/ may not import bench/'],
  ['workers/b.ts', "import { App } from 'uWebSockets.js'", 'only adapters/http/server.ts'],
  ['bench/b.ts', dynamically('uWebSockets.js'), 'only adapters/http/server.ts'],
  ['workers/b.ts', "import { x } from 'left-pad'", 'not in package.json'],
  ['workers/b.ts', "import { x } from '@scope/other/name'", 'not in package.json'],
  ['workers/b.ts', "import { join } from 'path'", 'write node: before it'],
  ['workers/b.ts', "import { x } from './gone.ts'", 'no such source file'],
  ['workers/b.ts', "import { s } from './testing/servers.ts'", 'the harness is for tests'],
  ['workers/b.ts', "import { b } from './b.ts'", 'circle: workers/b.ts → workers/b.ts'],
])('%s may not say %j', (path, text, problem) => {
  const found = check(path, text)
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(problem)
})

const small: Graph = new Map([
  ['workers/a/one.ts', ['workers/b/one.ts', 'adapters/x/one.ts']],
  ['workers/a/two.ts', ['workers/a/one.ts']],
  ['workers/b/one.ts', []],
  ['workers/b/two.ts', ['workers/main.ts']],
  ['workers/main.ts', ['workers/a/two.ts']],
  ['workers/b/testing/all.ts', ['workers/main.ts']],
])

test('a circle of rooms is found where no file is in one, and what only tests use makes none', () => {
  expect(circles(small)).toEqual([])
  expect(roomsOf(small, 'workers')).toEqual(
    new Map([
      ['workers/a', ['workers/b']],
      ['workers/b', ['workers/main.ts']],
      ['workers/main.ts', ['workers/a']],
    ]),
  )
  expect(circles(roomsOf(small, 'workers'))).toEqual(['circle: workers/a → workers/b → workers/main.ts → workers/a'])
})

test('the longest chain stays inside its layer and leaves out what only tests use', () => {
  const chain = ['workers/b/two.ts', 'workers/main.ts', 'workers/a/two.ts', 'workers/a/one.ts', 'workers/b/one.ts']
  expect(longestChain(small, 'workers')).toEqual(chain)
})

test('a circle over three files is found once', () => {
  const three: Tree = new Map([
    ['router/a.ts', "import type { B } from './b.ts'"],
    ['router/b.ts', "import { c } from './c.ts'"],
    ['router/c.ts', "export * from './a.ts'"],
    ['router/d.ts', "import { a } from './a.ts'"],
  ])
  expect(violations(three, packages)).toEqual(['circle: router/a.ts → router/b.ts → router/c.ts → router/a.ts'])
})
