import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { errorFields } from '../../adapters/shared/error-fields.ts'
import { createLog } from './log.ts'

/** A process that runs `script` with a log; its stderr is ours to read, or not. */
function logging(script: string) {
  const file = JSON.stringify(fileURLToPath(new URL('./log.js', import.meta.url)))
  const source = `
    const { createLog, logRead } = await import(${file})
    const log = createLog('info')
    const told = (word) => new Promise((resolve) => process.once('message', (m) => m === word && resolve()))
    ${script}`
  const stdio = ['ignore', 'ignore', 'pipe', 'ipc'] as const
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: [...stdio] })
  return { child, stderr: child.stderr!, exited: once(child, 'exit') }
}

test('what was logged last is read before the process ends', async () => {
  const { stderr, exited } = logging(`
    for (let i = 0; i < 10_000; i++) log.info({ i }, 'line')
    await logRead()
    process.exit(7)`)
  let text = ''
  stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await Promise.all([exited, once(stderr, 'end')])
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { i: number; msg: string })
  expect(lines.map(({ i }) => i)).toEqual(Array.from({ length: 10_000 }, (_, i) => i))
})

test('whoever reads the log is gone: the process goes on, and ends when it wants to', async () => {
  const { child, stderr, exited } = logging(`
    log.info('begin')
    await told('gone')
    log.info('to nobody')
    process.stdout.write('nor this')
    process.send('alive')
    await told('end')
    log.info('to nobody either')
    await logRead()
    process.exit(7)`)
  await once(stderr, 'data')
  stderr.destroy()
  await once(stderr, 'close')
  child.send('gone')
  await once(child, 'message')
  child.send('end')
  expect(await exited).toEqual([7, null])
})

test('whoever reads the log has stopped reading: nothing waits for him, and what is kept for him is bounded', async () => {
  const { child, stderr, exited } = logging(`
    process.send('ready')
    await told('go')
    const before = process.memoryUsage().rss
    const text = 'x'.repeat(10_000)
    for (let i = 0; i < 20_000; i++) {
      log.info({ text }, 'flood')
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    process.send(process.memoryUsage().rss - before < 150 * 1024 * 1024 ? 'bounded' : 'swollen')
    await told('end')
    await logRead()
    process.exit(7)`)
  stderr.pause()
  await once(child, 'message')
  child.send('go')
  const [said] = (await once(child, 'message')) as [string]
  child.send('end')
  expect(said).toBe('bounded')
  expect(await exited).toEqual([7, null])
  stderr.destroy()
})

test('an error is logged without what it quotes', () => {
  const log = createLog('silent') as unknown as Record<symbol, { err: unknown }>
  expect(log[pino.symbols.serializersSym]?.err).toBe(errorFields)
})
