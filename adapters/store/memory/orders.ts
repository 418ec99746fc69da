/** Reads orders with their tasks: see ../orders/load.ts, whose meaning this has. */
import type { OrderKey } from '../../../router/types.ts'
import { keyOf, type Loaded, type LoadedSome } from '../orders/load.ts'
import { compare, type Tables } from './tables.ts'

// Of an order, and of each of its items: near enough.
const orderBytes = 1_000
const itemBytes = 200

export function loadSome(tables: Tables, keys: readonly OrderKey[], bytesMax: number): LoadedSome {
  const loaded = new Map<string, Loaded>()
  const left = new Set<string>()
  let bytes = 0
  for (const key of keys) {
    const id = tables.idByKey.get(keyOf(key))
    if (id === undefined) continue
    if (bytes >= bytesMax) {
      left.add(keyOf(key))
      continue
    }
    bytes += orderBytes + itemBytes * tables.orders.get(id)!.items.length
    const rows = [...(tables.tasksOf.get(id) ?? [])]
    rows.sort((a, b) => a.createdAt - b.createdAt || compare(a.task.taskId, b.task.taskId))
    loaded.set(keyOf(key), { order: tables.orders.get(id)!, tasks: rows.map((r) => r.task) })
  }
  return { loaded, left }
}
