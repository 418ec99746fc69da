/**
 * One private connection to Redis, and how scripts are called on it.
 *
 * A call fails fast: nothing is queued while Redis is away, nothing is sent twice by itself, and a time-out is told as
 * `redis_unavailable`, which means "unknown".
 *
 * Scripts are called by their hash only, and NOSCRIPT is not answered by sending the text: a process that does not know
 * our scripts is not the one that we loaded the counters into, so whatever it holds is doubted. (Scripts live in the
 * memory of one process: since Redis 7 they are neither saved nor replicated.)
 */
import { type ChainableCommander, Redis } from 'ioredis'
import { StockError, toStockError, worstOf } from './errors.ts'
import { assertPrefix } from './keys.ts'
import { type MarkedVerb, markedVerbs, readScripts, type Scripts } from './scripts.ts'

export interface StockOptions {
  /** A redis:// or rediss:// URL, or the path of a unix socket. */
  readonly redis: string
  readonly keyPrefix?: string
  /** How long an answer may take before it counts as unknown. */
  readonly commandTimeoutMs?: number
  /** Told of every connection error; the connection goes on trying by itself. */
  readonly onError?: (error: Error) => void
}

export interface Call {
  readonly verb: MarkedVerb
  readonly keys: readonly string[]
  readonly argv: readonly (string | number)[]
}

/** A script's answer: an array whose first element is its status. */
export type Reply = readonly unknown[]

export interface Client {
  readonly keyPrefix: string
  readonly scripts: Scripts
  readonly redis: Redis
}

const commandTimeoutMsDefault = 2_000
const reconnectMsMax = 1_000
/** A connection that is silent for this many time-outs is given up: its other end may be gone without a word. */
const socketTimeouts = 5

export function openClient(options: StockOptions, reconnect: boolean): Client {
  const keyPrefix = options.keyPrefix ?? 'pd:'
  assertPrefix(keyPrefix)
  const commandTimeout = options.commandTimeoutMs ?? commandTimeoutMsDefault
  const redis = new Redis(options.redis, {
    lazyConnect: true,
    connectTimeout: commandTimeout,
    commandTimeout,
    socketTimeout: commandTimeout * socketTimeouts,
    enableOfflineQueue: false,
    // Zero: what is in flight when the connection breaks is failed at once instead of sent again.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times) => (reconnect ? Math.min(20 * 2 ** Math.min(times, 10), reconnectMsMax) : null),
    // A master that became a replica keeps its connections open.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  })
  // Without a listener ioredis prints to the console.
  redis.on('error', options.onError ?? (() => {}))
  return { keyPrefix, scripts: readScripts(keyPrefix), redis }
}

/** Waits for the first connection. When it fails, the client goes on trying in the background. */
export async function connect({ redis }: Client): Promise<void> {
  // What Redis answered to the greeting (a wrong password) is told as an event only; connect() just says "closed".
  let told: Error | undefined
  const listen = (error: Error) => {
    told = error
  }
  redis.on('error', listen)
  try {
    await redis.connect()
  } catch (error) {
    throw toStockError(told ?? error)
  } finally {
    redis.off('error', listen)
  }
}

/** Sends all calls at once and waits for every answer; throws the failure that asks most of the caller. */
export async function callScripts(client: Client, calls: readonly Call[]): Promise<Reply[]> {
  if (calls.length === 0) return []
  const pipeline: ChainableCommander = client.redis.pipeline()
  for (const { verb, keys, argv } of calls) {
    pipeline.evalsha(client.scripts[verb].sha, keys.length, ...keys, ...argv)
  }
  const answers = (await pipeline.exec().catch((error: unknown) => {
    throw toStockError(error)
  })) as [Error | null, Reply][]
  const failed = worstOf(answers.flatMap(([error]) => (error === null ? [] : [toStockError(error)])))
  if (failed !== undefined) throw failed
  return answers.map(([, reply]) => reply)
}

/** Makes this Redis process one that we trust. Only right after every node was reloaded on this same connection. */
export async function loadScripts({ redis, scripts }: Client): Promise<void> {
  try {
    const version = Number(/redis_version:(\d+)/.exec(await redis.info('server'))?.[1])
    // Before 7 scripts were replicated and saved, so that knowing them proved nothing.
    if (!(version >= 7)) throw new StockError('redis_refused', `Redis 7 or newer is needed, this is ${version}`)
    await Promise.all(markedVerbs.map((verb) => redis.script('LOAD', scripts[verb].text)))
  } catch (error) {
    throw toStockError(error)
  }
}

export async function scriptsLoaded({ redis, scripts }: Client): Promise<boolean> {
  try {
    const known = (await redis.script('EXISTS', ...markedVerbs.map((verb) => scripts[verb].sha))) as number[]
    return known.every((one) => one === 1)
  } catch (error) {
    throw toStockError(error)
  }
}

/** What Redis does when its memory is full; null: it does not say. */
export async function evictionPolicy({ redis }: Client): Promise<string | null> {
  try {
    return /^maxmemory_policy:([\w-]+)/m.exec(await redis.info('memory'))?.[1] ?? null
  } catch (error) {
    const told = toStockError(error)
    // A user that may not ask is no reason not to start.
    if (told.code === 'redis_refused') return null
    throw told
  }
}
