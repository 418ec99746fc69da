import { codeAnswer, errorAnswer } from './answer.ts'
import type { Attempt, Attempts } from './attempts.ts'
import { type Admission, admitted, type Request } from './bound.ts'
import { ApiError } from './errors.ts'
import type { Auth, Caller } from './route.ts'
import { bearerToken } from './secrets.ts'

/**
 * Who a token belongs to, or null. `params` are the path's, decoded. Compare secrets with `sameText`, or look their
 * digest up; never with `===`.
 */
export type Authenticate = (
  kind: 'admin' | 'node',
  token: string,
  params: Readonly<Record<string, string>>,
) => Caller | null | Promise<Caller | null>

export interface Gate {
  readonly authenticate: Authenticate
  readonly attempts: Attempts
  readonly now: () => number
}

/**
 * 401 without a token or with a wrong one, 429 after too many wrong ones, 404 at another node's paths: whether that
 * node exists is not told.
 */
export function admit(auth: Auth, request: Request, gate: Gate): Admission | Promise<Admission> {
  if (auth === 'none') return admitted
  const token = bearerToken(request.authorization)
  if (token === null) return { outcome: 'refused', answer: codeAnswer('unauthorized') }
  const attempt = gate.attempts.begin(request.remoteAddress, token, gate.now())
  const { waitSeconds, othersDecided } = attempt
  if (othersDecided !== null) return othersDecided.then(() => admit(auth, request, gate))
  if (waitSeconds > 0) {
    return { outcome: 'refused', answer: errorAnswer(new ApiError('too_many_attempts', undefined, waitSeconds)) }
  }
  const undecided = (error: unknown): never => {
    attempt.undecided(gate.now())
    throw error
  }
  let caller: ReturnType<Authenticate>
  try {
    caller = gate.authenticate(auth, token, request.params)
  } catch (error) {
    return undecided(error)
  }
  if (!(caller instanceof Promise)) return decide(auth, caller, request, attempt, gate.now())
  return caller.then((found) => decide(auth, found, request, attempt, gate.now()), undecided)
}

function decide(auth: Auth, caller: Caller | null, request: Request, attempt: Attempt, nowMs: number): Admission {
  if (caller === null || caller.kind !== auth) {
    attempt.failed(nowMs)
    return { outcome: 'refused', answer: codeAnswer('unauthorized') }
  }
  attempt.succeeded(nowMs)
  const node = request.params.node
  if (caller.kind === 'node' && node !== undefined && node !== caller.node) {
    return { outcome: 'refused', answer: codeAnswer('not_found') }
  }
  return { outcome: 'admitted', caller }
}
