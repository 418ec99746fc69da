/** One connection of the lean generator: one request under way, its answer read with as little work as possible. */
import { connect, type Socket } from 'node:net'
import { channels } from '../../adapters/channels/channels.ts'
import type { ChannelName } from '../../router/types.ts'
import type { StreamedRequest } from './stream.ts'
import { parseAnswer, requestBytes, type WireAnswer } from './wire.ts'

export interface LeanRequest {
  /** Of the order. */
  readonly index: number
  readonly channel: ChannelName
  readonly bytes: Buffer
}

export function leanRequest(host: string, request: StreamedRequest): LeanRequest {
  const { index, path } = request
  return { index, channel: path.split('/')[2] as ChannelName, bytes: requestBytes(host, request) }
}

export type LeanAnswer = 'acknowledged' | WireAnswer

export interface LeanEvents {
  answered(connection: LeanConnection, request: LeanRequest, answer: LeanAnswer): void
  /** It broke before the answer was whole. A connection that breaks idle is gone without a word. */
  broken(connection: LeanConnection, request: LeanRequest): void
}

// The very bytes of the last acknowledgement, by channel: nearly all answers are the same, and a comparison is cheaper
// than reading them.
const lastGood = new Map<ChannelName, Buffer>()

export class LeanConnection {
  readonly #events: LeanEvents
  readonly #socket: Socket
  #rest: Buffer | null = null
  #open = true
  #request: LeanRequest | null = null
  /** By performance.now(): when its last request left. */
  sentAtMs = 0

  constructor(host: string, port: number, events: LeanEvents) {
    this.#events = events
    this.#socket = connect({ host, port, noDelay: true })
    this.#socket.on('data', (bytes) => this.#read(bytes))
    // Told by `close`, which always follows.
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => this.#closed())
  }

  /** false: it can take no request any more. */
  get open(): boolean {
    return this.#open
  }

  /** A request is under way. */
  get busy(): boolean {
    return this.#request !== null
  }

  send(request: LeanRequest): void {
    this.#request = request
    this.sentAtMs = performance.now()
    this.#socket.write(request.bytes)
  }

  /** Its request, if any, is told as broken. */
  end(): void {
    this.#socket.destroy()
    this.#closed()
  }

  #read(bytes: Buffer): void {
    const request = this.#request
    // Bytes that no request asked for.
    if (request === null) this.end()
    else if (this.#rest === null && lastGood.get(request.channel)?.equals(bytes) === true)
      this.#give(request, 'acknowledged')
    else this.#readSlowly(request, this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes]))
  }

  #readSlowly(request: LeanRequest, whole: Buffer): void {
    const answer = answerIn(whole)
    if (answer === 'more to come') {
      this.#rest = whole
      return
    }
    if (answer === 'no answer') {
      this.end()
      return
    }
    this.#rest = null
    if (answer.closes) this.#open = false
    const wanted = channels[request.channel].acknowledgement
    const acknowledged = answer.status === wanted.status && answer.body === wanted.body
    if (acknowledged && !answer.closes) lastGood.set(request.channel, Buffer.from(whole))
    this.#give(request, acknowledged ? 'acknowledged' : answer)
  }

  #give(request: LeanRequest, answer: LeanAnswer): void {
    this.#request = null
    if (!this.#open) this.#socket.destroy()
    this.#events.answered(this, request, answer)
  }

  #closed(): void {
    this.#open = false
    const request = this.#request
    this.#request = null
    if (request !== null) this.#events.broken(this, request)
  }
}

function answerIn(whole: Buffer): WireAnswer | 'more to come' | 'no answer' {
  try {
    return parseAnswer(whole) ?? 'more to come'
  } catch {
    return 'no answer'
  }
}
