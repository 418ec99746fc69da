/**
 * The well-known generator: autocannon in a process of its own, so that its CPU is not the service's. Started
 * by fork with a job; answers `ready` when the first requests are made (belt.ts); each round that it is told is answered
 * by what was fired. The stream goes on from round to round. lean.ts does the same for less.
 */
import { pathToFileURL } from 'node:url'
import autocannon from 'autocannon'
import { channels } from '../../adapters/channels/channels.ts'
import type { ChannelName } from '../../router/types.ts'
import { type Belt, belt } from './belt.ts'
import { type ClosedRound, type Fired, type GeneratorJob, tally } from './fired.ts'
import type { StreamedRequest } from './stream.ts'

async function shoot(job: GeneratorJob, round: ClosedRound, requests: Belt<StreamedRequest>): Promise<Fired> {
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
          else tally(refused, `${status} ${body.slice(0, 80)}`)
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
    madeUnderLoad: requests.madeUnderLoad(before),
    acknowledged: Uint32Array.from(acknowledged),
    ackMs: Float64Array.from(ackMs),
    refused,
    errors,
  }
}

// An answer that takes longer is counted as an error: the platforms wait for five seconds.
const timeoutSeconds = 30

function main(): void {
  const send = process.send?.bind(process)
  if (send === undefined) throw new Error('started by bench/load/processes.ts only')
  // A round may have minutes to go, against a service that is as gone as who started both.
  process.once('disconnect', () => process.exit(0))
  process.once('message', (job: GeneratorJob) => {
    const requests = belt(job.stream, job.prepared, (request) => request)
    // The channel keeps this process alive between rounds: its CPU time is read when all is decided.
    process.on('message', (round: ClosedRound) => {
      void shoot(job, round, requests).then((result) => send(result))
    })
    send('ready')
  })
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main()
