/** What is available is written out once in code and once in SQL. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectRoot } from '../../shared/root.ts'

test('the formula stands once in code and once in SQL', () => {
  const root = projectRoot()
  const paths = ['router', 'adapters', 'workers', 'bench', 'sql'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  )
  const code = paths.filter((path) => /\.(ts|sql|lua)$/.test(path) && !path.endsWith('.test.ts'))
  const formula = /on_?hand\)? - [^;'"`]*(safety|reserved)[^;'"`]* - [^;'"`]*(safety|reserved)/i
  const statement = (line: string): boolean => formula.test(line) && !/^\s*(\*|\/\/|\/\*\*|--)/.test(line)
  const found = code.filter((path) => readFileSync(join(root, path), 'utf8').split('\n').some(statement))
  expect(found.sort()).toEqual(['adapters/http/v1/stock.ts', 'router/stock.ts', 'sql/000008_available.sql'])
})
