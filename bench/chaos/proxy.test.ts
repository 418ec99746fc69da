/** The bad wire itself: what it passes on, what it holds back, where it cuts. */
import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startProxy, type Wire } from './proxy.ts'

let echo: Server
let proxy: Wire

beforeAll(async () => {
  echo = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  proxy = await startProxy(() => ({ port: (echo.address() as AddressInfo).port }))
})
afterAll(async () => {
  await proxy.close()
  echo.close()
})

interface Caller {
  readonly socket: Socket
  heard(): Buffer
}

async function call(): Promise<Caller> {
  const socket = createConnection(proxy.port, '127.0.0.1')
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return { socket, heard: () => Buffer.concat(parts) }
}

/** However it ends. */
async function closed(socket: Socket): Promise<void> {
  await new Promise((resolve) => socket.once('close', resolve))
}

async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 5))
}

const words = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251))

test.each([
  ['good', () => undefined],
  ['slow', () => proxy.slow(20)],
  ['narrow', () => proxy.narrow(1_000_000)],
])('a %s wire passes on every byte in its order', async (_what, spoil) => {
  spoil()
  const { socket, heard } = await call()
  socket.write(words)
  await until(() => heard().length === words.length)
  proxy.heal()
  expect(heard().equals(words)).toBe(true)
  socket.end()
  await closed(socket)
})

test('a silent wire takes connections and bytes, answers nothing, and delivers when it is healed', async () => {
  const before = await call()
  proxy.silence()
  const after = await call()
  before.socket.write('before')
  after.socket.write('after')
  // Another wire to the same server answers meanwhile: enough time for an answer has passed.
  const other = createConnection((echo.address() as AddressInfo).port, '127.0.0.1')
  other.write('x')
  await once(other, 'data')
  other.destroy()
  expect([before.heard().length, after.heard().length]).toEqual([0, 0])
  proxy.heal()
  await until(() => before.heard().toString() === 'before' && after.heard().toString() === 'after')
  before.socket.destroy()
  after.socket.destroy()
})

test('a reply is cut in its middle, and the connection with it', async () => {
  proxy.cutReplies(() => 7)
  const { socket, heard } = await call()
  socket.write('0123456789')
  await closed(socket)
  expect(heard().toString()).toBe('0123456')
  proxy.heal()
})

test('all connections are cut at once', async () => {
  const callers = await Promise.all([call(), call()])
  for (const { socket } of callers) {
    socket.write('x')
    await once(socket, 'data')
  }
  const ends = callers.map(({ socket }) => closed(socket))
  expect(proxy.cut()).toBe(2)
  await Promise.all(ends)
})

test('while there is nobody to connect to, callers are sent away', async () => {
  const nowhere = await startProxy(() => null)
  const socket = createConnection(nowhere.port, '127.0.0.1')
  socket.on('error', () => undefined)
  await closed(socket)
  await nowhere.close()
})
