/**
 * One run against one target: the stand-in of WeChat's API, a service on servers of its own (or one that runs already),
 * a generator, and the book of what was acknowledged. Each is a process of its own, so that its cost can be told apart.
 */
import type { Violation } from '../../adapters/store/audit/audit.ts'
import type { TrafficPlan } from '../traffic/plan.ts'
import { check, checkedInvariants } from './check.ts'
import type { Fired, GeneratorJob } from './fired.ts'
import { durability, type Reading, read } from './gauge.ts'
import { type Surroundings, surroundings } from './machine.ts'
import { type MemorySeen, watchMemory } from './process-memory.ts'
import { type Cannon, type LeanCannon, loadCannon, loadLean, startStandin } from './processes.ts'
import { settle } from './settle.ts'
import { networkOf, planOf, type StreamSettings } from './stream.ts'
import { ownTarget, runningTarget, type Target } from './target.ts'

export interface SessionOptions {
  readonly stream: StreamSettings
  /** Requests that are made and signed before the clock starts. */
  readonly prepared: number
  readonly connections: number
  /** null: a service of the bench's own. */
  readonly url?: string | null
  readonly profile?: string | null
  /** Settings of the bench's own service. */
  readonly environment?: Readonly<Record<string, string>>
  /** Service processes of the bench's own on one port; 1 when absent. */
  readonly processes?: number
  /** In which the bench's own service keeps its data; that of temporary files when absent. */
  readonly folder?: string
  readonly say: (text: string) => void
}

/** What a load did, between two readings. */
export interface Load<Shot extends Fired = Fired> {
  readonly before: Reading
  readonly after: Reading
  readonly fired: Shot
  readonly memory: MemorySeen
  readonly undecided: number
}

export interface Verdict {
  readonly violations: readonly Violation[]
  readonly checks: { readonly invariants: number; readonly ordersCompared: number }
  readonly seconds: number
}

export interface Session {
  readonly target: Target
  readonly plan: TrafficPlan
  readonly surroundings: Surroundings
  readonly durability: Readonly<Record<string, string>>
  /** One generator a session: each begins with the first order. */
  autocannon(): Promise<Cannon>
  lean(): Promise<LeanCannon>
  /** Fires without a clock, and waits until all is decided. */
  warmUp(fire: () => Promise<Fired>): Promise<void>
  /** Fires between two readings; the second is taken when all is decided. */
  measure<Shot extends Fired>(generator: Cannon, fire: () => Promise<Shot>): Promise<Load<Shot>>
  /** Checks everything that was acknowledged in this session. */
  verify(undecided: number): Promise<Verdict>
}

export async function withSession<Result>(
  options: SessionOptions,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const stops: (() => Promise<unknown> | unknown)[] = []
  try {
    return await work(await open(options, stops))
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

async function open(options: SessionOptions, stops: (() => Promise<unknown> | unknown)[]): Promise<Session> {
  const {
    stream,
    prepared,
    connections,
    url = null,
    profile = null,
    environment = {},
    processes = 1,
    folder,
    say,
  } = options
  say('▸ starting the stand-in of the WeChat API')
  const standin = await startStandin(stream, prepared)
  stops.push(() => standin.stop())
  say(url === null ? '▸ starting a service of its own on empty servers' : `▸ driving ${url}`)
  const target =
    url === null
      ? await ownTarget(standin.url, profile, {
          environment,
          processes,
          network: networkOf(stream, standin.url),
          ...(folder === undefined ? {} : { folder }),
        })
      : await runningTarget(url, standin.url)
  stops.push(() => target.stop())
  const acknowledged = new Set<number>()
  const plan = planOf(stream)
  const note = (fired: Fired): void => {
    for (const index of fired.acknowledged) acknowledged.add(index)
  }
  const generator = async <Made extends Cannon>(load: (job: GeneratorJob) => Promise<Made>): Promise<Made> => {
    say(`▸ making ${prepared.toLocaleString('en')} signed requests`)
    const made = await load({ url: target.url, connections, stream, prepared })
    stops.push(() => made.stop())
    await standin.prepared
    return made
  }
  return {
    target,
    plan,
    surroundings: await surroundings(target.sql, target.redisUrl),
    durability: await durability(target.sql, target.redisUrl),
    autocannon: () => generator(loadCannon),
    lean: () => generator(loadLean),
    async warmUp(fire) {
      say('▸ warming up')
      note(await fire())
      await settle(target.sql)
    },
    async measure(by, fire) {
      const processes = { generator: by.pid, 'wechat stand-in': standin.pid }
      const before = await read(target, processes)
      const memory = watchMemory(target.processes.service)
      const fired = await fire()
      note(fired)
      say(`▸ ${fired.acknowledged.length.toLocaleString('en')} acknowledged; waiting until all is decided`)
      const undecided = await settle(target.sql)
      return { before, after: await read(target, processes), fired, memory: memory.stop(), undecided }
    },
    async verify(undecided) {
      say('▸ checking the invariants')
      const started = performance.now()
      const violations = await check(target, plan, acknowledged, undecided)
      return {
        violations,
        checks: { invariants: checkedInvariants, ordersCompared: acknowledged.size },
        seconds: (performance.now() - started) / 1000,
      }
    },
  }
}
