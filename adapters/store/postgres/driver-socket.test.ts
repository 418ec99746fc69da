import { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { connect } from './connect.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

/** Of this process; Node has no other list of them. */
function openSockets(): Socket[] {
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles: () => unknown[] }
  return handles.call(process).filter((handle): handle is Socket => handle instanceof Socket)
}

const textOf = ([row]: readonly unknown[]): string => (row as { x: string } | undefined)?.x ?? 'nothing'

const endings: readonly (readonly [how: string, error: Error | undefined])[] = [
  ['reset', Object.assign(new Error('reset'), { code: 'ECONNRESET' })],
  ['closed', undefined],
]

describe.each(endings)('a connection that is %s while something is about to be written', (_, error) => {
  test('fails what was asked, comes back at once, and answers what was asked', { timeout: 120_000 }, async () => {
    const others = new Set(openSockets())
    const sql = connect(database.url, { max: 1, applicationName: 'reset' })
    const ask = (x: string): Promise<string> => sql`select ${x}::text as x`.then(textOf, () => 'failed')
    await sql`select 1`
    for (let times = 0; times < 5; times++) {
      const first = ask('first')
      // By now it is the connection's, and not yet on its way.
      await Promise.resolve()
      for (const socket of openSockets()) if (!others.has(socket)) socket.destroy(error)
      expect(await first).toBe('failed')
      // Asked at once: the driver may not know yet that this connection is closing.
      expect(['second', 'failed']).toContain(await ask('second'))
      for (const x of ['a', 'b', 'c']) expect(await ask(x)).toBe(x)
    }
    await sql.end({ timeout: 1 })
  })
})

test('nobody listens: the query fails, and so does the next one', async () => {
  for (const url of ['postgres://me@127.0.0.1:9/none', 'postgres:///none?host=/nowhere&user=me']) {
    const sql = connect(url, { max: 1, applicationName: 'nobody' })
    for (let times = 0; times < 2; times++)
      await expect(sql`select 1`).rejects.toMatchObject({ code: expect.stringMatching(/ECONNREFUSED|ENOENT/) })
    await sql.end({ timeout: 1 })
  }
})
