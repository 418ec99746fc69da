/** Requests to the running service: every endpoint by its shape, every door with right signatures, and what is neither. */
import { signKuaidi100 } from '../../../adapters/carriers/kuaidi100.ts'
import { signJd } from '../../../adapters/channels/jd/sign.ts'
import { signTmall } from '../../../adapters/channels/tmall/sign.ts'
import { encryptWechat } from '../../../adapters/channels/wechat/crypto.ts'
import type { Endpoint } from '../../../adapters/http/route.ts'
import { contract } from '../../../adapters/http/v1/contract.ts'
import { formatForm } from '../../../adapters/shared/form.ts'
import type { ChannelName } from '../../../router/types.ts'
import type { DemoNetwork } from '../../../workers/process/demo-network/network.ts'
import { mutateBytes } from '../mutate-bytes.ts'
import { type JsonSample, jsonSample, mutateJson } from '../mutate-json.ts'
import type { Random } from '../random.ts'
import { genericSample, kuaidi100Samples, wechatPaySample } from '../targets/papers.ts'
import { jdSamples, tradeSamples } from '../targets/platforms.ts'
import { drawMessage } from '../targets/wechat.ts'
import { drawBody } from './bodies.ts'

export interface Call {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly token: string | null
  readonly body: Uint8Array | null
}

export interface Stage {
  readonly network: DemoNetwork
  readonly adminToken: string
  /** Tasks that were pulled so far, the newest last. */
  readonly tasks: readonly PulledTask[]
}

export interface PulledTask {
  readonly taskId: string
  readonly fence: number
  /** Whose it is. */
  readonly apiKey: string
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
}

const endpoints: readonly (readonly [name: string, endpoint: Endpoint])[] = Object.entries(contract)

/** Settings of the network that is used stay as they are: fuzz has a shop and a node of its own. */
const ownOnly = new Set(['putShop', 'putNode', 'putCarrierAccount', 'patchShop', 'patchNode', 'patchCarrierAccount'])

export function drawCall(random: Random, stage: Stage): Call {
  const kind = random.below(20)
  if (kind < 10) return endpointCall(random, stage)
  if (kind < 18) return webhookCall(random, stage)
  return oddCall(random, stage)
}

function endpointCall(random: Random, stage: Stage): Call {
  const [name, endpoint] = random.pick(endpoints)
  const { network, tasks } = stage
  // The first few are warehouses, where most tasks are.
  const node = random.oneIn(4) ? random.pick(network.nodes) : network.nodes[random.below(10)]!
  const task = tasks.length === 0 ? null : random.pick(tasks)
  const words = [
    ...[
      'fuzz',
      'fuzz node',
      'S1',
      '张三',
      '330106',
      'SF',
      'SF7444400031887',
      'https://example.com',
      'key-of-the-fuzz-node',
    ],
    ...[node.node, random.pick(network.skus).sku, random.pick(network.skus).sku, '4089823765510044812', '1-1'],
    ...(task === null ? [] : [task.taskId]),
  ]
  const given: Record<string, string> = {
    channel: random.pick(['tmall', 'jd', 'wechat']),
    shop: ownOnly.has(name) ? 'fuzz' : random.pick(network.shops).shop,
    orderId: random.pick(['4089823765510044812', '312345678901', '3705115058471208928', '1']),
    node: ownOnly.has(name) ? 'fuzz' : node.node,
    sku: random.oneIn(2) ? 'fuzz' : random.pick(network.skus).sku,
    taskId: task?.taskId ?? '1-1',
    carrier: 'kuaidi100',
    account: 'fuzz',
    source: random.pick(['generic', 'wechatpay']),
  }
  const path = endpoint.path.replace(/\{(\w+)\}/g, (_, key: string) =>
    encodeURIComponent(random.oneIn(12) ? random.pick(words) : (given[key] ?? 'x')),
  )
  const drawn = drawBody(random, endpoint.body, words)
  // Waiting for work is tried, but thousands of waits would be all that the run does.
  const text = random.oneIn(100)
    ? drawn
    : aboutTask(random, drawn.replace(/"waitSeconds":\d+/, '"waitSeconds":0'), task)
  const sound = endpoint.bytes === undefined ? Buffer.from(text) : Buffer.from(csv(random))
  const body = random.oneIn(3) ? mutated(random, text, sound, endpoint.bytes !== undefined) : sound
  return {
    method: endpoint.method,
    path: ownPath(name, path) + query(random, endpoint, words),
    token: tokenFor(
      random,
      endpoint,
      endpoint.path.includes('{taskId}') && task !== null ? task.apiKey : node.apiKey,
      stage.adminToken,
    ),
    body: endpoint.method === 'GET' ? null : body,
  }
}

/** Its fence and one of its SKUs, as a rule: then the call has an effect. */
function aboutTask(random: Random, text: string, task: PulledTask | null): string {
  const line = task?.lines[0]
  if (task === null || line === undefined || random.oneIn(4)) return text
  return text
    .replace(/"fence":\d+/, `"fence":${task.fence}`)
    .replace(/"sku":"[^"]*","quantity":\d+/, `"sku":${JSON.stringify(line.sku)},"quantity":${line.quantity}`)
}

/** An odd word in the path must not hit the settings in use either. */
function ownPath(name: string, path: string): string {
  return ownOnly.has(name) && !path.includes('fuzz') ? `${path.slice(0, path.lastIndexOf('/'))}/fuzz` : path
}

function csv(random: Random): string {
  return random.oneIn(2) ? genericSample : wechatPaySample
}

function mutated(random: Random, text: string, sound: Buffer, isCsv: boolean): Buffer {
  return isCsv || random.oneIn(4) ? mutateBytes(random, sound) : mutateJson(random, [jsonSample(text)])
}

const sound: Readonly<Record<string, readonly string[]>> = {
  state: ['held', 'routed', 'backordered', 'shipped'],
  limit: ['1', '10', '500'],
  cursor: ['0', '1', 'WyIwIl0', 'WyJqZCIsIjAiXQ', '999999999999999999', '9'.repeat(18)],
  kind: ['undecidable_event', 'shortage', 'event_conflict'],
}

function query(random: Random, endpoint: Endpoint, words: readonly string[]): string {
  const names = Object.keys(endpoint.query?.shape ?? {})
  if (names.length === 0) return random.oneIn(30) ? '?a=1' : ''
  const odd = [...words, '0', '501', '-1', '', 'routed']
  const value = (name: string) => random.pick(random.oneIn(6) ? odd : (sound[name] ?? words))
  const pairs = names.filter(() => random.oneIn(2)).map((name) => `${name}=${encodeURIComponent(value(name))}`)
  const text = pairs.join('&')
  return `?${random.oneIn(6) ? encodeURI(mutateBytes(random, Buffer.from(text)).toString('latin1')).replaceAll('#', '') : text}`
}

function tokenFor(random: Random, { auth }: Endpoint, apiKey: string, adminToken: string): string | null {
  if (random.oneIn(40)) return random.pick([null, adminToken, apiKey])
  return auth === 'admin' ? adminToken : auth === 'node' ? apiKey : null
}

/** An order that is new now and then, so that tasks are made. */
function fresh(random: Random, samples: readonly JsonSample[]): Buffer {
  const bytes = mutateJson(random, samples)
  if (!random.oneIn(2)) return bytes
  const digits = String(random.below(1_000_000)).padStart(6, '0')
  return Buffer.from(
    bytes.toString().replaceAll('408982376551', `408982${digits}`).replaceAll('312345678901', `312345${digits}`),
  )
}

function webhookCall(random: Random, { network }: Stage): Call {
  const timestampMs = Date.now()
  const shopOf = (channel: ChannelName) => network.shops.find((shop) => shop.channel === channel)!
  const post = (path: string, body: Uint8Array): Call => ({ method: 'POST', path, token: null, body })
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2: {
      const { shop, credentials } = shopOf('tmall')
      const { appKey = '', appSecret = '' } = credentials
      const body = fresh(random, tradeSamples)
      return post(`/webhooks/tmall/${shop}?${signTmall({ appKey, appSecret, timestampMs, body, method: 'm' })}`, body)
    }
    case 3:
    case 4: {
      const { shop, credentials } = shopOf('jd')
      const { appKey = '', appSecret = '' } = credentials
      const param = fresh(random, jdSamples).toString()
      return post(`/webhooks/jd/${shop}`, Buffer.from(signJd({ appKey, appSecret, timestampMs, method: 'm', param })))
    }
    case 5:
    case 6: {
      const { shop, credentials } = shopOf('wechat')
      const { appId = '', token = '', encodingAesKey = '' } = credentials
      const { query, body } = encryptWechat({
        ...{ appId, token, encodingAesKey, message: drawMessage(random), random: Buffer.alloc(16, 7) },
        ...{ timestamp: String(Math.floor(timestampMs / 1000)), nonce: String(random.below(1e9)), format: 'json' },
      })
      return post(`/webhooks/wechat/${shop}?${query}`, Buffer.from(body))
    }
    default: {
      const { account, salt } = network.kuaidi100
      const param = mutateJson(random, kuaidi100Samples).toString()
      const form = formatForm([...Object.entries({ param, sign: signKuaidi100(param, salt) })])
      return post(`/webhooks/carriers/kuaidi100/${account}`, Buffer.from(form))
    }
  }
}

function oddCall(random: Random, { adminToken }: Stage): Call {
  const paths = [
    '/healthz',
    '/readyz',
    '/metrics',
    '/openapi.json',
    '/',
    '//',
    '/v1',
    '/v1/orders/tmall/%00/1',
    '/webhooks/tmall/none',
  ]
  const path = random.pick(paths)
  const odd = encodeURI(mutateBytes(random, Buffer.from(path)).toString('latin1'))
    .replaceAll('#', '')
    .slice(0, 4_000)
  return {
    method: random.pick(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE']),
    path: random.oneIn(2) ? path : odd.startsWith('/') ? odd : `/${odd}`,
    token: random.oneIn(8) ? adminToken : null,
    body: random.oneIn(2) ? null : mutateBytes(random, Buffer.from('{"a":1}')),
  }
}
