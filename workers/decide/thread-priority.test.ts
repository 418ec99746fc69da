import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'

/** Of the thread that runs it: see proc(5), stat, field 19. */
const script = `
  const { readFileSync } = require('node:fs')
  const { parentPort, workerData } = require('node:worker_threads')
  const nice = () => Number(readFileSync('/proc/thread-self/stat', 'latin1').split(') ')[1].split(' ')[16])
  import(workerData).then(({ standBack }) => {
    const before = nice()
    standBack()
    parentPort.postMessage([before, nice()])
  })`

const niceOfProcess = () => Number(readFileSync('/proc/self/stat', 'latin1').split(') ')[1]!.split(' ')[16])

test.runIf(process.platform === 'linux')('a thread stands back alone', async () => {
  const before = niceOfProcess()
  const worker = new Worker(script, { eval: true, workerData: new URL('./thread-priority.js', import.meta.url).href })
  const [first, after] = await new Promise<[number, number]>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  await worker.terminate()
  expect(after).toBeGreaterThan(first)
  expect(niceOfProcess()).toBe(before)
})
