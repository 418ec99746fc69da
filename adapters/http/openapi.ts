/**
 * The OpenAPI 3.1 document of a table of routes, from the schemas that validate: what it says is what is checked.
 * Schemas with a `meta({ id })` become components; the rest stands where it is used.
 */
import { z } from 'zod'
import { type ErrorCode, errorCodes, errorTable } from './errors.ts'
import { type Endpoint, isRaw, type ObjectSchema, type RawRoute, type Schema } from './route.ts'

export interface ApiInfo {
  readonly title: string
  readonly version: string
  readonly description?: string
}

type Json = Record<string, unknown>
type Components = Map<string, Json>

/** Throws when two different schemas share an id: a mistake in the table. */
export function openapi(routes: readonly (Endpoint | RawRoute)[], info: ApiInfo): Json {
  const components: Components = new Map([['Error', errorSchema()]])
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const operations = paths[route.path] ?? {}
    operations[route.method.toLowerCase()] = isRaw(route) ? rawOperation(route) : operation(route, components)
    paths[route.path] = operations
  }
  return {
    openapi: '3.1.0',
    info,
    paths,
    components: {
      schemas: Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        admin: { type: 'http', scheme: 'bearer', description: 'ADMIN_TOKEN' },
        node: { type: 'http', scheme: 'bearer', description: "the apiKey of the path's warehouse or store" },
      },
    },
  }
}

function operation(route: Endpoint, components: Components): Json {
  const responses: Record<string, Json> = {}
  for (const [status, schema] of Object.entries(route.answers)) {
    responses[status] = { description: 'Done', content: json(toRef(schema, 'output', components)) }
  }
  Object.assign(responses, errorResponses(errorsOf(route)))
  return {
    ...head(route),
    security: route.auth === 'none' ? [] : [{ [route.auth]: [] }],
    parameters: [...pathParameters(route, route.params, components), ...queryParameters(route.query, components)],
    ...(route.body && { requestBody: { required: true, content: json(toRef(route.body, 'input', components)) } }),
    ...(route.bytes && {
      requestBody: {
        required: true,
        description: route.bytes.description,
        content: { [route.bytes.contentType]: { schema: {} } },
      },
    }),
    responses,
  }
}

function rawOperation(route: RawRoute): Json {
  return {
    ...head(route),
    security: [],
    parameters: pathParameters(route, undefined, new Map()),
    ...(route.method !== 'GET' && { requestBody: { required: true, content: { '*/*': { schema: {} } } } }),
    responses: { default: { description: "In the caller's own format", content: { '*/*': { schema: {} } } } },
  }
}

function head(route: Endpoint | RawRoute): Json {
  return { operationId: operationId(route), summary: route.summary, tags: [route.tag] }
}

/** `POST /v1/nodes/{node}/stock` → `postV1NodesNodeStock`: unique since method and path are. */
function operationId({ method, path }: { readonly method: string; readonly path: string }): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return method.toLowerCase() + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')
}

/** What every route of a kind can answer, and what this one adds. */
export function errorsOf(route: Endpoint): ErrorCode[] {
  const codes = new Set<ErrorCode>(['internal', 'shutting_down', 'try_again', 'body_too_large', 'body_too_slow'])
  if (route.auth !== 'none') codes.add('unauthorized').add('too_many_attempts')
  if (route.auth === 'node') codes.add('not_found')
  if (route.params) codes.add('malformed_path').add('invalid_request')
  if (route.query) codes.add('malformed_query').add('invalid_request')
  if (route.body) codes.add('malformed_json').add('invalid_request')
  for (const code of route.errors ?? []) codes.add(code)
  return errorCodes.filter((code) => codes.has(code))
}

function errorResponses(codes: readonly ErrorCode[]): Record<string, Json> {
  const byStatus = new Map<number, string[]>()
  for (const code of codes) {
    const [status, advice] = errorTable[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), `\`${code}\`: ${advice}`])
  }
  const responses: Record<string, Json> = {}
  for (const [status, lines] of byStatus) {
    responses[status] = { description: lines.join('\n\n'), content: json({ $ref: '#/components/schemas/Error' }) }
  }
  return responses
}

function errorSchema(): Json {
  const code = { type: 'string', enum: errorCodes }
  const error = { type: 'object', required: ['code', 'message'], properties: { code, message: { type: 'string' } } }
  return { type: 'object', required: ['error'], properties: { error } }
}

function pathParameters(
  route: { readonly path: string },
  params: ObjectSchema | undefined,
  components: Components,
): Json[] {
  return [...route.path.matchAll(/\{([A-Za-z]+)\}/g)].map(([, name]) => {
    const schema = params?.shape[name!]
    return {
      name,
      in: 'path',
      required: true,
      schema: schema ? toRef(schema as Schema, 'input', components) : { type: 'string' },
    }
  })
}

function queryParameters(query: ObjectSchema | undefined, components: Components): Json[] {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: !(schema as Schema).safeParse(undefined).success,
    // What a query value means, not the text it is written in: an integer rather than a string of digits.
    schema: toRef(schema as Schema, 'output', components),
  }))
}

function json(schema: Json): Json {
  return { 'application/json': { schema } }
}

function toRef(schema: Schema, io: 'input' | 'output', components: Components): Json {
  const { $schema: _, $defs, ...own } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json
  for (const [id, definition] of Object.entries(($defs ?? {}) as Record<string, Json>)) keep(id, definition, components)
  return moveRefs(own) as Json
}

function keep(id: string, definition: Json, components: Components): void {
  const moved = moveRefs(definition) as Json
  const known = components.get(id)
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(moved)) throw new Error(`two schemas named ${id}`)
  components.set(id, moved)
}

function moveRefs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(moveRefs)
  if (typeof value !== 'object' || value === null) return value
  const moved: Json = {}
  for (const [key, entry] of Object.entries(value)) {
    const isRef = key === '$ref' && typeof entry === 'string'
    moved[key] = isRef ? entry.replace('#/$defs/', '#/components/schemas/') : moveRefs(entry)
  }
  return moved
}
