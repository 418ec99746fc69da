/** What can be seen from outside of a service that does not recover: told with the finding, to help find the cause. */
import type { Violation } from '../../adapters/store/audit/audit.ts'
import type { World } from './world.ts'

const answerMsMax = 5_000
const wordsMax = 1_500
const rowsMax = 8

export async function stuck(world: World, what: string, seconds: number): Promise<Violation> {
  const { fleet, sql } = world
  const members = Array.from({ length: fleet.size }, (_, index) => fleet.member(index))
  const seen = {
    what,
    seconds,
    processes: await Promise.all(
      members.map(async (member) => member && { pid: member.pid, ...(await asked(member)) }),
    ),
    pending: await rows(sql`
      select kind, channel, attempts, last_error, (not_before - now())::text as due, count(*)::int
      from pending group by 1, 2, 3, 4, 5 order by 6 desc limit ${rowsMax}`),
    backends: await rows(sql`
      select application_name, state, wait_event, left(query, 60) as query, count(*)::int
      from pg_stat_activity where application_name like 'paidan%' group by 1, 2, 3, 4 order by 5 desc limit ${rowsMax}`),
  }
  return { invariant: 'it_recovers', count: 1, examples: [seen] }
}

async function asked(member: { readonly url: string; said(): string }) {
  const ready = await fetch(`${member.url}/readyz`, { signal: AbortSignal.timeout(answerMsMax) }).then(
    async (answer) => `${answer.status} ${await answer.text()}`,
    (error: Error) => error.message,
  )
  return { ready, lastWords: member.said().slice(-wordsMax) }
}

async function rows(query: Promise<readonly unknown[]>): Promise<unknown> {
  return await query.catch((error: Error) => error.message)
}
