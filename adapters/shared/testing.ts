/**
 * For tests: the servers that the whole run shares, started by workers/testing/global.ts. A test that kills, flushes or
 * pauses a server starts a private one instead (workers/testing/servers.ts).
 */
import { Redis } from 'ioredis'
import { inject } from 'vitest'

export interface SharedServers {
  /** A database with every migration applied and without connections: made to be copied. */
  readonly templateUrl: string
  readonly redisUrl: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    servers: SharedServers
  }
}

/** Throws when the run was started without the shared set-up: absent servers are a failure, never a skip. */
export function sharedServers(): SharedServers {
  const servers = inject('servers') as SharedServers | undefined
  if (servers === undefined) throw new Error('no shared servers: run the tests with the project’s vitest.config.mjs')
  return servers
}

export interface TestRedis {
  /** An empty numbered database of the shared server: what a client takes. */
  readonly url: string
}

/**
 * Only this test uses the database, so it may use FLUSHDB. FLUSHALL, SCRIPT FLUSH and CONFIG reach other tests, so it
 * may not use those.
 */
export async function testRedis(): Promise<TestRedis> {
  const { redisUrl } = sharedServers()
  const counter = new Redis(redisUrl)
  try {
    return { url: `${redisUrl}?db=${await counter.incr('databases handed out')}` }
  } finally {
    counter.disconnect()
  }
}
