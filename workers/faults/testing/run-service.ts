/**
 * A whole service as a child process, for tests that kill it: what `npm start` runs, with its settings from the
 * environment. Ends with its parent, so that no test leaves one behind. Told to over its input, one of its threads dies:
 * from outside nobody can end a thread, so somebody in the process has to.
 */
import type { Worker } from 'node:worker_threads'
import { main } from '../../main.ts'
import { threadDies } from './process.ts'

const threads = new Set<Worker>()
process.on('worker', (thread) => {
  threads.add(thread)
  thread.once('exit', () => threads.delete(thread))
})
process.stdin.on('data', (told: Buffer) => {
  const oldest = [...threads][0]
  if (told.toString().includes(threadDies)) void oldest?.terminate()
})
process.stdin.on('end', () => process.exit(3))
await main()
