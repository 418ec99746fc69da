/**
 * Which of the commands that take tasks back take effect: only one whose reason fits the task's state. A task that its
 * node rejected is taken back for the rejection, never for a shortage that was found before.
 */

import { reasonRules, type TakeBackReason } from './reasons.ts'
import type { Task } from './task.ts'

export interface TakenBack {
  readonly taskId: string
  readonly why: TakeBackReason
}

/**
 * At most one a task. Several may wait for one decision: of a count that found too few and a warehouse that pulled the
 * task meanwhile and rejected it, only the rejection says what became of it.
 */
export function takingEffect<T extends TakenBack>(tasks: readonly Task[], takenBack: readonly T[]): readonly T[] {
  if (takenBack.length === 0) return []
  return tasks.flatMap((task) => takenBack.find((t) => t.taskId === task.taskId && mayTakeBack(task, t)) ?? [])
}

function mayTakeBack(task: Task, { why }: TakenBack): boolean {
  return task.state === reasonRules[why].taskState
}
