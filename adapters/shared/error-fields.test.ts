import postgres from 'postgres'
import { expect, test } from 'vitest'
import { fc } from '../../router/testing/seed.ts'
import { errorFields } from './error-fields.ts'

const secret = '欧阳金丝雀'
const thrown = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return error
  }
}
const fake = (fields: object): Error => Object.assign(new Error(secret), fields)

test.each<[string, unknown]>([
  ['JSON', thrown(() => JSON.parse(`{"name":"${secret}`))],
  ['URL', thrown(() => new URL(`//${secret}`))],
  ['BigInt', thrown(() => BigInt(secret))],
  ['an argument', thrown(() => Buffer.alloc(secret as unknown as number))],
  [
    'Postgres',
    fake({ name: 'PostgresError', code: '23514', detail: `Failing row contains (${secret})`, query: secret }),
  ],
  ['a code that is none', fake({ code: secret, name: secret, table_name: secret })],
  ['a cause', new Error('x', { cause: new Error('y', { cause: fake({}) }) })],
  ['a message that looks like a place', new Error(`x\n    at ${secret} (/a/b.js:1:2)\n    at /${secret}/b.js:1:2`)],
  ['a string', secret],
  ['an object', { message: secret }],
])('%s: nothing of what was given', (_, error) => {
  expect(JSON.stringify(errorFields(error))).not.toContain(secret)
})

test('what a reader needs is there', () => {
  const error = Object.assign(new TypeError('x'), {
    code: 'ERR_X',
    table_name: 'orders',
    constraint_name: 'orders_pkey',
  })
  const { at, ...fields } = errorFields(new Error('outer', { cause: error })).cause!
  expect(fields).toEqual({ name: 'TypeError', code: 'ERR_X', table: 'orders', constraint: 'orders_pkey' })
  expect(at?.[0]).toContain('error-fields.test')
  expect(errorFields(new postgres.PostgresError('x')).name).toBe('PostgresError')
})

test('causes in a circle end', () => {
  const error = new Error('a') as Error & { cause: unknown }
  error.cause = error
  expect(JSON.stringify(errorFields(error)).length).toBeLessThan(20_000)
})

test('whatever is thrown', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      expect(typeof errorFields(value).name).toBe('string')
    }),
  )
})
