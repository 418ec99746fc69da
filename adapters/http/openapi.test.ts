import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { errorCodes, errorTable } from './errors.ts'
import { errorsOf, openapi } from './openapi.ts'
import { endpoint, type RawRoute } from './route.ts'
import { contract } from './v1/contract.ts'

const webhook: RawRoute = {
  raw: true,
  method: 'POST',
  path: '/webhooks/{channel}/{shop}',
  auth: 'webhook',
  tag: 'webhooks',
  summary: 'A platform pushes.',
  handle: () => ({ status: 200, contentType: 'text/plain', body: 'success' }),
}
const endpoints = Object.values(contract)
const document = openapi([...endpoints, webhook], { title: 'Paidan', version: '1' }) as unknown as Document

interface Operation {
  readonly operationId: string
  readonly security: readonly Record<string, unknown>[]
  readonly parameters: readonly { name: string; in: string; required: boolean; schema: Record<string, unknown> }[]
  readonly responses: Record<string, unknown>
  readonly requestBody?: unknown
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> }
}

function refsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, entry]) => (key === '$ref' ? [String(entry)] : refsIn(entry)))
}

describe('the document of the whole contract', () => {
  test('has every path and method of the table and no other', () => {
    const there = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(there.sort()).toEqual([...endpoints, webhook].map(({ method, path }) => `${method} ${path}`).sort())
  })

  test('every reference resolves, and none points outside components', () => {
    const refs = refsIn(document)
    expect(refs.length).toBeGreaterThan(20)
    for (const ref of refs) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(ref)?.[1]
      expect(document.components.schemas, ref).toHaveProperty(name!)
    }
  })

  test('every operation has a unique id, its path parameters, a known security scheme and all its errors', () => {
    const ids = new Set<string>()
    for (const route of endpoints) {
      const operation = document.paths[route.path]![route.method.toLowerCase()]!
      ids.add(operation.operationId)
      const named = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      expect(operation.parameters.filter((p) => p.in === 'path' && p.required).map((p) => p.name)).toEqual(named)
      for (const scheme of operation.security) {
        expect(document.components.securitySchemes).toHaveProperty(Object.keys(scheme)[0]!)
      }
      expect(operation.security.length).toBe(1)
      for (const code of errorsOf(route)) expect(operation.responses).toHaveProperty(String(errorTable[code][0]))
      expect('requestBody' in operation).toBe(route.method !== 'GET')
    }
    expect(ids.size).toBe(endpoints.length)
  })

  test('query parameters are shown as what they mean', () => {
    const limit = document.paths['/v1/orders']!.get!.parameters.find((p) => p.name === 'limit')
    expect(limit).toMatchObject({ required: false, schema: { type: 'integer', minimum: 1, maximum: 500, default: 50 } })
  })

  test('limits and strictness reach the document', () => {
    expect(document.components.schemas.PutNode).toMatchObject({
      additionalProperties: false,
      required: ['name', 'kind'],
      properties: { priority: { type: 'integer', minimum: -1000, maximum: 1000 } },
    })
  })

  test('is plain JSON', () => {
    expect(JSON.parse(JSON.stringify(document))).toEqual(document)
  })
})

test('two different schemas with one name are a mistake', () => {
  const base = { method: 'GET', auth: 'none', tag: 't', summary: 's' } as const
  const a = z.object({ a: z.string() }).meta({ id: 'SameName' })
  const route = endpoint({ ...base, path: '/a', answers: { 200: a } })
  const other = endpoint({ ...base, path: '/b', answers: { 200: z.object({ x: z.object({}) }) } })
  expect(() => openapi([route, other], { title: 't', version: '1' })).not.toThrow()
  const input = endpoint({ ...base, method: 'POST', path: '/c', body: a, answers: { 200: z.object({}) } })
  // The same object is open as input and closed as output.
  expect(() => openapi([route, input], { title: 't', version: '1' })).toThrow('two schemas named SameName')
})

test('every error code has an error status and advice that is a sentence', () => {
  for (const code of errorCodes) {
    const [status, advice] = errorTable[code]
    expect(status, code).toBeGreaterThanOrEqual(400)
    expect(status, code).toBeLessThan(600)
    expect(advice, code).toMatch(/^[A-Z].+\.$/)
  }
})
