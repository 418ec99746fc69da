/** A disk of its own for one Postgres, small enough to be filled; and what to say where there can be none. */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk {
  readonly path: string
  /** Of a Postgres that shall live on it. */
  readonly settings: Readonly<Record<string, string>>
  /** Leaves not a byte. */
  fill(): void
  empty(): void
  remove(): void
}

const sizeMb = 768
// WAL is the most of what such a Postgres keeps: little enough that the disk is filled by us alone.
const settings = { max_wal_size: '128MB', min_wal_size: '32MB', wal_recycle: 'off' }
const blockBytes = 1024 * 1024

/** A text says why there is none. */
export function mountSmallDisk(): SmallDisk | string {
  if (process.getuid?.() !== 0) return 'only root may mount a small disk'
  const path = mkdtempSync(join(tmpdir(), 'paidan-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m,mode=755`, 'paidan', path], { stdio: 'pipe' })
  } catch (error) {
    rmSync(path, { recursive: true })
    return `mount refused: ${(error as Error).message.split('\n').at(-2) ?? 'no reason given'}`
  }
  const ballast = join(path, 'ballast')
  return {
    path,
    settings,
    fill: () => {
      const file = openSync(ballast, 'w')
      const block = Buffer.alloc(blockBytes)
      try {
        // Whole megabytes, then what is left, down to the last page.
        for (let size = blockBytes; size >= 4096; ) {
          try {
            writeSync(file, block, 0, size)
          } catch (error) {
            if ((error as { code?: string }).code !== 'ENOSPC') throw error
            size /= 2
          }
        }
      } finally {
        closeSync(file)
      }
      if (statfsSync(path).bavail > 0) throw new Error('the small disk could not be filled')
    },
    empty: () => rmSync(ballast, { force: true }),
    remove: () => {
      execFileSync('umount', ['-l', path], { stdio: 'pipe' })
      rmSync(path, { recursive: true, force: true })
    },
  }
}
