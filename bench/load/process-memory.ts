/** How much memory a process holds, watched from /proc while it works. Linux only: elsewhere nothing is known. */
import { readFileSync } from 'node:fs'

export interface MemoryWatch {
  stop(): MemorySeen
}

export interface MemorySeen {
  /** The kernel's own high-water mark since the process began; null when it could not be read. */
  readonly peakMib: number | null
  /** Seconds since the watch began, MiB resident. */
  readonly points: readonly (readonly [seconds: number, mib: number])[]
}

const everyMsDefault = 250

export function watchMemory(pid: number | undefined, everyMs = everyMsDefault): MemoryWatch {
  const points: (readonly [number, number])[] = []
  const started = performance.now()
  const look = (): void => {
    const now = pid === undefined ? null : memoryOf(pid)
    if (now !== null) points.push([(performance.now() - started) / 1000, now.residentMib])
  }
  look()
  const timer = setInterval(look, everyMs)
  timer.unref()
  return {
    stop() {
      clearInterval(timer)
      look()
      return { peakMib: pid === undefined ? null : (memoryOf(pid)?.peakMib ?? null), points }
    },
  }
}

/** See proc(5): VmRSS and VmHWM are KiB. null: there is no such process, or no /proc. */
export function memoryOf(pid: number): { readonly residentMib: number; readonly peakMib: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8')
    const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) / 1024
    const [residentMib, peakMib] = [mib('VmRSS'), mib('VmHWM')]
    return Number.isNaN(residentMib) || Number.isNaN(peakMib) ? null : { residentMib, peakMib }
  } catch {
    return null
  }
}
