/** What the lean generator has in hand between its rounds. */
import { type Belt, belt } from './belt.ts'
import type { GeneratorJob } from './fired.ts'
import { type LeanRequest, leanRequest } from './lean-connection.ts'

export interface Lean {
  readonly job: GeneratorJob
  readonly host: string
  readonly port: number
  readonly requests: Belt<LeanRequest>
}

/** Makes its requests. */
export function lean(job: GeneratorJob): Lean {
  const { hostname, port, host } = new URL(job.url)
  const requests = belt(job.stream, job.prepared, (request) => leanRequest(host, request))
  return { job, host: hostname, port: Number(port || 80), requests }
}
