/** `npm start` without its set-up, which the bench did already: the process that is measured. Ends with its parent. */
import { pathToFileURL } from 'node:url'
import { main } from '../../workers/main.ts'

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdin.resume().on('end', () => process.exit(3))
  await main()
}
