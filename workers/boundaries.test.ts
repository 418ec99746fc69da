/**
 * router ← adapters ← workers ← bench: nothing imports against this direction, the router imports nothing else at all,
 * the parts of adapters/ know each other only through adapters/shared, one file knows the HTTP server, and there is no
 * circle. Tests may use packages and the harness (files named testing.ts, folders named testing) from everywhere; bench/,
 * which nobody runs in production, the harness as well.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, posix } from 'node:path'
import { expect, test } from 'vitest'
import { projectRoot } from '../adapters/shared/root.ts'

const layers = ['router', 'adapters', 'workers', 'bench']
const httpServer = 'adapters/http/server.ts'

/** Path from the project's root → text. */
type Tree = ReadonlyMap<string, string>

// Biome keeps every import at the beginning of its line and its specifier in single quotes.
const importPatterns = [
  /^(?:import|export)\s+(?:type\s+)?(?:[\w$]+\s*,\s*)?(?:\{[^}]*\}|\*(?:\s+as\s+[\w$]+)?|[\w$]+)\s+from\s+'([^']+)'/gm,
  /^import\s+'([^']+)'/gm,
  /\bimport\('([^']+)'\)/g,
]

function importsOf(text: string): readonly string[] {
  return importPatterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''))
}

const isTest = (path: string): boolean => path.endsWith('.test.ts')
const isHarness = (path: string): boolean => /(^|\/)testing(\.ts$|\/)/.test(path)
const layerOf = (path: string): number => layers.indexOf(path.split('/')[0] ?? '')
/** adapters/store/x.ts → store */
const partOf = (path: string): string => path.split('/')[1] ?? ''

function packageOf(specifier: string): string {
  const [first = '', second = ''] = specifier.split('/')
  return first.startsWith('@') ? `${first}/${second}` : first
}

function violations(tree: Tree, packages: ReadonlySet<string>): readonly string[] {
  const found: string[] = []
  const graph = new Map<string, string[]>()
  for (const [path, text] of tree) {
    const targets: string[] = []
    for (const specifier of importsOf(text)) {
      const target = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : null
      if (target !== null) targets.push(target)
      const problem = target === null ? packageProblem(path, specifier, packages) : fileProblem(path, target, tree)
      if (problem !== null) found.push(`${path} → ${specifier}: ${problem}`)
    }
    if (!isTest(path)) graph.set(path, targets)
  }
  return [...found, ...circles(graph)]
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

/** Each circle once, named from its first file in the order of the tree. */
function circles(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found: string[] = []
  const done = new Set<string>()
  const way: string[] = []
  const visit = (path: string): void => {
    const at = way.indexOf(path)
    if (at !== -1) found.push(`circle: ${[...way.slice(at), path].join(' → ')}`)
    if (at !== -1 || done.has(path)) return
    way.push(path)
    for (const target of graph.get(path) ?? []) visit(target)
    way.pop()
    done.add(path)
  }
  for (const path of graph.keys()) visit(path)
  return found
}

function readTree(root: string): Tree {
  const paths = layers.flatMap((layer) =>
    readdirSync(join(root, layer), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(ts|mjs)$/.test(path))
      .map((path) => posix.join(layer, path)),
  )
  return new Map(paths.sort().map((path) => [path, readFileSync(join(root, path), 'utf8')]))
}

test('no import goes against the direction', () => {
  const root = projectRoot()
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const { dependencies, devDependencies } = manifest as Record<string, Record<string, string>>
  const tree = readTree(root)
  expect(tree.size).toBeGreaterThan(10)
  expect([...tree.values()].flatMap(importsOf).length).toBeGreaterThan(tree.size)
  expect(violations(tree, new Set(Object.keys({ ...dependencies, ...devDependencies })))).toEqual([])
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

test('a circle over three files is found once', () => {
  const tree: Tree = new Map([
    ['router/a.ts', "import type { B } from './b.ts'"],
    ['router/b.ts', "import { c } from './c.ts'"],
    ['router/c.ts', "export * from './a.ts'"],
    ['router/d.ts', "import { a } from './a.ts'"],
  ])
  expect(violations(tree, packages)).toEqual(['circle: router/a.ts → router/b.ts → router/c.ts → router/a.ts'])
})
