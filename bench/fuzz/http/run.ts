/**
 * The whole service as a process of its own on servers of its own, asked by strangers, platforms, nodes and the operator.
 * It must answer, live, and leave a database in which every invariant holds.
 */
import { Pool } from 'undici'
import { StockKeeper } from '../../../workers/counters/stock-keeper.ts'
import { auditAll } from '../../../workers/operate/audit/both-stores.ts'
import { benchNetwork } from '../../load/stream.ts'
import { ownTarget, type Target as Running } from '../../load/target.ts'
import type { Failure } from '../keep.ts'
import { Random } from '../random.ts'
import type { Stretched } from '../stretch.ts'
import { Broken } from '../target.ts'
import { checkAnswer } from './answers.ts'
import { type Call, drawCall, type PulledTask, type Stage } from './calls.ts'
import { drawGarbage, throwGarbage } from './sockets.ts'
import { startWechatApi } from './wechat-api.ts'

export interface ServiceCounts {
  readonly http: number
  readonly sockets: number
}

const concurrency = 24
const adminToken = 'token-of-the-fuzzing-operator'
// The next report, and the next look whether it is time to stop.
const stretchInputs = 2_000
const settleMsMax = 60_000
const atRestMsMax = 10_000

export async function runServiceTargets(
  counts: ServiceCounts,
  seed: number,
  stopped: () => boolean,
  done: (stretched: Stretched) => void,
): Promise<void> {
  if (counts.http + counts.sockets === 0) return
  const api = await startWechatApi(seed)
  const environment = { ADMIN_TOKEN: adminToken, LOG_LEVEL: 'fatal', THREADS: '1' }
  const running = await ownTarget(api.url, null, { environment })
  const pool = new Pool(running.url, { connections: concurrency, headersTimeout: 60_000, bodyTimeout: 60_000 })
  try {
    const tasks: PulledTask[] = []
    const stage: Stage = { network: benchNetwork(api.url), adminToken, tasks }
    const ask = (input: unknown) => askOnce(pool, input as Call, tasks)
    await inStretches('http', counts.http, seed, stopped, done, (random) => drawCall(random, stage), ask)
    const port = Number(new URL(running.url).port)
    const garbage = (input: unknown) => throwGarbage(port, input as ReturnType<typeof drawGarbage>)
    await inStretches('sockets', counts.sockets, seed, stopped, done, drawGarbage, garbage)
    done(await afterwards(running, pool, seed))
  } finally {
    await pool.destroy()
    await running.stop()
    await api.close()
  }
}

async function askOnce(pool: Pool, call: Call, tasks: PulledTask[]): Promise<void> {
  const began = performance.now()
  const answer = await pool.request({
    method: call.method as 'GET',
    path: call.path,
    // A method without a body may not have one.
    body: call.method === 'GET' || call.method === 'HEAD' || call.method === 'TRACE' ? null : call.body,
    headers: {
      'content-type': 'application/json',
      ...(call.token === null ? {} : { authorization: `Bearer ${call.token}` }),
    },
  })
  const text = await answer.body.text()
  checkAnswer(call, { status: answer.statusCode, text, ms: performance.now() - began })
  if (answer.statusCode !== 200 || !call.path.includes('/tasks/pull')) return
  const pulled = JSON.parse(text) as { tasks: PulledTask[] }
  tasks.push(...pulled.tasks.map(({ taskId, fence, lines }) => ({ taskId, fence, lines, apiKey: call.token ?? '' })))
  // The newest are worth most; older ones are shipped or lapsed.
  tasks.splice(0, Math.max(0, tasks.length - 500))
}

async function inStretches(
  target: string,
  count: number,
  seed: number,
  stopped: () => boolean,
  done: (stretched: Stretched) => void,
  draw: (random: Random) => unknown,
  run: (input: unknown) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < count && !stopped(); from += stretchInputs) {
    const began = performance.now()
    const to = Math.min(count, from + stretchInputs)
    let index = from
    let slowest = { index: from, ms: 0 }
    const failures: Failure[] = []
    const work = async (): Promise<void> => {
      while (index < to && !stopped()) {
        const mine = index++
        const input = draw(new Random(seed, target, mine))
        const started = performance.now()
        await run(input).catch((error: unknown) => failures.push(failureOf(target, seed, mine, input, error)))
        const ms = performance.now() - started
        if (ms > slowest.ms) slowest = { index: mine, ms }
      }
    }
    await Promise.all(Array.from({ length: concurrency }, work))
    const stretched = { target, inputs: index - from, ms: performance.now() - began, slowest, failure: null }
    done({ ...stretched, failure: failures[0] ?? null })
    for (const failure of failures.slice(1)) done({ ...stretched, inputs: 0, ms: 0, failure })
  }
}

function failureOf(target: string, seed: number, index: number, input: unknown, error: unknown): Failure {
  const { name, message } = error as Error
  return { target, seed, index, input, sign: `${name} ${message.replace(/\d+/g, '#').slice(0, 120)}`, message }
}

/**
 * The service goes on: its sweep may decide again, and a commit is confirmed to Redis a moment later. What is broken for
 * longer is broken. It is shorter than the time after which the sweep ends a reservation that was left over.
 */
async function atRest<Found>(look: () => Promise<readonly Found[]>): Promise<readonly Found[]> {
  const deadline = Date.now() + atRestMsMax
  for (;;) {
    const found = await look()
    if (found.length === 0 || Date.now() > deadline) return found
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

/** Nothing undecidable, and every invariant, when all is decided. */
async function afterwards({ url, sql, redisUrl }: Running, pool: Pool, seed: number): Promise<Stretched> {
  const began = performance.now()
  let failure: Failure | null = null
  try {
    const health = await pool.request({ method: 'GET', path: '/healthz' })
    await health.body.dump()
    if (health.statusCode !== 200) throw new Broken(`${url} is up: ${health.statusCode}`)
    const deadline = Date.now() + settleMsMax
    const pending = () => sql`select kind, last_error from pending where kind <> 'notification' limit 5`
    while ((await pending()).length > 0) {
      if (Date.now() > deadline) throw new Broken(`all is decided; left: ${JSON.stringify(await pending())}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const bugs = await sql`select kind, ref, detail from exception where kind = 'undecidable_event' limit 5`
    if (bugs.length > 0) throw new Broken(`nothing is undecidable: ${JSON.stringify(bugs)}`)
    const keeper = new StockKeeper(sql, { redis: redisUrl })
    await keeper.open()
    const violations = await atRest(() => auditAll(sql, keeper)).finally(() => keeper.close())
    if (violations.length > 0) throw new Broken(`every invariant holds: ${JSON.stringify(violations)}`)
  } catch (error) {
    failure = failureOf('audit afterwards', seed, 0, null, error)
  }
  const ms = performance.now() - began
  return { target: 'audit afterwards', inputs: 1, ms, slowest: { index: 0, ms: 0 }, failure }
}
