/** Reads orders with their tasks: see ../orders/load.ts, whose meaning this has. */
import type { OrderKey } from '../../../router/types.ts'
import { keyOf, type Loaded } from '../orders/load.ts'
import { compare, type Tables } from './tables.ts'

export function loadByKeys(tables: Tables, keys: readonly OrderKey[]): Map<string, Loaded> {
  const loaded = new Map<string, Loaded>()
  for (const key of keys) {
    const id = tables.idByKey.get(keyOf(key))
    if (id === undefined) continue
    const rows = [...(tables.tasksOf.get(id) ?? [])]
    rows.sort((a, b) => a.createdAt - b.createdAt || compare(a.task.taskId, b.task.taskId))
    loaded.set(keyOf(key), { order: tables.orders.get(id)!, tasks: rows.map((r) => r.task) })
  }
  return loaded
}
