import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectRoot } from '../../adapters/shared/root.ts'

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Where npm finds `name` from `path`: beside it, or in any node_modules above. */
function isLocked(packages: Readonly<Record<string, LockedPackage>>, path: string, name: string): boolean {
  for (let from = path; ; from = from.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    if (packages[`${from}${from === '' ? '' : '/'}node_modules/${name}`] !== undefined) return true
    if (from === '') return false
  }
}

// npm leaves out of the lock file what the registry in use does not carry, typically the binaries of other systems;
// `npm ci` then refuses the whole file, on every machine.
test('the lock file names every package that npm ci will look for', () => {
  const lock = JSON.parse(readFileSync(join(projectRoot(), 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>
  }
  const missing = Object.entries(lock.packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !isLocked(lock.packages, path, name))
      .map((name) => `${path} needs ${name}`),
  )
  expect(Object.keys(lock.packages).length).toBeGreaterThan(50)
  expect(missing).toEqual([])
})
