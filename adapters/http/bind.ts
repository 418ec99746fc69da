/** Every route with its own way of asking who calls, reading the body and answering. */
import { attempts } from './attempts.ts'
import type { Bound } from './bound.ts'
import { bindJson } from './json-route.ts'
import { bindRaw } from './raw-route.ts'
import { isRaw } from './route.ts'
import { sha256 } from './secrets.ts'
import type { ServeOptions } from './serve-options.ts'

export function bindAll(options: ServeOptions): { method: string; path: string; value: Bound }[] {
  const { bodyBytesMax = 256 * 1024, now = Date.now } = options
  const gate = {
    authenticate: options.authenticate ?? (() => null),
    attempts: options.attempts ?? attempts((token) => sha256(token).toString('base64')),
    now,
    bodyBytesMax,
    checkAnswers: options.checkAnswers ?? false,
  }
  return options.routes.map((route) => ({
    method: route.method,
    path: route.path,
    value: isRaw(route) ? bindRaw(route, bodyBytesMax) : bindJson(route, gate),
  }))
}
