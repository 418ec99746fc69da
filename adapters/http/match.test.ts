import { describe, expect, test } from 'vitest'
import { fc } from '../../router/testing/seed.ts'
import { matcher } from './match.ts'

const paths = ['/', '/healthz', '/v1/{a}', '/v1/{a}/x', '/v1/b/{c}', '/v1/b', '/v1/{a}/{b}/y', '/v1/b/x/{d}/z']
const find = matcher(paths.map((path) => ({ method: 'GET', path, value: path })))

describe('finds', () => {
  test.each([
    ['/', '/', []],
    ['/healthz', '/healthz', []],
    ['/v1/q', '/v1/{a}', ['q']],
    ['/v1/b', '/v1/b', []],
    ['/v1/q/x', '/v1/{a}/x', ['q']],
    ['/v1/b/x', '/v1/b/{c}', ['x']],
    // The literal's way ends nowhere: back to the parameter's.
    ['/v1/b/x/y', '/v1/{a}/{b}/y', ['b', 'x']],
    ['/v1/b/x/1/z', '/v1/b/x/{d}/z', ['1']],
    ['/v1/%2F', '/v1/{a}', ['%2F']],
    ['/v1/__proto__', '/v1/{a}', ['__proto__']],
  ])('%s → %s', (path, value, values) => {
    const found = find(path)
    expect(found?.entry.methods.get('GET')?.value).toBe(value)
    expect(found?.values).toEqual(values)
  })

  test.each([
    '',
    'healthz',
    '/healthz/',
    '/HEALTHZ',
    '/v1',
    '/v1/',
    '/v1//x',
    '//',
    '/v1/b/x/1',
    `/v1${'/b'.repeat(50)}`,
  ])('nothing at %s', (path) => {
    expect(find(path)).toBeNull()
  })

  test('the same as comparing with every path, whatever the segments', () => {
    const segment = fc.constantFrom('', 'v1', 'a', 'b', 'x', 'y', 'z')
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 6 }), (segments) => {
        const path = `/${segments.join('/')}`
        const fits = paths.some((p) => new RegExp(`^${p.replace(/\{\w+\}/g, '[^/]+')}$`).test(path))
        expect(find(path) !== null).toBe(fits)
      }),
    )
  })
})

test('mistakes in the table are errors at the start', () => {
  const table = (...list: string[]) => matcher(list.map((path) => ({ method: 'GET', path, value: 0 })))
  expect(() => table('/a', '/a')).toThrow('GET /a is there twice')
  expect(() => table('/a/{x}', '/a/{y}')).toThrow('twice')
  expect(() => table('a')).toThrow('leading slash')
  expect(() => table('/a/{x}/{x}')).toThrow('named twice')
  expect(() => table('/a/b{x}')).toThrow('malformed segment')
})
