/**
 * The WeChat stand-in as a process of its own:
 *
 *   node dist/bench/standin/wechat.js --port 8090 --seed 1 --start 1794326400000 [--network-seed 1] [--rate 2000]
 *        [--mix tmall=50,jd=25,wechat=25] [--untouched first|last] [--misbehave '{"latencyMs":20,"busy":10}']
 *
 * It answers for the orders of the plan with this seed, start, rate and mix, in a network with this seed: the sender has
 * to be told the same. Prints one line of JSON, `{"url":…}`, when it listens; stops on SIGTERM or SIGINT.
 */
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { loadDivisions } from '../../adapters/divisions/load.ts'
import { demoNetwork } from '../../workers/process/demo-network/network.ts'
import { parseMix, trafficPlan } from '../traffic/plan.ts'
import { changed, wellBehaved } from './misbehaviour.ts'
import { startWechatStandin } from './server.ts'

export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      port: { type: 'string', default: '8090' },
      host: { type: 'string', default: '127.0.0.1' },
      seed: { type: 'string', default: '1' },
      'network-seed': { type: 'string', default: '1' },
      start: { type: 'string' },
      rate: { type: 'string', default: '2000' },
      mix: { type: 'string', default: 'tmall=50,jd=25,wechat=25' },
      untouched: { type: 'string', default: 'first' },
      misbehave: { type: 'string', default: '{}' },
    },
  })
  if (values.start === undefined) throw new TypeError('--start is missing: the epoch milliseconds of order 0')
  if (values.untouched !== 'first' && values.untouched !== 'last') throw new TypeError('--untouched is first or last')
  const divisions = loadDivisions()
  const network = demoNetwork(divisions, whole(values['network-seed'], '--network-seed'))
  const plan = trafficPlan({
    network,
    divisions,
    seed: whole(values.seed, '--seed'),
    startMs: whole(values.start, '--start'),
    ordersPerSecond: whole(values.rate, '--rate'),
    mix: parseMix(values.mix),
  })
  const standin = await startWechatStandin({
    plan,
    shop: network.shops.find(({ channel }) => channel === 'wechat')!,
    host: values.host,
    port: whole(values.port, '--port'),
    untouched: values.untouched,
    misbehaviour: changed(wellBehaved, JSON.parse(values.misbehave)),
  })
  process.stdout.write(`${JSON.stringify({ url: standin.url })}\n`)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void standin.close())
}

function whole(text: string, what: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new TypeError(`${what} has to be a whole number`)
  return Number(text)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(process.argv.slice(2))
}
