/** The processes of a run end with the process that started them: none goes on sending to a service that is gone. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import type { GeneratorJob } from './fired.ts'

const undo: (() => unknown)[] = []
afterEach(() => {
  for (const step of undo.splice(0).reverse()) step()
})

test.each([
  ['./cannon.js', { seconds: 600, requests: null }],
  ['./lean.js', { loop: 'closed', seconds: 600, requests: null }],
])('%s stops in the midst of a round when its parent is gone', async (file, round) => {
  const sockets: Socket[] = []
  const mute = createServer((socket) => void sockets.push(socket.on('error', () => undefined))).listen(0, '127.0.0.1')
  undo.push(
    () => mute.close(),
    () => sockets.map((socket) => socket.destroy()),
  )
  await once(mute, 'listening')
  const { port } = mute.address() as { port: number }
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), { serialization: 'advanced' })
  undo.push(() => child.kill('SIGKILL'))
  child.send({
    url: `http://127.0.0.1:${port}`,
    connections: 2,
    stream: { seed: 3, startMs: 1_790_000_000_000, mix: { tmall: 1, jd: 0, wechat: 0 }, network: { small: true } },
    prepared: 20,
  } satisfies GeneratorJob)
  await once(child, 'message')
  child.send(round)
  await once(mute, 'connection')
  const ended = once(child, 'exit')
  child.disconnect()
  expect(await ended).toEqual([0, null])
})
