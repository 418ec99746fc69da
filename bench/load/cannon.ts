/**
 * The generator: autocannon in a process of its own, so that its CPU is not the service's. Started by fork with a
 * `CannonJob`; answers `ready` when the first requests are made; each `CannonRound` that it is told is answered by a
 * `CannonResult`. The stream goes on from round to round.
 *
 * Requests are made and signed before the clock starts, as many as the run is likely to need: making one costs as much
 * as sending it. Platforms allow a signature to be minutes old. What goes beyond is made while the load runs, and counted.
 */
import { pathToFileURL } from 'node:url'
import autocannon from 'autocannon'
import { channels } from '../../adapters/channels/channels.ts'
import type { ChannelName } from '../../router/types.ts'
import { planOf, type StreamedRequest, type StreamSettings, stream } from './stream.ts'

export interface CannonJob {
  readonly url: string
  readonly connections: number
  readonly stream: StreamSettings
  /** Made before the clock starts. */
  readonly prepared: number
}

export interface CannonRound {
  readonly seconds: number
  /** Ends after so many instead; at least one a connection. */
  readonly requests: number | null
}

export interface CannonResult {
  readonly startedAtMs: number
  /** When the last answer came. */
  readonly endedAtMs: number
  readonly sent: number
  readonly madeUnderLoad: number
  /** The order of every acknowledged request, in the order of the acknowledgements. */
  readonly acknowledged: Uint32Array
  /** Milliseconds from the request's first byte to its acknowledgement. */
  readonly ackMs: Float64Array
  /** Answers that were no acknowledgement, by status and the beginning of their body. */
  readonly refused: Readonly<Record<string, number>>
  /** Connections broken, answers that never came. */
  readonly errors: number
}

interface Belt {
  /** Requests taken off it so far. */
  taken(): number
  next(): StreamedRequest
}

function belt(job: CannonJob): Belt {
  const endless = stream(planOf(job.stream))
  const made: StreamedRequest[] = []
  for (let i = 0; i < job.prepared; i++) made.push(endless.next().value)
  let taken = 0
  return { taken: () => taken, next: () => made[taken++] ?? endless.next().value }
}

async function shoot(job: CannonJob, round: CannonRound, requests: Belt): Promise<CannonResult> {
  const acknowledged: number[] = []
  const ackMs: number[] = []
  const refused: Record<string, number> = {}
  let justAcknowledged = false
  const before = requests.taken()
  const startedAtMs = Date.now()
  let endedAtMs = startedAtMs
  const run = autocannon({
    url: job.url,
    connections: Math.min(job.connections, round.requests ?? job.connections),
    ...(round.requests === null ? { duration: round.seconds } : { amount: round.requests }),
    timeout: timeoutSeconds,
    requests: [
      {
        setupRequest: (request, context) => {
          const { index, method, path, query, headers, body } = requests.next()
          context.index = index
          context.channel = path.split('/')[2]
          return { ...request, method, path: query === '' ? path : `${path}?${query}`, headers: { ...headers }, body }
        },
        onResponse: (status, body, context) => {
          const wanted = channels[context.channel as ChannelName].acknowledgement
          justAcknowledged = status === wanted.status && body === wanted.body
          if (justAcknowledged) acknowledged.push(context.index as number)
          else count(refused, `${status} ${body.slice(0, 80)}`)
        },
      },
    ],
  })
  // Comes right after onResponse of the same answer.
  run.on('response', (_client, _status, _bytes, ms) => {
    endedAtMs = Date.now()
    if (justAcknowledged) ackMs.push(ms)
  })
  const { errors } = await run
  return {
    startedAtMs,
    endedAtMs,
    sent: requests.taken() - before,
    madeUnderLoad: Math.max(0, requests.taken() - Math.max(before, job.prepared)),
    acknowledged: Uint32Array.from(acknowledged),
    ackMs: Float64Array.from(ackMs),
    refused,
    errors,
  }
}

// An answer that takes longer is counted as an error: the platforms wait for five seconds.
const timeoutSeconds = 30

function count(into: Record<string, number>, what: string): void {
  into[what] = (into[what] ?? 0) + 1
}

function main(): void {
  const send = process.send?.bind(process)
  if (send === undefined) throw new Error('started by bench/load/processes.ts only')
  process.once('message', (job: CannonJob) => {
    const requests = belt(job)
    // The channel keeps this process alive between rounds: its CPU time is read when all is decided.
    process.on('message', (round: CannonRound) => {
      void shoot(job, round, requests).then((result) => send(result))
    })
    send('ready')
  })
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main()
