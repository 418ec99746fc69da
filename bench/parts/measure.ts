/**
 * The parts of an order's way, each alone: fresh processes, as fast as it goes, CPU time of every process that took part
 * read from outside before and after. One Postgres and one Redis serve all parts; each has orders of a seed of its own.
 */
import { availableParallelism } from 'node:os'
import { cpuSeconds } from '../load/cpu.ts'
import { loadLean } from '../load/processes.ts'
import { networkOf, type StreamSettings } from '../load/stream.ts'
import { type OwnServers, ownServers } from '../load/target.ts'
import type { Part, PartsResult, Size } from '../measured/scenario.ts'
import { ceilingOf } from './ceiling.ts'
import { startHttpServer, startPart } from './processes.ts'
import type { WorkJob } from './work.ts'

export interface PartsOptions {
  readonly size: Size
  readonly seed: number
  /** Of the generator in the `http` part, and orders in a batch of the others: what these connections bring at once. */
  readonly connections: number
  readonly mix?: StreamSettings['mix']
  /** All when absent. */
  readonly only?: readonly Part['name'][]
  readonly say?: (text: string) => void
}

const sizes: Readonly<Record<Size, { readonly orders: number; readonly warmUpOrders: number }>> = {
  smallest: { orders: 300, warmUpOrders: 100 },
  // Some seconds each: a hundredth of a second, in which the kernel counts CPU time, is nothing then. What comes before is as
  // much as the whole has to warm up.
  standard: { orders: 20_000, warmUpOrders: 20_000 },
  full: { orders: 60_000, warmUpOrders: 20_000 },
}

export const partNames: readonly Part['name'][] = ['http', 'intake', 'decode', 'reserve', 'commit']

const workloads: Required<PartsResult>['workloads'] = {
  http: 'signed webhooks sent by the generator, verified over the raw bytes and named, acknowledged without being stored',
  intake:
    'sha256 of every body, group commits of the inbox into Postgres, one at a time; a pulled order answers its push',
  decode: 'batches unpacked as in a thread, normalised, checked, split, sourced on stock in memory; rows to write made',
  reserve: 'all parcels of a batch reserved in Redis, then confirmed; two batches at once',
  commit: 'orders looked up (none is known yet), one transaction a batch of real decisions into Postgres; two at once',
}

// What the platform's clock says of the first order: its story of some seconds lies in the past.
const streamAgeMs = 120_000

export async function measureParts(options: PartsOptions): Promise<PartsResult> {
  const { say = () => undefined, only = partNames } = options
  const servers = await ownServers(nobodyUrl, networkOf(streamOf(options, 'intake'), nobodyUrl))
  try {
    const parts: Part[] = []
    for (const name of partNames.filter((part) => only.includes(part))) {
      say(`▸ the part ${name} alone`)
      const part = name === 'http' ? await measureHttp(options) : await measureWork(name, options, servers)
      say(
        `  ${Math.round(part.ordersPerSecond).toLocaleString('en')} orders/s, ${Math.round(part.cpuMicrosAnOrder)} µs an order`,
      )
      parts.push(part)
    }
    return { parts, workloads, ...ceilingOf(parts, availableParallelism()) }
  } finally {
    await servers.stop()
  }
}

// No part pulls an order.
const nobodyUrl = 'http://127.0.0.1:9'

/** Orders that no other part has: what one stored is no duplicate to the next. */
function streamOf({ size, seed, mix }: PartsOptions, name: Part['name']): StreamSettings {
  const startMs = Math.floor(Date.now() / 1000) * 1000 - streamAgeMs
  const small = size === 'smallest' ? { network: { small: true } } : {}
  return { seed: seed + partNames.indexOf(name), startMs, mix: mix ?? { tmall: 50, jd: 25, wechat: 25 }, ...small }
}

async function measureHttp(options: PartsOptions): Promise<Part> {
  const { orders, warmUpOrders } = sizes[options.size]
  const stream = streamOf(options, 'http')
  const server = await startHttpServer(stream)
  try {
    const cannon = await loadLean({
      url: server.url,
      connections: options.connections,
      stream,
      // An order is a little more than one request.
      prepared: Math.ceil((orders + warmUpOrders) * 1.1),
    })
    try {
      await cannon.fire({ seconds: 1, requests: warmUpOrders })
      const roots = { server: server.pid, generator: cannon.pid }
      const before = cpuSeconds(roots)
      const fired = await cannon.fire({ seconds: 1, requests: orders })
      const after = cpuSeconds(roots)
      const refused = Object.keys(fired.refused)
      if (refused.length > 0 || fired.errors > 0) throw new Error(`the http part refused: ${refused.join('; ')}`)
      const seconds = (fired.endedAtMs - fired.startedAtMs) / 1000
      return partOf('http', new Set(fired.acknowledged).size, seconds, before, after)
    } finally {
      await cannon.stop()
    }
  } finally {
    await server.stop()
  }
}

async function measureWork(name: WorkJob['part'], options: PartsOptions, servers: OwnServers): Promise<Part> {
  const { databaseUrl, redisUrl, processes } = servers
  const { orders, warmUpOrders } = sizes[options.size]
  const ordersABatch = options.connections
  const stream = streamOf(options, name)
  const part = await startPart({ part: name, stream, orders, warmUpOrders, ordersABatch, databaseUrl, redisUrl })
  try {
    const roots = { part: part.pid, ...processes }
    const before = cpuSeconds(roots)
    const seconds = await part.go()
    return partOf(name, orders, seconds, before, cpuSeconds(roots))
  } finally {
    await part.stop()
  }
}

type Cpu = Readonly<Record<string, number>>

function partOf(name: Part['name'], orders: number, seconds: number, before: Cpu, after: Cpu): Part {
  const used = Object.keys(after).reduce((sum, process) => sum + after[process]! - before[process]!, 0)
  return { name, ordersPerSecond: orders / seconds, cpuMicrosAnOrder: (used / orders) * 1e6 }
}
