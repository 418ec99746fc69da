/** The queries of a pull and of the sweep pick exactly the tasks that the rules of router/task.ts name. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  isChanged,
  isInterceptLapsed,
  isToldOfNews,
  mayBePulled,
  ownedStates,
  pulled,
  type Task,
  taskStates,
} from '../../../router/task.ts'
import { empty, lines, makeNetwork, post, route } from '../testing/world.ts'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { lapsedIntercepts, pullTasks } from './tasks.ts'

// Hours from now; null: none.
const dates = [null, -1, 1]

const changes = [
  { change: 0, changeTaken: 0 },
  { change: 1, changeTaken: 0 },
  { change: 2, changeTaken: 2 },
]

// The table's own check: a task that has an owner has a lease.
const standings = taskStates.flatMap((state) =>
  [false, true].flatMap((interceptRequested) =>
    (['never', 'over', 'running'] as const)
      .filter((lease) => lease !== 'never' || !ownedStates.includes(state))
      .flatMap((lease) => dates.map((date) => ({ state, interceptRequested, lease, date })))
      .flatMap((standing) => changes.map((change) => ({ ...standing, ...change }))),
  ),
)

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await empty(database.sql)
  await makeNetwork(database.sql, { nodes: ['n1'], skus: ['a'] })
  await post(database.sql, 'n1', 'add', lines('a', standings.length))
})
afterAll(() => database.close())

test('in every state, flagged or not, leased or not', async () => {
  const { sql } = database
  for (const [i] of standings.entries()) await route(sql, `o${i}`, 'n1', lines('a', 1))
  const ids = await sql<{ task_id: string; order_id: string }[]>`
    select t.task_id, o.order_id from task t join orders o on o.id = t.order_id`
  const idOf = new Map(ids.map((r) => [r.order_id, r.task_id]))
  const nowMs = Date.now()
  const tasks = standings.map(({ state, interceptRequested, lease, date, change, changeTaken }, i) => {
    const notBefore = date === null ? null : nowMs + date * 3_600_000
    const task: Task = {
      taskId: idOf.get(`o${i}`)!,
      node: 'n1',
      state,
      fence: 3,
      interceptRequested,
      notBefore,
      change,
      changeTaken,
      lines: [],
    }
    return { task, lease, isLeased: lease === 'running' }
  })
  for (const { task, lease } of tasks) {
    const seconds = { never: null, over: -1, running: 600 }[lease]
    await sql`
      update task set state = ${task.state}, intercept_requested = ${task.interceptRequested}, fence = ${task.fence}, not_before = to_timestamp(${task.notBefore}::bigint / 1000.0),
        change = nullif(${task.change}, 0), change_taken = nullif(${task.changeTaken}, 0),
        lease_until = now() + ${seconds}::int * interval '1 second' where task_id = ${task.taskId}`
  }

  const over = await lapsedIntercepts(sql, 1000)
  expect(over.map((t) => t.taskId).sort()).toEqual(
    tasks
      .filter(({ task, isLeased }) => isInterceptLapsed(task, isLeased))
      .map(({ task }) => task.taskId)
      .sort(),
  )

  const given = await pullTasks(sql, 'n1', 1000, 60)
  const expected = tasks.flatMap(({ task, isLeased }) => {
    if (mayBePulled(task, isLeased, nowMs)) return [pulled(task)]
    return isToldOfNews(task, isLeased) ? [task] : []
  })
  const said = (list: readonly { taskId: string; state: string; fence: number; change: number | null }[]) =>
    list.map(({ taskId, state, fence, change }) => `${taskId} ${state} ${fence} ${change}`).sort()
  const news = expected.map((task) => ({ ...task, change: isChanged(task) ? task.change : null }))
  expect(said(given)).toEqual(said(news))
})
