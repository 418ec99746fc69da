/**
 * A whole service as a child process, for tests that kill it: what `npm start` runs, with its settings from the
 * environment. Ends with its parent, so that no test leaves one behind.
 */
import { main } from '../../main.ts'

process.stdin.on('end', () => process.exit(3))
process.stdin.resume()
await main()
