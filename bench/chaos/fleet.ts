/**
 * The service under test: one process, or two on one port; a process that dies is started again, over the same servers.
 */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { type ServiceProcess, spawnService } from '../../workers/faults/testing/process.ts'

export type Environment = Readonly<Record<string, string>>

export class Fleet {
  readonly #environment: Environment
  readonly #members: (ServiceProcess | null)[]
  readonly #starting = new Map<number, Promise<void>>()
  /** Those that we end ourselves. */
  readonly #condemned = new WeakSet<ServiceProcess>()
  /** What processes said that ended by themselves: none is ever expected to. */
  readonly endedAlone: string[] = []

  private constructor(size: number, environment: Environment) {
    this.#environment = environment
    this.#members = Array.from({ length: size }, () => null)
  }

  /** All starts on one port, whatever dies: no other world's service may answer there in between. */
  static async start(size: 1 | 2, environment: Environment): Promise<Fleet> {
    const share = size === 1 ? 'off' : 'on'
    const fleet = new Fleet(size, { ...environment, SHARE_PORT: share, PORT: String(await ownPort()) })
    await fleet.startAll()
    return fleet
  }

  get size(): number {
    return this.#members.length
  }

  /** The port that a process of the fleet listens on; null while none runs. */
  get port(): number | null {
    const member = this.#members.find((m) => m !== null)
    return member === undefined ? null : Number(new URL(member!.url).port)
  }

  /** One that runs; null when it does not. */
  member(index: number): ServiceProcess | null {
    return this.#members[index] ?? null
  }

  async startAll(): Promise<void> {
    await Promise.all(this.#members.map((_, index) => this.start(index)))
  }

  /** Does nothing where one runs; a second call while it starts waits for that start. */
  async start(index: number): Promise<void> {
    if (this.#members[index] !== null) return
    const starting = this.#starting.get(index) ?? this.#spawn(index).finally(() => this.#starting.delete(index))
    this.#starting.set(index, starting)
    await starting
  }

  async #spawn(index: number): Promise<void> {
    const member = await spawnService(this.#environment)
    this.#members[index] = member
    void member.exited.then(({ code, signal }) => {
      if (this.#members[index] === member) this.#members[index] = null
      if (!this.#condemned.has(member)) this.endedAlone.push(`${code ?? signal}: ${member.said().slice(-2_000)}`)
    })
  }

  /** kill -9. */
  async kill(index: number): Promise<void> {
    const member = this.#take(index)
    await member?.kill()
  }

  /** As Ctrl-C does it; gives whatever did not end with exit code 0. */
  async stop(): Promise<string[]> {
    const wrong: string[] = []
    for (let index = 0; index < this.size; index++) {
      await this.#starting.get(index)
      const member = this.#take(index)
      const exit = await member?.signal()
      if (exit !== undefined && exit.code !== 0)
        wrong.push(`${exit.code ?? exit.signal}: ${member!.said().slice(-2_000)}`)
    }
    return wrong
  }

  /** Told to stop as by Ctrl-C; killed when `meanwhile` is over, wherever it is by then. */
  async stopThenKill(index: number, meanwhile: () => Promise<unknown>): Promise<void> {
    const member = this.#take(index)
    if (member === null) return
    const ending = member.signal()
    await Promise.race([ending, meanwhile()])
    await member.kill()
  }

  /** Killed in the middle of its start; the next one is not hurt by what it left. */
  async startThenKill(index: number, meanwhile: () => Promise<unknown>): Promise<void> {
    const dying = spawnService(this.#environment).then(
      (member) => {
        this.#condemned.add(member)
        return member
      },
      () => null,
    )
    await Promise.race([dying, meanwhile()])
    const member = await dying
    await member?.kill()
    await this.start(index)
  }

  #take(index: number): ServiceProcess | null {
    const member = this.#members[index] ?? null
    this.#members[index] = null
    if (member !== null) this.#condemned.add(member)
    return member
  }
}

// Below the ports that the system gives to connections and to listeners on any port: it gives none of these by chance.
const portMin = 12_000
const portMax = 30_000
const taken = new Set<number>()

/** A port that no other world of this process ever gets, and that no process on this machine listens on now. */
async function ownPort(): Promise<number> {
  for (;;) {
    const port = randomInt(portMin, portMax)
    if (taken.has(port) || !(await isFree(port))) continue
    taken.add(port)
    return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return await new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
