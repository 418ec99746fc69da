/**
 * A part in a process of its own. Started by fork with a `WorkJob`; says `ready` when all is prepared and warm, runs when it
 * is told `go`, answers with the seconds that it took, and stays until it is killed: its CPU time is read after that.
 */
import { pathToFileURL } from 'node:url'
import { prepareWork, type WorkJob } from './work.ts'

export type Told = { readonly ready: true } | { readonly seconds: number } | { readonly failed: string }

async function serve(job: WorkJob, send: (told: Told) => void): Promise<void> {
  const work = await prepareWork(job)
  await work.run(0, job.warmUpOrders)
  process.on('message', () => {
    const started = performance.now()
    work.run(job.warmUpOrders, job.warmUpOrders + job.orders).then(
      () => send({ seconds: (performance.now() - started) / 1000 }),
      (error: unknown) => send({ failed: String(error) }),
    )
  })
  send({ ready: true })
}

function main(): void {
  const send = process.send?.bind(process)
  if (send === undefined) throw new Error('started by bench/parts/processes.ts only')
  process.once('message', (job: WorkJob) => {
    serve(job, send).catch((error: unknown) => send({ failed: String(error) }))
  })
  // Ends with the process that started it, however that one ends.
  process.on('disconnect', () => process.exit())
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main()
