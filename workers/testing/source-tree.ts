/** For tests of the sources themselves: every file's text, its imports, its functions, and the words that name something. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** In the direction of imports: each may import those before it. */
export const layers = ['router', 'adapters', 'workers', 'bench'] as const

/** Path from the project's root → text. */
export type Tree = ReadonlyMap<string, string>
/** Path → the paths that it imports. */
export type Graph = ReadonlyMap<string, readonly string[]>

export const isTest = (path: string): boolean => path.endsWith('.test.ts')
/** Files named testing.ts, and what is in folders named testing. */
export const isHarness = (path: string): boolean => /(^|\/)testing(\.ts$|\/)/.test(path)
/** What runs for a user: neither a test nor what only tests use. */
export const isProduction = (path: string): boolean => !isTest(path) && !isHarness(path)

export function readTree(root: string): Tree {
  const paths = layers.flatMap((layer) =>
    readdirSync(join(root, layer), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(ts|mjs)$/.test(path))
      .map((path) => posix.join(layer, path)),
  )
  return new Map(paths.sort().map((path) => [path, readFileSync(join(root, path), 'utf8')]))
}

// Biome keeps every import at the beginning of its line and its specifier in single quotes.
const importPatterns = [
  /^(?:import|export)\s+(?:type\s+)?(?:[\w$]+\s*,\s*)?(?:\{[^}]*\}|\*(?:\s+as\s+[\w$]+)?|[\w$]+)\s+from\s+'([^']+)'/gm,
  /^import\s+'([^']+)'/gm,
  /\bimport\('([^']+)'\)/g,
]

export function importsOf(text: string): readonly string[] {
  return importPatterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''))
}

/** The file that a relative specifier means; null for a package. */
export function targetOf(path: string, specifier: string): string | null {
  return specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : null
}

/** Of the tree's files but its tests. */
export function graphOf(tree: Tree): Graph {
  const targets = (path: string, text: string): string[] =>
    importsOf(text).flatMap((specifier) => targetOf(path, specifier) ?? [])
  return new Map([...tree].filter(([path]) => !isTest(path)).map(([path, text]) => [path, targets(path, text)]))
}

/** Each circle once, named from its first file in the order of the graph. */
export function circles(graph: Graph): readonly string[] {
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

/** Of workers/: workers/decide/thread.ts → workers/decide; workers/service.ts is a room of its own. */
function roomOf(path: string, layer: string): string {
  const end = path.indexOf('/', layer.length + 1)
  return end === -1 ? path : path.slice(0, end)
}

/** The rooms of one layer, or of one folder of adapters/, and which other rooms of it each imports. What only tests use may look into every room. */
export function roomsOf(graph: Graph, layer: string): Graph {
  const rooms = new Map<string, Set<string>>()
  for (const [path, targets] of graph) {
    if (!path.startsWith(`${layer}/`) || isHarness(path)) continue
    const room = roomOf(path, layer)
    const others = rooms.get(room) ?? new Set()
    rooms.set(room, others)
    for (const target of targets)
      if (target.startsWith(`${layer}/`) && roomOf(target, layer) !== room) others.add(roomOf(target, layer))
  }
  return new Map([...rooms].map(([room, targets]) => [room, [...targets].sort()]))
}

/** The longest way of imports inside one layer, file by file. The graph must have no circle. */
export function longestChain(graph: Graph, layer: string): readonly string[] {
  const known = new Map<string, readonly string[]>()
  const isInside = (path: string): boolean => path.startsWith(`${layer}/`) && isProduction(path)
  const longest = (ways: readonly (readonly string[])[]): readonly string[] =>
    ways.reduce((best, way) => (way.length > best.length ? way : best), [])
  const from = (path: string): readonly string[] => {
    const earlier = known.get(path)
    if (earlier !== undefined) return earlier
    const chain = [path, ...longest((graph.get(path) ?? []).filter(isInside).map(from))]
    known.set(path, chain)
    return chain
  }
  return longest([...graph.keys()].filter(isInside).map(from))
}

export interface FunctionFound {
  /** The first line of its head, without what stands before it. */
  readonly head: string
  /** 1 is the file's first. */
  readonly line: number
  /** Of head and body together. */
  readonly lines: number
}

const keywords = /^\s*(?:\} )?(?:if|else if|for|for await|while|switch|catch|with) ?\(/
const method = /^\s+(?:(?:static|async|get|set|override|private)\s+)*\*?[#\w$]+(?:<.*>)?\(/

/**
 * The functions of a formatted source: a line that ends in a brace opens a block, and the next line of the same indentation
 * that begins with the closing one ends it. A head of several lines ends in a line that begins with its closing bracket.
 */
export function functionsOf(text: string): readonly FunctionFound[] {
  const lines = text.split('\n')
  const indentOf = (at: number): number => (lines[at] ?? '').search(/\S/)
  const found: FunctionFound[] = []
  for (const [at, line] of lines.entries()) {
    if (!line.endsWith('{')) continue
    const indent = indentOf(at)
    let first = at
    if (/^\s*[)\]}>]/.test(line)) {
      do first--
      while (first > 0 && (indentOf(first) > indent || indentOf(first) === -1 || /^\s*[)\]}>]/.test(lines[first]!)))
    }
    const head = lines[first]!
    const isFunction = line.endsWith('=> {') || /\bfunction\b/.test(head) || (method.test(head) && !keywords.test(head))
    if (!isFunction) continue
    const length = lines.slice(at + 1).findIndex((_, n) => indentOf(at + 1 + n) === indent && isEnd(lines[at + 1 + n]!))
    if (length !== -1) found.push({ head: head.trim(), line: first + 1, lines: at + length + 2 - first })
  }
  return found
}

const isEnd = (line: string): boolean => /^\s*\}/.test(line)

/** The text without its comments. Comments are whole lines or end one; a URL in quotes is none. */
export function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*[\s\S]*?\*\//gm, '').replace(/(^|\s)\/\/ .*$/gm, '$1')
}
