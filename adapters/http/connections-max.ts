import { readFileSync } from 'node:fs'

// Idle ones cost some kilobytes each; more callers than this stand behind a proxy that shares connections.
const connectionsWanted = 16_384
// Servers' sockets, files, threads: what a process opens beside its callers' connections.
const ownFiles = 256

/**
 * Connections that a process may take: beyond its limit of open files a connection could be neither taken nor refused,
 * and Postgres and Redis could not be reached again.
 */
export function connectionsMax(limits: string = readLimits()): number {
  const soft = /^Max open files +(\d+)/m.exec(limits)?.[1]
  if (soft === undefined) return connectionsWanted
  return Math.max(64, Math.min(connectionsWanted, Number(soft) - ownFiles))
}

/** Linux; elsewhere nothing is known. */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return ''
  }
}
