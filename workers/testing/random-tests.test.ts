/** A random test that draws from a seed which is not told cannot be had again. */
import { expect, test } from 'vitest'
import { projectRoot } from '../../adapters/shared/root.ts'
import { importsOf, isHarness, isTest, readTree } from './source-tree.ts'

const seedFile = 'router/testing/seed.ts'
const tests = [...readTree(projectRoot())].filter(([path]) => isTest(path) || isHarness(path))

/** Why a text of this path draws from no seed of ours; null when it does not draw, or from ours. */
function unseeded(path: string, text: string): string | null {
  // An assertion is what draws; arbitraries alone draw nothing.
  if (path !== seedFile && importsOf(text).includes('fast-check') && /\bfc\.(assert|check|sample)\(/.test(text)) {
    return 'take fc from router/testing/seed.ts'
  }
  return text.includes(`Math.${'random'}(`) ? 'draw from a seed' : null
}

test('every random test draws from the seed of the run', () => {
  expect(tests.length).toBeGreaterThan(50)
  expect(tests.map(([path, text]) => [path, unseeded(path, text)]).filter(([, why]) => why !== null)).toEqual([])
})

test.each([
  ['a property', "import fc from 'fast-check'\nfc.assert(fc.property(fc.nat(), () => true))", false],
  ['a dice', `const dice = Math.${'random'}()`, false],
  ['arbitraries alone', "import fc from 'fast-check'\nconst n = fc.nat()", true],
  [
    'a property of the seed',
    "import { fc } from '../router/testing/seed.ts'\nfc.assert(fc.property(fc.nat(), () => true))",
    true,
  ],
])('%s', (_, text, isFine) => {
  expect(unseeded('workers/a.test.ts', text) === null).toBe(isFine)
})
