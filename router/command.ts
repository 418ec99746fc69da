/** Commands as they lie in the inbox: who gave them, why, and what they ask. */
import type { Actor, Command } from './types.ts'

/** A stage of the service itself that asks something of an order. */
export function stage(name: string): Actor {
  return { kind: 'stage', name }
}

/** A warehouse or a store that says something about a task. */
export function nodeActor(node: string): Actor {
  return { kind: 'node', name: node }
}

/** Up to version 0.1.0 nobody was named, and an approval was called a release. */
type StoredCommand = Omit<Command, 'type' | 'actor' | 'note'> & {
  readonly type: Command['type'] | 'release'
  readonly actor?: Actor
  readonly note?: string
}

const unnamed: Actor = { kind: 'unknown', name: '' }

/** From the JSON of an event of kind `command`. */
export function readCommand(stored: unknown): Command {
  const { type, actor = unnamed, note = '', ...rest } = stored as StoredCommand
  return { ...rest, type: type === 'release' ? 'approve' : type, actor, note } as Command
}
