/**
 * An order's history as it is kept, and as steps: what made each of its versions, and what looked at it and changed nothing. It
 * holds decisions, shipments and matches, and not when a warehouse pulled a task.
 */
import type { Loaded } from '../../../adapters/store/orders/load.ts'
import { readCommand, type TakeBack } from '../../../router/commands.ts'
import { reasonRules } from '../../../router/reasons.ts'
import type { StoredTrace } from '../../../router/source/trace.ts'
import type { Package } from '../../../router/task.ts'
import type { Hold } from '../../../router/types.ts'
import type { EventToDecide } from '../../decide/batch.ts'

/** What the traces of decisions, shipments and matches hold; which of it there is depends on the entry. */
export interface EntryTrace {
  /** The event's id; of entries without an event, what happened. */
  readonly event?: string
  readonly taken?: string
  /** Only where the order changed. */
  readonly passed?: unknown
  readonly holds?: readonly Hold[]
  readonly released?: readonly string[]
  readonly interceptRequested?: readonly string[]
  readonly interceptWithdrawn?: readonly string[]
  readonly sourcing?: readonly SourcedGroup[]
  readonly rounds?: number
  readonly tasks?: readonly string[]
  readonly taskId?: string
  readonly node?: string
  readonly packages?: readonly Package[]
  readonly voided?: readonly { readonly taskId: string; readonly packages: readonly Package[] }[]
}

/** What travels together, and where each of it was found. */
export interface SourcedGroup {
  readonly transport: string
  readonly sourcing: StoredTrace
}

/** One row of `decision`. */
export interface Entry {
  readonly version: number
  /** '0': no event led to it. */
  readonly seq: string
  /** When it was written: the entries of one decision have one instant. */
  readonly at: string
  readonly outcome: string
  readonly trace: EntryTrace
}

export interface History {
  readonly loaded: Loaded
  /** In the order of versions; of one version, of instants and events. */
  readonly entries: readonly Entry[]
  /** By number, those that are still in the inbox. */
  readonly events: ReadonlyMap<string, EventToDecide>
}

/** What stands in an order's history under one version. */
export interface Step {
  readonly version: number
  /** mended: the audit computed its state anew. */
  readonly kind: 'decided' | 'shipped' | 'voided' | 'corrected' | 'outside' | 'matched' | 'mended' | 'looked'
  readonly entries: readonly Entry[]
}

/** Each version is made by one step; looks that changed nothing come behind it. null: not so. */
export function stepsOf(entries: readonly Entry[], versions: number): readonly Step[] | null {
  const groups = new Map<string, Entry[]>()
  for (const entry of entries) {
    const key = `${entry.version} ${entry.seq === '0' ? '' : entry.at}`
    groups.set(key, [...(groups.get(key) ?? []), entry])
  }
  const steps: Step[] = []
  for (const own of groups.values()) {
    const kind = kindOf(own)
    if (kind === null) return null
    steps.push({ version: own[0]!.version, kind, entries: own })
  }
  const isLook = ({ kind }: Step) => Number(kind === 'looked')
  steps.sort((a, b) => a.version - b.version || isLook(a) - isLook(b))
  const made = steps.filter((step) => step.kind !== 'looked').map((step) => step.version)
  const isWhole = made.length === versions && made.every((version, i) => version === i + 1)
  return isWhole ? steps : null
}

function kindOf(entries: readonly Entry[]): Step['kind'] | null {
  const [{ seq, trace }] = entries as readonly [Entry]
  if (seq !== '0') return entries.some((e) => e.trace.passed !== undefined) ? 'decided' : 'looked'
  if (entries.length > 1) return null
  if (trace.event === 'ship') return 'shipped'
  if (trace.event === 'void_parcel') return 'voided'
  if (trace.event === 'correct_parcel') return 'corrected'
  if (trace.event === 'ship_outside') return 'outside'
  if (trace.event === 'audit') return 'mended'
  return trace.event === 'reconcile' ? 'matched' : null
}

export interface GivenBack {
  readonly why: TakeBack['why']
  /** Index of the last step that settles such a command. */
  readonly settledAt: number
  /** Index of the last step before it in which the task was still its owner's, as far as the traces tell. */
  readonly ownedAt: number
}

/** What warehouses said of the tasks that they gave back, by task. */
export function lastTakeBacks({ events }: History, steps: readonly Step[]): Map<string, GivenBack> {
  const last = new Map<string, GivenBack>()
  const ownedAt = new Map<string, number>()
  for (const [at, { entries }] of steps.entries()) {
    for (const { taskId, why } of takeBacksOf(entries, events)) {
      if (reasonRules[why].taskState === 'ready') continue
      last.set(taskId, { why, settledAt: at, ownedAt: ownedAt.get(taskId) ?? -1 })
    }
    for (const { trace } of entries) {
      const { interceptRequested = [], interceptWithdrawn = [], taskId, voided = [] } = trace
      for (const { taskId: owned } of voided) ownedAt.set(owned, at)
      for (const owned of [...interceptRequested, ...interceptWithdrawn]) ownedAt.set(owned, at)
      if (trace.event === 'ship' && taskId !== undefined) ownedAt.set(taskId, at)
    }
  }
  return last
}

export function takeBacksOf(entries: readonly Entry[], events: ReadonlyMap<string, EventToDecide>): TakeBack[] {
  return entries.flatMap(({ seq }) => {
    const event = events.get(seq)
    if (event === undefined || event.kind !== 'command') return []
    const command = readCommand(JSON.parse(Buffer.from(event.body).toString('utf8')))
    return command.type === 'take_back' ? [command] : []
  })
}
