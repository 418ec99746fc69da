/**
 * `npm run demo`: a day of three platforms against the running service, from webhook to closed order, told as it
 * happens. Everything goes through HTTP, as an outsider would do it; every claim it makes is checked, and the exit code
 * says whether all were kept. It may be run again and again: each run has orders and limited editions of its own.
 *
 * Settings are those of the service (.env.example): HOST, PORT, ADMIN_TOKEN, and DATA_DIR, where the embedded default
 * keeps the token that it made.
 */
import { adminTokenFile, readAdminToken } from '../workers/process/admin-token.ts'
import { type Config, ConfigError, parseConfig } from '../workers/process/config.ts'
import { demoWechatUrl } from '../workers/process/demo-network/network.ts'
import { arrivals } from './demo/arrivals.ts'
import { castOf, type Part } from './demo/cast.ts'
import { changes } from './demo/changes.ts'
import { type Client, clientOf, DemoStopped } from './demo/client.ts'
import { limitedOf, putOnSale } from './demo/limited.ts'
import { webhooksTaken } from './demo/metrics.ts'
import { type Paper, paperOf } from './demo/paper.ts'
import { allOrders, type Orders, type Play } from './demo/play.ts'
import { settling } from './demo/settling.ts'
import { type Stage, stageAt } from './demo/stage.ts'
import { readStock, rowAt } from './demo/stock-book.ts'
import { fromGenerator, relined, type StoryOrder } from './demo/story-order.ts'
import { type Summary, summary, touchedSkus } from './demo/summary.ts'
import { warehouses } from './demo/warehouses.ts'
import { startWechatShop, type WechatShop } from './demo/wechat-process.ts'

export interface DemoOptions {
  readonly url: string
  readonly adminToken: string
  /** How a shell finds the token: what is printed is to be pasted, and holds no secret. `$ADMIN_TOKEN` when absent. */
  readonly shownToken?: string
  /** Where WeChat's stand-in listens; on another free port when this one is taken. */
  readonly wechatPort: number
  readonly write: (text: string) => void
  readonly colour: boolean
}

export interface DemoOutcome extends Summary {
  readonly run: string
  readonly orders: number
  readonly webhooks: number
  readonly tracks: number
  readonly parcels: number
  readonly claims: number
  /** Claims that were not kept, as sentences. */
  readonly broken: readonly string[]
  readonly seconds: number
}

export async function main(): Promise<void> {
  try {
    const config = parseConfig(process.env)
    const outcome = await playDemo({
      url: urlOf(config),
      adminToken: tokenOf(config),
      shownToken: shownToken(config),
      wechatPort: Number(new URL(demoWechatUrl).port),
      write: (text) => process.stdout.write(text),
      colour: process.stdout.isTTY === true && !process.env.NO_COLOR,
    })
    if (outcome.broken.length > 0) process.exitCode = 1
  } catch (error) {
    if (!(error instanceof DemoStopped || error instanceof ConfigError)) throw error
    process.stderr.write(`\n✗ ${error.message}\n`)
    process.exitCode = 1
  }
}

/** A service that listens on every interface is asked on this machine's own. */
function urlOf({ host, port }: Config): string {
  const own = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${own.includes(':') ? `[${own}]` : own}:${port}`
}

function tokenOf({ adminToken, dataDir }: Config): string {
  // Without one the first question still goes out, so that a service that does not run is told first.
  // Two may be given while one is being changed.
  return adminToken?.split(',')[0] ?? readAdminToken(dataDir) ?? ''
}

export function shownToken({ adminToken, dataDir }: Pick<Config, 'adminToken' | 'dataDir'>): string {
  if (adminToken === null) return `$(cat '${adminTokenFile(dataDir).replaceAll("'", `'\\''`)}')`
  return adminToken.includes(',') ? '$(echo "$ADMIN_TOKEN" | cut -d, -f1)' : '$ADMIN_TOKEN'
}

const deadlineMs = 50_000

/** Throws DemoStopped when it cannot go on; what it promised and did not keep is in `broken`. */
export async function playDemo(options: DemoOptions): Promise<DemoOutcome> {
  const began = Date.now()
  const second = Math.floor(began / 1000)
  const paper = paperOf(options)
  const client = clientOf(options.url, options.adminToken)
  const tooLong = new DemoStopped(
    `The demo was to take seconds and was not done after ${deadlineMs / 1000}: see the log.`,
  )
  const deadline = setTimeout(() => client.giveUp(tooLong), deadlineMs)
  let wechat: WechatShop | null = null
  try {
    await ready(client, options.adminToken)
    const stage = stageAt(second)
    await isDemoNetwork(client, stage)
    wechat = await startWechatShop(second, options.wechatPort)
    await pointShopAt(client, stage, wechat.url)
    const play = await prepare(client, stage, wechat, paper)
    const takenBefore = await webhooksTaken(client)
    prologue(play)
    await arrivals(play)
    await changes(play)
    const shipped = await warehouses(play)
    const open = await settling(play, shipped)
    const { webhooks } = play.counts
    const othersCame = async () => (await webhooksTaken(client)) - takenBefore !== webhooks
    const told = await summary(play, shipped, open, othersCame)
    const outcome = {
      ...{ ...told, run: stage.run, orders: allOrders(play.orders).length, webhooks },
      ...{
        tracks: play.counts.tracks,
        parcels: shipped.parcels.length,
        claims: play.counts.claims,
        broken: play.broken,
      },
      seconds: (Date.now() - began) / 1000,
    }
    epilogue(play, outcome, options.shownToken ?? '$ADMIN_TOKEN')
    return outcome
  } finally {
    clearTimeout(deadline)
    await wechat?.stop()
    await client.close()
  }
}

async function ready(client: Client, adminToken: string): Promise<void> {
  const { status, text } = await client.get('/readyz')
  if (status !== 200)
    throw new DemoStopped(`What answers at ${client.url} is not ready: ${status} ${text.slice(0, 200)}`)
  const help = 'Set ADMIN_TOKEN to it, or DATA_DIR to the folder of that service; npm start prints both.'
  if (adminToken === '') throw new DemoStopped(`The operator’s token is not known. ${help}`)
  try {
    await client.operate('GET', '/v1/orders?limit=1')
  } catch (error) {
    if (!(error instanceof DemoStopped && error.status === 401)) throw error
    throw new DemoStopped(`${client.url} does not take this operator’s token. ${help}`)
  }
}

async function isDemoNetwork(client: Client, { network }: Stage): Promise<void> {
  const { node, sku } = network.stock[0]!
  const { apiKey } = network.nodes.find((known) => known.node === node)!
  const stocked = await rowAt(client, node, sku)
  // A key that does not fit is refused before its body is looked at.
  const { status } = await client.asNode(apiKey, `/v1/nodes/${node}/tasks/pull`, { limit: 0 })
  if (stocked !== undefined && status !== 401) return
  throw new DemoStopped(
    `${client.url} does not serve the demo network: it was started on other data, or with DEMO=off. ` +
      'Start one beside it: PORT=8081 DATA_DIR=/tmp/paidan-demo npm start, then the demo with the same two settings.',
  )
}

/** The shop's API is wherever the stand-in listens in this run. */
async function pointShopAt(client: Client, { network }: Stage, apiBaseUrl: string): Promise<void> {
  const { shop, credentials, skuMap } = network.shops.find(({ channel }) => channel === 'wechat')!
  await client.operate('PUT', `/v1/shops/wechat/${shop}`, { credentials, apiBaseUrl, skuMap })
}

async function prepare(client: Client, stage: Stage, wechat: WechatShop, paper: Paper): Promise<Play> {
  const limited = limitedOf(stage)
  await putOnSale(client, limited)
  const cast = castOf(stage)
  const parts = Object.fromEntries(
    Object.entries(cast.parts).map(([part, order]) => {
      const edition = editionOf[part as Part]
      if (edition === undefined) return [part, fromGenerator(order)]
      const [name, quantity, adcode] = edition
      return [part, fromGenerator(relined(order, limited.line(name, quantity), stage.district(adcode)))]
    }),
  ) as Record<Part, StoryOrder>
  const { wechatAnswer: _, ...samples } = stage.samples
  const orders: Orders = { parts, samples, plain: cast.plain.map(fromGenerator) }
  const before = await readStock(client, touchedSkus({ orders, stage }))
  return {
    ...{ stage, client, wechat, paper, orders, limited },
    stock: { before, posted: new Map(), writtenOff: new Map() },
    counts: { webhooks: 0, tracks: 0, claims: 0, pulled: 0, parcels: 0 },
    broken: [],
  }
}

/** Who buys a limited edition, how many, and in which district. */
const editionOf: Readonly<Partial<Record<Part, readonly ['lamp' | 'kettle' | 'hat' | 'cup', number, string]>>> = {
  overTwoNodes: ['lamp', 3, '310115'],
  rejected: ['kettle', 1, '110105'],
  backorder: ['hat', 1, '330106'],
  counted1: ['cup', 1, '510107'],
  counted2: ['cup', 1, '510107'],
  counted3: ['cup', 1, '510107'],
}

function prologue({ paper, client, stage, wechat }: Play): void {
  const { nodes, skus, shops } = stage.network
  const stores = nodes.filter((node) => node.kind === 'store').length
  paper.title(`Paidan (派单): a day of three platforms · run ${stage.run}`)
  paper.say(`service ${client.url} · WeChat’s API played by a process at ${wechat.url}`)
  paper.say(
    `${shops.length} shops of one brand, one stock (一盘货): ${skus.length} SKUs in ${nodes.length - stores} warehouses and ${stores} stores.`,
  )
}

function epilogue({ paper, orders, client }: Play, outcome: DemoOutcome, token: string): void {
  const { samples } = orders
  paper.gap()
  if (outcome.broken.length === 0) {
    paper.title(
      `All ${outcome.claims} claims kept: ${outcome.orders} orders, ${outcome.webhooks} webhooks, ${outcome.parcels} parcels, ` +
        `${outcome.tracks} tracks, in ${outcome.seconds.toFixed(1)} s.`,
    )
    paper.say('Look inside:')
    paper.command(`curl -H "Authorization: Bearer ${token}" \\`)
    paper.command(`  ${client.url}/v1/orders/tmall/${samples.tmall.shop.shop}/${samples.tmall.orderId}`)
    return
  }
  paper.title(`✗ ${outcome.broken.length} of ${outcome.claims} claims were not kept:`)
  for (const sentence of outcome.broken) paper.say(`- ${sentence}`, 2)
}
