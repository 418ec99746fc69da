/**
 * One request and its one answer, from the headers to the last byte out.
 *
 *   body ─last chunk▶ handling ─answer▶ writing ─drained▶ done
 *     │                  │                 │
 *     └──────────────────┴─ hung up ───────┴────────────▶ done
 *
 * It answers exactly once, whatever happens: a body too large, too slow or unwanted, a handler that throws, never
 * settles or gives nonsense. A body that is not wanted is read and dropped, so that the connection stays in step and
 * the caller reads our answer; past `discardBytesMax` more the connection is closed instead.
 */
import { codeAnswer, errorAnswer, type HttpAnswer } from './answer.ts'
import { type BodyBuffer, bodyBuffer } from './body.ts'
import type { Admission, Bound, Request } from './bound.ts'
import { ApiError, type ErrorCode } from './errors.ts'
import type { Held, Holder } from './held.ts'
import { isSound } from './sound.ts'
import { oneCallBytesMax, type Pending, type WireResponse, writeAnswer } from './wire.ts'

export interface ExchangeHost {
  readonly held: Held
  closing(): boolean
  answered(exchange: Exchange, status: number): void
  failed(exchange: Exchange, error: unknown): void
  /** The failure passes by itself. */
  passes(error: unknown): boolean
  /** Answered or hung up, and the handler has come back. */
  settled(exchange: Exchange): void
}

export interface ExchangeLimits {
  /** A body may take this long, and an answer to be read; longer when they keep the pace of bytesPerMsMin. */
  readonly bodyMsMax: number
  readonly answerMsMax: number
}

// Refused bodies up to this much larger are read to their end: cheaper for both sides than a new connection.
const discardBytesMax = 4 * 1024 * 1024
// 32 KB/s: below every network that a platform or a warehouse sends from.
const bytesPerMsMin = 32

export class Exchange implements Holder {
  readonly request: Request
  readonly bound: Bound
  readonly startedMs: number
  private readonly res: WireResponse
  private readonly host: ExchangeHost
  private readonly headOnly: boolean
  private readonly body: BodyBuffer
  private admission: Admission | Promise<Admission> | null = null
  private refusal: HttpAnswer | null = null
  private phase: 'body' | 'handling' | 'writing' | 'done' = 'body'
  private handlingSinceMs = 0
  private writingSinceMs = 0
  private answerBytes = 0
  private handlerRuns = false

  constructor(res: WireResponse, bound: Bound, request: Request, host: ExchangeHost, headOnly: boolean) {
    this.res = res
    this.bound = bound
    this.request = request
    this.host = host
    this.headOnly = headOnly
    this.startedMs = performance.now()
    this.body = bodyBuffer(bound.maxBodyBytes)
  }

  /** `refusal`: already decided by path or method; then `admit` is not asked. `announcedBytes`: 0 when not known. */
  start(refusal: HttpAnswer | ErrorCode | null, announcedBytes: number): void {
    const refused = this.host.closing() ? 'shutting_down' : refusal
    this.refusal = typeof refused === 'string' ? this.refuse(refused) : refused
    if (this.refusal === null) this.askAdmission()
    if (this.refusal === null && announcedBytes > this.bound.maxBodyBytes) this.refusal = this.refuse('body_too_large')
    this.res.onAborted(() => this.hungUp())
    if (this.refusal !== null && announcedBytes > this.bound.maxBodyBytes + discardBytesMax) {
      this.send(this.refusal, true)
      return
    }
    this.res.onData((chunk, isLast) => this.take(chunk, isLast))
  }

  /** Called from time to time: ends what takes too long. */
  sweep(nowMs: number, limits: ExchangeLimits): void {
    if (this.phase === 'body') {
      const allowedMs = limits.bodyMsMax + this.body.received() / bytesPerMsMin
      if (nowMs - this.startedMs > allowedMs) this.send(this.refuse('body_too_slow'), true)
    } else if (this.phase === 'handling' && nowMs - this.handlingSinceMs > limits.answerMsMax) {
      this.host.failed(this, new Error(`no answer within ${limits.answerMsMax} ms`))
      this.send(this.refuse('try_again'), false)
    } else if (this.phase === 'writing') {
      const allowedMs = limits.bodyMsMax + this.answerBytes / bytesPerMsMin
      if (nowMs - this.writingSinceMs > allowedMs) this.res.close()
    }
  }

  /** Others are quicker, and there is not room for all. */
  giveWay(): void {
    if (this.phase === 'body') this.send(this.refuse('try_again'), true)
    else if (this.phase === 'writing') this.res.close()
  }

  private askAdmission(): void {
    try {
      this.admission = this.bound.admit(this.request)
      // `handle` still sees a refusal that comes later; until then the empty catch keeps it from being unhandled.
      if (this.admission instanceof Promise) this.admission.catch(() => undefined)
      else if (this.admission.outcome === 'refused') this.refusal = this.admission.answer
    } catch (error) {
      this.refusal = this.explain(error)
    }
  }

  private take(chunk: ArrayBuffer, isLast: boolean): void {
    if (this.phase !== 'body') return
    if (this.refusal !== null) this.body.drop(chunk.byteLength)
    else if (!this.body.add(chunk)) this.refusal = this.refuse('body_too_large')
    // A body that is whole is worked on at once: only those that trickle have to be counted before.
    if (!isLast) this.hold()
    if (this.ended()) return
    if (isLast) this.handle()
    else if (this.refusal !== null && this.body.received() > this.bound.maxBodyBytes + discardBytesMax) {
      this.send(this.refusal, true)
    }
  }

  private hold(): void {
    this.host.held.set(this, this.body.held(), this.bound.needsCredentials ? 'caller' : 'stranger')
  }

  /** A function, since the type of `phase` does not follow calls. */
  private ended(): boolean {
    return this.phase === 'writing' || this.phase === 'done'
  }

  private handle(): void {
    this.phase = 'handling'
    this.handlingSinceMs = performance.now()
    const answer = this.refusal ?? this.ask()
    if (!(answer instanceof Promise)) {
      this.send(answer, false)
      return
    }
    this.handlerRuns = true
    this.host.held.set(this, this.body.held(), 'never')
    answer.then(
      (late) => this.back(late),
      (error) => this.back(this.explain(error)),
    )
  }

  private ask(): HttpAnswer | Promise<HttpAnswer> {
    const { admission } = this
    try {
      return admission instanceof Promise
        ? admission.then((decided) => this.respond(decided))
        : this.respond(admission!)
    } catch (error) {
      return this.explain(error)
    }
  }

  private respond(admission: Admission): HttpAnswer | Promise<HttpAnswer> {
    if (admission.outcome === 'refused') return admission.answer
    // The caller of a slow look-up may be gone by now: its body is not acted on.
    if (this.phase === 'done') throw new ApiError('try_again')
    return this.bound.respond(this.request, admission.caller, this.body.take())
  }

  private back(answer: HttpAnswer): void {
    this.handlerRuns = false
    this.send(answer, false)
    this.settle()
  }

  private send(answer: HttpAnswer, close: boolean): void {
    if (this.phase === 'writing' || this.phase === 'done') return
    let sound = answer
    if (!isSound(answer)) {
      this.host.failed(this, new Error('the handler gave no sound answer'))
      sound = errorAnswer(new ApiError('internal'))
    }
    this.phase = 'writing'
    this.writingSinceMs = performance.now()
    this.answerBytes = sound.body.length
    this.host.answered(this, sound.status)
    const pending: Pending = { done: () => this.finish() }
    const how = {
      headOnly: this.headOnly,
      close: close || this.host.closing(),
      requestId: this.request.requestId,
    }
    writeAnswer(this.res, sound, how, pending)
    if (this.answerBytes > oneCallBytesMax && this.isWriting()) this.host.held.set(this, this.answerBytes, 'reader')
  }

  private isWriting(): boolean {
    return this.phase === 'writing'
  }

  private finish(): void {
    this.phase = 'done'
    this.settle()
  }

  private hungUp(): void {
    if (this.phase === 'done') return
    this.phase = 'done'
    this.request.abort()
    this.settle()
  }

  private settle(): void {
    if (this.phase === 'done' && !this.handlerRuns) this.host.settled(this)
  }

  private explain(error: unknown): HttpAnswer {
    if (error instanceof ApiError) return this.refuse(error)
    this.host.failed(this, error)
    return this.refuse(this.host.passes(error) ? 'try_again' : 'internal')
  }

  private refuse(error: ErrorCode | ApiError): HttpAnswer {
    const told = error instanceof ApiError ? error : new ApiError(error)
    try {
      return this.bound.refuse(told, this.request.params)
    } catch (wrong) {
      this.host.failed(this, wrong)
      return errorAnswer(told)
    }
  }
}

/** For paths and methods that no route takes. */
export const nowhere: Bound = {
  path: '(none)',
  maxBodyBytes: 0,
  needsCredentials: false,
  admit: () => ({ outcome: 'refused', answer: codeAnswer('not_found') }),
  respond: () => codeAnswer('not_found'),
  refuse: (error) => errorAnswer(error),
}
