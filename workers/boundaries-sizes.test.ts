/**
 * No file over 250 lines and no function over 80: what is longer is two things. Tests and what only tests use may be longer.
 */
import { describe, expect, test } from 'vitest'
import { projectRoot } from '../adapters/shared/root.ts'
import { functionsOf, isProduction, readTree, type Tree } from './testing/source-tree.ts'

const fileLinesMax = 250
const functionLinesMax = 80

/** Files that are still too long → why. A line here is work that is left; it goes away when its file is short enough. */
const longFilesLeft: Readonly<Record<string, string>> = {}

/** Functions that are still too long, by file and the name in their head → why. */
const longFunctionsLeft: Readonly<Record<string, string>> = {}

function longFiles(tree: Tree): readonly string[] {
  return [...tree].filter(([path, text]) => isProduction(path) && linesOf(text) > fileLinesMax).map(([path]) => path)
}

function linesOf(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
}

function longFunctions(tree: Tree): readonly string[] {
  return [...tree].flatMap(([path, text]) =>
    isProduction(path)
      ? functionsOf(text)
          .filter(({ lines }) => lines > functionLinesMax)
          .map(({ head }) => `${path}: ${nameIn(head)}`)
      : [],
  )
}

function nameIn(head: string): string {
  const [, name = head] =
    /\bfunction\*? ?([\w$]+)/.exec(head) ??
    /^(?:export )?const ([\w$]+)/.exec(head) ??
    /^(?:(?:static|async|get|set|override|private) )*\*?([#\w$]+)/.exec(head) ??
    []
  return name
}

const tree = readTree(projectRoot())

test(`no file is longer than ${fileLinesMax} lines`, () => {
  expect(longFiles(tree)).toEqual(Object.keys(longFilesLeft))
})

test(`no function is longer than ${functionLinesMax} lines`, () => {
  expect(longFunctions(tree)).toEqual(Object.keys(longFunctionsLeft))
})

test('the functions of the project are found at all', () => {
  const found = [...tree.values()].flatMap((text) => functionsOf(text))
  expect(found.length).toBeGreaterThan(tree.size)
})

describe('a function that is too long is found', () => {
  const body = (lines: number, indent = '  '): string => `${indent}work()\n`.repeat(lines)
  const cases: readonly (readonly [what: string, name: string, text: (lines: number) => string])[] = [
    ['function', 'one', (n) => `export async function one(a: number): Promise<void> {\n${body(n)}}\n`],
    ['function with a head of several lines', 'one', (n) => `function one(\n  a: A,\n): B {\n${body(n - 2)}}\n`],
    [
      'function that gives an object type',
      'one',
      (n) => `function one(\n  a: A,\n): {\n  b: B\n} {\n${body(n - 4)}}\n`,
    ],
    ['generator', 'one', (n) => `export function* one() {\n${body(n)}}\n`],
    ['arrow function', 'one', (n) => `export const one = async (a: A): Promise<B> => {\n${body(n)}}\n`],
    ['arrow function in an argument', 'one', (n) => `one(async () => {\n${body(n)}})\n`],
    ['method', 'one', (n) => `class A {\n  async one(a: A): Promise<B> {\n${body(n, '    ')}  }\n}\n`],
    ['private method', '#one', (n) => `class A {\n  #one<T>(a: T): void {\n${body(n, '    ')}  }\n}\n`],
    ['method of an object', 'one', (n) => `const a = {\n  one(a) {\n${body(n, '    ')}  },\n}\n`],
    [
      'constructor',
      'constructor',
      (n) => `class A {\n  constructor(\n    a: A,\n  ) {\n${body(n - 2, '    ')}  }\n}\n`,
    ],
    [
      'function with blocks and empty lines inside',
      'one',
      (n) => `function one() {\n  if (a) {\n${body(n - 4, '    ')}  } else {\n\n  }\n}\n`,
    ],
  ]
  test.each(cases)('%s', (_, name, text) => {
    const check = (lines: number) => longFunctions(new Map([['router/a.ts', text(lines - 2)]]))
    expect(check(functionLinesMax)).toEqual([])
    expect(check(functionLinesMax + 1)).toEqual([`router/a.ts: ${name}`])
  })
  test.each([
    ['an interface', `export interface One {\n${body(100)}}\n`],
    ['a class of short methods', `class A {\n${'  one() {\n    work()\n  }\n'.repeat(50)}}\n`],
    ['a table', `const one = {\n${'  a: 1,\n'.repeat(100)}}\n`],
    ['a block that is no function', `  if (\n    a\n  ) {\n${body(100, '    ')}  }\n`],
  ])('%s is none', (_, text) => {
    expect(longFunctions(new Map([['router/a.ts', text]]))).toEqual([])
  })
})

test.each([
  ['router/a.ts', 250, false],
  ['router/a.ts', 251, true],
  ['router/a.test.ts', 251, false],
  ['router/testing/a.ts', 251, false],
  ['adapters/store/testing.ts', 251, false],
])('%s of %i lines is too long: %s', (path, lines, isLong) => {
  expect(longFiles(new Map([[path, 'x\n'.repeat(lines)]])).length).toBe(isLong ? 1 : 0)
})
