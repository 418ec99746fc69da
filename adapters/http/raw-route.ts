import { errorAnswer } from './answer.ts'
import { admitted, type Bound } from './bound.ts'
import type { RawRoute } from './route.ts'

/** Bytes in, bytes out: nothing is parsed, so that signatures are verified over what was really sent. */
export function bindRaw(route: RawRoute, bodyBytesMax: number): Bound {
  return {
    path: route.path,
    maxBodyBytes: route.maxBodyBytes ?? bodyBytesMax,
    needsCredentials: false,
    admit: () => admitted,
    respond: ({ params, query, contentType, requestId }, _caller, body) =>
      route.handle({ method: route.method, params, query, contentType, body, requestId }),
    refuse: (error, params) => route.refuse?.(error.code, params) ?? errorAnswer(error),
  }
}
