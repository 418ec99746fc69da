/**
 * WeChat's side of the demo, as a process of its own: the API from which Paidan fetches the orders that a push names.
 *
 *   node dist/bench/demo/wechat-shop.js <epoch second of the run> <port>
 *
 * Prints one line of JSON, `{"url":…}`, when it listens; ends with its parent, or on SIGTERM.
 */
import { pathToFileURL } from 'node:url'
import { startWechatStandin } from '../standin/server.ts'
import { stageAt } from './stage.ts'

async function main(second: number, port: number): Promise<void> {
  const { network, plan, samples } = stageAt(second)
  const standin = await startWechatStandin({
    ...{ plan, port },
    shop: network.shops.find(({ channel }) => channel === 'wechat')!,
    also: new Map([[samples.wechat.orderId, samples.wechatAnswer]]),
  })
  process.stdout.write(`${JSON.stringify({ url: standin.url })}\n`)
  process.once('disconnect', () => process.exit(0))
  process.once('SIGTERM', () => process.exit(0))
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(Number(process.argv[2]), Number(process.argv[3]))
}
