/** Arrays go to Postgres and come back; and a connection that dies as soon as it is open fails its query, not the process. */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { fc, runs } from '../../../router/testing/seed.ts'
import { testDatabase } from '../testing.ts'
import { readArray, writeArray } from './array-types.ts'
import { connect } from './connect.ts'

const database = await testDatabase()
afterAll(() => database.close())

const text = fc.string({ unit: 'binary' }).filter((value) => !/[\0\ud800-\udfff]/.test(value))
const or = <T>(values: fc.Arbitrary<T>) => fc.array(fc.option(values), { maxLength: 20 })

test('what is sent as an array comes back as it was', async () => {
  const { sql } = database
  await fc.assert(
    fc.asyncProperty(
      or(fc.oneof(text, fc.constantFrom('', 'NULL', 'null', '{}', '"', '\\', ',', ' '))),
      or(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
      or(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)),
      async (texts, ints, bigs) => {
        const [row] = await sql`select ${texts}::text[] as texts, ${ints}::int[] as ints, ${bigs}::bigint[] as bigs`
        expect(row).toEqual({ texts, ints, bigs })
      },
    ),
    { numRuns: runs(50) },
  )
})

test('elements arrive as what they are', async () => {
  const { sql } = database
  const day = '2026-11-11'
  const [row] = await sql`
    select ${[day]}::date[] @> array['2026-11-11'::date] as day, ${[{ a: '"\\' }] as unknown as string[]}::json[] as json,
      array['1970-01-01'::date] as days, '[5:6]={x,"y,}"}'::text[] as bounds, array[1.50::numeric] as exact,
      array[true, null, false] as flags, array['1970-01-01T00:00:00Z'::timestamptz] as instants`
  expect(row).toEqual({
    day: true,
    json: [{ a: '"\\' }],
    days: [new Date(0)],
    bounds: ['x', 'y,}'],
    exact: ['1.50'],
    flags: [true, null, false],
    instants: [new Date(0)],
  })
})

test('undefined is sent nowhere; half an array is no array', () => {
  expect(() => writeArray(['a', undefined], String)).toThrow(TypeError)
  expect(() => readArray('{"a', String)).toThrow(TypeError)
})

/** Greets as Postgres does without a password, and hangs up at the first question. */
function hangsUp(socket: Socket): void {
  const message = (type: string, body: Buffer): Buffer => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(body.length + 4)
    return Buffer.concat([Buffer.from(type), length, body])
  }
  socket.on('error', () => undefined)
  socket.once('data', () => {
    socket.write(Buffer.concat([message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))]))
    socket.once('data', () => socket.resetAndDestroy())
  })
}

test('a connection that dies at its first question fails that query, and nothing that nobody waits for', async () => {
  const server = createServer(hangsUp)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const unheard: unknown[] = []
  const hear = (error: unknown): void => void unheard.push(error)
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', hear)
  const sql = connect(`postgres://me@127.0.0.1:${port}/db`, { max: 1, applicationName: 'test' })
  // The driver may try the connection anew for its first query: by then the question is asked again, and cut again.
  const failed = sql`select 1`.then(
    () => 'answered',
    () => 'failed',
  )
  const first = await Promise.race([failed, new Promise((resolve) => process.once('unhandledRejection', resolve))])
  await sql.end({ timeout: 0 })
  await failed
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', hear)
  for (const listener of others) process.on('unhandledRejection', listener)
  server.close()
  expect(unheard).toEqual([])
  expect(first).toBe('failed')
})
