/**
 * Finds what a path means. Segment by segment: a literal wins over a parameter, and when the literal's way ends
 * nowhere the parameter's way is tried. Paths are compared as they came, so an encoded slash stays in its segment.
 */
export interface PathEntry<T> {
  readonly methods: ReadonlyMap<string, { readonly names: readonly string[]; readonly value: T }>
  /** For the Allow header. */
  readonly allow: string
}

export interface Found<T> {
  readonly entry: PathEntry<T>
  /** Still percent-encoded, in the path's order. */
  readonly values: readonly string[]
}

interface Branch<T> {
  readonly literals: Map<string, Branch<T>>
  parameter: Branch<T> | null
  methods: Map<string, { names: string[]; value: T }>
  allow: string
}

export type Matcher<T> = (path: string) => Found<T> | null

/** Throws when a path is malformed or a method of a path is given twice: a mistake in the table of routes. */
export function matcher<T>(routes: readonly { method: string; path: string; value: T }[]): Matcher<T> {
  const root = branch<T>()
  for (const { method, path, value } of routes) {
    if (!path.startsWith('/')) throw new Error(`path without leading slash: ${path}`)
    const names: string[] = []
    let at = root
    for (const segment of path.slice(1).split('/')) {
      const name = /^\{([A-Za-z]+)\}$/.exec(segment)?.[1]
      if (name === undefined && /[{}]/.test(segment)) throw new Error(`malformed segment ${segment} in ${path}`)
      if (name !== undefined) names.push(name)
      at = name !== undefined ? parameter(at) : literal(at, segment)
    }
    if (new Set(names).size < names.length) throw new Error(`parameter named twice in ${path}`)
    if (at.methods.has(method)) throw new Error(`${method} ${path} is there twice`)
    at.methods.set(method, { names, value })
    at.allow = [...at.methods.keys()].sort().join(', ')
  }
  return (path) => {
    const segments = path.split('/')
    // No route is deeper than 16 segments, and trying both ways at each would be work for nothing.
    if (segments[0] !== '' || segments.length > 17) return null
    const values: string[] = []
    const end = walk(root, segments, 1, values)
    return end === null ? null : { entry: end, values }
  }
}

function branch<T>(): Branch<T> {
  return { literals: new Map(), parameter: null, methods: new Map(), allow: '' }
}

function parameter<T>(at: Branch<T>): Branch<T> {
  at.parameter ??= branch()
  return at.parameter
}

function literal<T>(at: Branch<T>, segment: string): Branch<T> {
  const known = at.literals.get(segment)
  if (known !== undefined) return known
  const next = branch<T>()
  at.literals.set(segment, next)
  return next
}

function walk<T>(at: Branch<T>, segments: readonly string[], index: number, values: string[]): Branch<T> | null {
  if (index === segments.length) return at.methods.size > 0 ? at : null
  const segment = segments[index]!
  const next = at.literals.get(segment)
  if (next !== undefined) {
    const end = walk(next, segments, index + 1, values)
    if (end !== null) return end
  }
  if (at.parameter === null || segment === '') return null
  values.push(segment)
  const end = walk(at.parameter, segments, index + 1, values)
  if (end === null) values.pop()
  return end
}
