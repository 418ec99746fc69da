/** The lean WeChat stand-in as a process of its own. Started by fork with a `StandinJob`; tells its URL, then `prepared`. */
import { pathToFileURL } from 'node:url'
import { startLeanStandin } from '../standin/lean-server.ts'
import { networkOf, planOf, type StreamSettings } from './stream.ts'

export interface StandinJob {
  readonly stream: StreamSettings
  /** Orders whose answers are made before the first fetch. */
  readonly prepared: number
}

function main(): void {
  const send = process.send?.bind(process)
  if (send === undefined) throw new Error('started by bench/load/processes.ts only')
  process.once('message', ({ stream, prepared }: StandinJob) => {
    const network = networkOf(stream)
    const shop = network.shops.find(({ channel }) => channel === 'wechat')!
    void startLeanStandin({ plan: planOf(stream, network), shop }).then(({ url, prepare }) => {
      send(url)
      prepare(prepared)
      send('prepared')
    })
  })
  // Keeps the channel, and with it the process, until it is told to stop.
  process.on('disconnect', () => process.exit(0))
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main()
