/**
 * Structured logs, JSON lines on stderr. Fields are ids and codes of ours and of platforms; never a buyer's data.
 *
 * The service never waits for the reader of its log: when the reader is gone, or has stopped reading, orders go on.
 */
import { writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type Logger, pino } from 'pino'
import { errorFields } from '../../adapters/shared/error-fields.ts'

export type Log = Logger

// What waits for a slow reader; a day of errors is less. What does not fit is lost, and counted.
const waitingBytesMax = 4 * 1024 * 1024

/** In threads as well, whose lines the main thread writes. */
export function createLog(level: string, base: Readonly<Record<string, string>> | null = null): Log {
  ignoreReaderGone()
  return pino(
    { level, base, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: errorFields } },
    { write: writeLine },
  )
}

let lost = 0

/** A pipe takes what it has room for, and the rest of it waits here; a file is written at once. */
function writeLine(line: string): void {
  const { stderr } = process
  if (stderr.writableLength > waitingBytesMax) {
    lost += 1
    return
  }
  if (lost > 0) {
    stderr.write(`${JSON.stringify({ level: 40, lines: lost, msg: 'log lines were lost: nobody read them' })}\n`)
    lost = 0
  }
  stderr.write(line)
}

// At the end only the operator who stops the process waits for it.
const lastLinesMs = 1_000

/** Before an end by `process.exit`: resolves when everything that was logged is with its reader, who is given a second. */
export async function logRead(): Promise<void> {
  const read = new Promise<void>((resolve) => process.stderr.write('', () => resolve()))
  await Promise.race([read, delay(lastLinesMs, undefined, { ref: false })])
}

/** For a process that ends now and runs nothing more: one line, past those that still wait. */
export function writeLastLine(line: string): void {
  for (let waitedMs = 0; waitedMs < lastLinesMs; waitedMs += 10) {
    try {
      writeSync(2, line)
      return
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EAGAIN') return
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}

function ignore(): void {}

function ignoreReaderGone(): void {
  for (const stream of [process.stdout, process.stderr])
    if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore)
}
