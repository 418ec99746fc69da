/**
 * What an ACK waits for and no code of ours can shorten: how long the disk takes to make a few bytes durable. A process
 * that does nothing else measures it beside a load. And a folder without a disk, to see what the way takes by itself.
 */
import { statfsSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export interface DiskWatch {
  stop(): Promise<DiskSeen>
}

/** Seconds since the watch began, milliseconds that the write and its fdatasync took. */
export type DiskSeen = readonly (readonly [seconds: number, ms: number])[]

// As much as a small commit writes, seldom enough to be no load itself.
const bytes = 8 * 1024
const everyMs = 20
const fileBytes = 64 * bytes

export async function watchDisk(folder: string): Promise<DiskWatch> {
  const path = join(folder, 'disk-watch')
  const file = await open(path, 'w')
  await file.write(Buffer.alloc(fileBytes))
  await file.sync()
  const ending = new AbortController()
  const watching = (async () => {
    const seen: [number, number][] = []
    const begun = performance.now()
    const page = Buffer.alloc(bytes, 1)
    // Over bytes that are there already: the log of Postgres uses its files again, too.
    for (let at = 0; !ending.signal.aborted; at = (at + bytes) % fileBytes) {
      const started = performance.now()
      await file.write(page, 0, bytes, at)
      await file.datasync()
      seen.push([(started - begun) / 1000, performance.now() - started])
      await delay(everyMs, undefined, { signal: ending.signal, ref: false }).catch(() => undefined)
    }
    return seen
  })()
  return {
    async stop() {
      ending.abort()
      try {
        return await watching
      } finally {
        await file.close()
        await rm(path, { force: true })
      }
    },
  }
}

const tmpfsMagic = 0x01021994

/** A folder in memory with `bytesFree` of room; null: this machine has none. A power cut loses all of it. */
export function memoryFolder(bytesFree: number): string | null {
  const path = '/dev/shm'
  try {
    const { type, bavail, bsize } = statfsSync(path)
    return type === tmpfsMagic && bavail * bsize >= bytesFree ? path : null
  } catch {
    return null
  }
}
