import { parseJson } from '../shared/json.ts'
import { admit, type Gate } from './admission.ts'
import { errorAnswer, jsonAnswer } from './answer.ts'
import type { Bound, Request } from './bound.ts'
import { ApiError } from './errors.ts'
import { nestsDeeper } from './nesting.ts'
import { describeProblems } from './problem.ts'
import { parseQuery } from './query.ts'
import type { AnyReply, Auth, Caller, Context, JsonRoute, Schema } from './route.ts'

// Our deepest documented body has 5 levels.
const nestingMax = 32

export interface JsonOptions extends Gate {
  readonly bodyBytesMax: number
  /** For tests: an answer that its own schema refuses becomes an `internal` error. */
  readonly checkAnswers: boolean
}

/** JSON in, JSON out: parsed and validated here, once, so that handlers see typed values only. */
export function bindJson(route: JsonRoute, options: JsonOptions): Bound {
  return {
    path: route.path,
    maxBodyBytes: route.maxBodyBytes ?? (route.body || route.bytes ? options.bodyBytesMax : noBodyBytesMax),
    needsCredentials: route.auth !== 'none',
    admit: (request) => admit(route.auth, request, options),
    async respond(request, caller, bytes) {
      const reply = await route.handle(readContext(route, request, caller, bytes, options.now()))
      if (options.checkAnswers) checkAnswer(route, reply)
      return jsonAnswer(reply.status, reply.body)
    },
    refuse: (error) => errorAnswer(error),
  }
}

// Clients send `{}` or nothing where no body is wanted: read and ignored.
const noBodyBytesMax = 16 * 1024

function readContext(
  route: JsonRoute,
  request: Request,
  caller: Caller | null,
  bytes: Uint8Array,
  nowMs: number,
): Context<Auth, unknown, unknown, unknown> {
  const query = route.query === undefined ? undefined : parseQuery(request.query)
  if (query === null) throw new ApiError('malformed_query')
  return {
    params: route.params && parsePart('path', route.params, request.params),
    query: route.query && parsePart('query', route.query, query),
    body: route.body && parsePart('body', route.body, parseBody(bytes)),
    caller,
    nowMs,
    bytes,
    requestId: request.requestId,
    get signal() {
      return request.signal()
    },
  }
}

function parsePart(part: string, schema: Schema, value: unknown): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new ApiError('invalid_request', describeProblems(part, parsed.error.issues))
}

/** Throws ApiError malformed_json. Content-Type is not asked: what parses is JSON. */
function parseBody(bytes: Uint8Array): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new ApiError('malformed_json', 'The body is not valid UTF-8.')
  }
  if (text.trim() === '') throw new ApiError('malformed_json', 'The body is empty. Send one JSON object.')
  if (nestsDeeper(text, nestingMax)) {
    throw new ApiError('malformed_json', `The body nests deeper than ${nestingMax} levels.`)
  }
  try {
    return parseJson(text)
  } catch {
    throw new ApiError('malformed_json')
  }
}

function checkAnswer(route: JsonRoute, reply: AnyReply): void {
  const schema = route.answers[reply.status]
  if (schema === undefined) throw new Error(`${route.method} ${route.path} does not document ${reply.status}`)
  const parsed = schema.safeParse(JSON.parse(JSON.stringify(reply.body)))
  if (parsed.success) return
  throw new Error(`${route.method} ${route.path}: ${describeProblems('answer', parsed.error.issues)}`)
}
