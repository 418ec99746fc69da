/**
 * The `http` part's server: the product's sockets and the product's channels, and nothing behind them. A webhook is verified
 * over its raw bytes and named; then it is acknowledged as if it were stored. Started by fork with the stream; answers with its URL.
 */
import { pathToFileURL } from 'node:url'
import { channels } from '../../adapters/channels/channels.ts'
import { codeAnswer } from '../../adapters/http/answer.ts'
import type { RawRoute } from '../../adapters/http/route.ts'
import { serve } from '../../adapters/http/server.ts'
import { isChannelName } from '../../router/types.ts'
import { networkOf, type StreamSettings } from '../load/stream.ts'

function webhooks(stream: StreamSettings): RawRoute {
  const shops = new Map(networkOf(stream).shops.map((shop) => [`${shop.channel}/${shop.shop}`, shop]))
  return {
    raw: true,
    method: 'POST',
    path: '/webhooks/{channel}/{shop}',
    auth: 'webhook',
    summary: 'A webhook, verified and not kept.',
    tag: 'webhooks',
    handle: ({ params, query, contentType, body }) => {
      const name = params.channel ?? ''
      const shop = shops.get(`${name}/${params.shop ?? ''}`)
      if (!isChannelName(name) || shop === undefined) return codeAnswer('not_found')
      const channel = channels[name]
      const received = channel.receive({ method: 'POST', query, contentType, body }, shop.credentials, Date.now())
      return received.outcome === 'event' ? channel.acknowledgement : channel.refusal('malformed')
    },
  }
}

function main(): void {
  const send = process.send?.bind(process)
  if (send === undefined) throw new Error('started by bench/parts/processes.ts only')
  process.once('message', (stream: StreamSettings) => {
    void serve({ host: '127.0.0.1', port: 0, routes: [webhooks(stream)] }).then(({ port }) =>
      send({ url: `http://127.0.0.1:${port}` }),
    )
  })
  process.on('disconnect', () => process.exit())
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main()
