/**
 * The lean generator: raw sockets, requests that lie ready as bytes, answers read no further than needed. It does what
 * cannon.ts does for a fraction of the CPU, so that on a small machine the figure is the service's and not the
 * generator's; and it has an open loop, which autocannon's paced mode is not: there a slow answer delays the next request.
 * Started by fork with a job; answers `ready`; a round is answered by what was fired. Nothing is pipelined.
 */
import { pathToFileURL } from 'node:url'
import type { ClosedRound, Fired, FiredOpen, GeneratorJob, OpenRound } from './fired.ts'
import { shootClosed } from './lean-closed.ts'
import { type Lean, lean } from './lean-job.ts'
import { shootOpen } from './lean-open.ts'

export type LeanRound = ({ readonly loop: 'closed' } & ClosedRound) | ({ readonly loop: 'open' } & OpenRound)

export function shootLean(by: Lean, round: LeanRound): Promise<Fired | FiredOpen> {
  return round.loop === 'closed' ? shootClosed(by, round) : shootOpen(by, round)
}

function main(): void {
  const send = process.send?.bind(process)
  if (send === undefined) throw new Error('started by bench/load/processes.ts only')
  // A round may have minutes to go, against a service that is as gone as who started both.
  process.once('disconnect', () => process.exit(0))
  process.once('message', (job: GeneratorJob) => {
    const by = lean(job)
    // The channel keeps this process alive between rounds: its CPU time is read when all is decided.
    process.on('message', (round: LeanRound) => {
      void shootLean(by, round).then((result) => send(result))
    })
    send('ready')
  })
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main()
