/** For tests: one route of each kind, two nodes and an operator. */
import { Pool } from 'undici'
import { z } from 'zod'
import { sameText } from '../shared/same.ts'
import type { Authenticate } from './admission.ts'
import { endpoint, implement, ok, type Route } from './route.ts'
import { sha256 } from './secrets.ts'
import { pageLimit, quantity } from './v1/values.ts'

export const thing = endpoint({
  method: 'POST',
  path: '/v1/nodes/{node}/things',
  auth: 'node',
  tag: 't',
  summary: 's',
  params: z.strictObject({ node: z.string().max(64) }),
  query: z.strictObject({ limit: pageLimit, q: z.string().optional() }),
  body: z.strictObject({ quantity, name: z.string().max(10).optional(), kind: z.enum(['set', 'add']).optional() }),
  answers: { 200: z.object({ node: z.string(), limit: z.int(), quantity: z.int() }) },
  errors: ['not_found'],
})
export const free = endpoint({
  method: 'POST',
  path: '/free',
  auth: 'none',
  tag: 't',
  summary: 's',
  body: z.strictObject({ list: z.array(z.strictObject({ n: z.int() })).optional(), any: z.unknown().optional() }),
  answers: { 200: z.object({ ok: z.boolean() }) },
})
export const csv = endpoint({
  method: 'POST',
  path: '/csv/{account}',
  auth: 'admin',
  tag: 't',
  summary: 's',
  params: z.strictObject({ account: z.string() }),
  bytes: { contentType: 'text/csv', description: 'rows' },
  answers: { 200: z.object({ bytes: z.int() }) },
})
export const fails = endpoint({ method: 'GET', path: '/fails', auth: 'none', tag: 't', summary: 's', answers: {} })

export const routes: Route[] = [
  implement(thing, ({ caller, query, body }) => ok({ node: caller.node, limit: query.limit, quantity: body.quantity })),
  implement(free, () => ok({ ok: true })),
  implement(csv, ({ bytes }) => ok({ bytes: bytes.length })),
]

export const keys = new Map([
  [sha256('key-of-north-0123').toString('hex'), '华北/1'],
  [sha256('key-of-south-0123').toString('hex'), 'south'],
])
export const authenticate: Authenticate = async (kind, token) => {
  if (kind === 'admin') return sameText('admin-secret', token) ? { kind: 'admin' } : null
  const node = keys.get(sha256(token).toString('hex'))
  return node === undefined ? null : { kind: 'node', node }
}

export interface Told {
  status: number
  body: { error?: { code: string; message: string } } & Record<string, unknown>
  headers: Record<string, unknown>
}

export async function ask(origin: string, path: string, body: string | Buffer, token?: string): Promise<Told> {
  const pool = new Pool(origin)
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const answer = await pool.request({ method: 'POST', path, body, headers })
  const told = { status: answer.statusCode, body: (await answer.body.json()) as Told['body'], headers: answer.headers }
  await pool.close()
  return told
}

export const north = '/v1/nodes/%E5%8D%8E%E5%8C%97%2F1/things'
export const deep = (levels: number) => `{"any":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
