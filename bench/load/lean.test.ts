/** The lean generator and the lean stand-in, against servers that are told what to answer. */
import { createServer, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { WechatApi } from '../../adapters/channels/wechat/api.ts'
import { fc } from '../../router/testing/seed.ts'
import { startLeanStandin } from '../standin/lean-server.ts'
import { startWechatStandin } from '../standin/server.ts'
import { orderAt } from '../traffic/generator.ts'
import { dueTimes, requestsOf } from './arrivals.ts'
import type { Fired, FiredOpen, OpenRound } from './fired.ts'
import { shootLean } from './lean.ts'
import { lean } from './lean-job.ts'
import { percentileCurve, quantiles } from './quantiles.ts'
import { networkOf, planOf, type StreamSettings } from './stream.ts'
import { parseSnapshot, visibleAtMs } from './visible.ts'
import { parseAnswer, requestBytes } from './wire.ts'

const settings: StreamSettings = {
  seed: 3,
  startMs: 1_790_000_000_000,
  mix: { tmall: 1, jd: 0, wechat: 0 },
  network: { small: true },
}
const good = '{"success":true}'
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** `answer`: what request number n of all is answered with; null: not at all; 'cut': the connection is. */
async function platformDoor(answer: (n: number) => { status: number; body: string; pieces?: number } | null | 'cut') {
  let count = 0
  const server = createServer((socket) => {
    let left = Buffer.alloc(0)
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      left = Buffer.concat([left, bytes])
      const headEnd = left.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/.exec(left.toString('latin1'))?.[1])
      if (headEnd === -1 || left.length < headEnd + 4 + length) return
      expect(left.length).toBe(headEnd + 4 + length)
      left = Buffer.alloc(0)
      const said = answer(count++)
      if (said === 'cut') socket.destroy()
      else if (said !== null) {
        const text = `HTTP/1.1 ${said.status} X\r\nContent-Length: ${Buffer.byteLength(said.body)}\r\n\r\n${said.body}`
        const at = said.pieces === undefined ? text.length : 20
        socket.write(text.slice(0, at))
        if (at < text.length) setImmediate(() => socket.write(text.slice(at)))
      }
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, count: () => count }
}

const jobAt = (url: string, prepared = 40) => lean({ url, connections: 4, stream: settings, prepared })

test('closed loop: every answer is counted as what it was, in pieces or whole, and a cut connection is replaced', async () => {
  const door = await platformDoor((n) => {
    if (n === 5) return 'cut'
    if (n % 7 === 0) return { status: 503, body: '{"success":false}' }
    return { status: 200, body: good, ...(n % 3 === 0 ? { pieces: 2 } : {}) }
  })
  const fired: Fired = await shootLean(jobAt(door.url), { loop: 'closed', seconds: 0, requests: 30 })
  expect(door.count()).toBe(30)
  expect(fired).toMatchObject({ sent: 30, errors: 1, madeUnderLoad: 0, refused: { '503 {"success":false}': 5 } })
  expect(fired.acknowledged).toHaveLength(24)
  expect(Math.min(...fired.ackMs)).toBeGreaterThan(0)
})

test('a 200 that is not the platform’s own word for taken is no acknowledgement', async () => {
  const door = await platformDoor(() => ({ status: 200, body: '{"success":null}' }))
  const fired = await shootLean(jobAt(door.url), { loop: 'closed', seconds: 0, requests: 8 })
  expect(fired.acknowledged).toHaveLength(0)
  expect(fired.refused).toEqual({ '200 {"success":null}': 8 })
})

const round: OpenRound = {
  curve: [{ seconds: 0.2, perSecond: 100 }],
  connectionsMax: 3,
  patienceMs: 5_000,
  retryAfterMs: 20,
  tailSeconds: 10,
}

test('open loop: what is refused or cut comes again until it is acknowledged, and its clock runs on', async () => {
  const door = await platformDoor((n) =>
    n < 6 ? { status: 503, body: 'no' } : n === 8 ? 'cut' : { status: 200, body: good },
  )
  const fired = (await shootLean(jobAt(door.url), { loop: 'open', ...round })) as FiredOpen
  expect(door.count()).toBe(27)
  expect(fired).toMatchObject({ sent: 20, errors: 1, givenUp: 0, refused: { '503 no': 6 } })
  expect(fired.acknowledged).toHaveLength(20)
  expect(new Set(fired.acknowledged).size).toBeGreaterThan(15)
  expect(fired.latenessMs).toHaveLength(20)
  // Refused once at least, and back no sooner than it was told.
  expect(Math.max(...fired.ackMs)).toBeGreaterThanOrEqual(20)
  const sum = fired.seconds.reduce((total, { due, refused, unanswered }) => total + due + refused + unanswered, 0)
  expect(sum).toBe(20 + 6 + 1)
})

test('open loop: who is not answered hangs up, and what nobody ever answers is given up', async () => {
  const door = await platformDoor(() => null)
  const patient = { ...round, patienceMs: 30, retryAfterMs: null, tailSeconds: 1 }
  const fired = (await shootLean(jobAt(door.url), { loop: 'open', ...patient })) as FiredOpen
  expect(fired).toMatchObject({ errors: 20, givenUp: 20 })
  expect(fired.acknowledged).toHaveLength(0)
})

test('open loop: a slow answer delays nobody’s clock: what waits for a connection is late from when it was due', async () => {
  const door = await platformDoor((n) => (n === 0 ? null : { status: 200, body: good }))
  const one = { ...round, connectionsMax: 1, patienceMs: 150, retryAfterMs: 1 }
  const fired = (await shootLean(jobAt(door.url), { loop: 'open', ...one })) as FiredOpen
  expect(fired.acknowledged).toHaveLength(20)
  // Due 10 ms apart, all stuck behind the first for 150 ms.
  expect(Math.max(...fired.ackMs)).toBeGreaterThan(100)
  expect(fired.ackMs.filter((ms) => ms > 40).length).toBeGreaterThan(8)
})

test('arrivals are ascending, none is lost between the pieces of a curve, and each lies in its own piece', () => {
  const piece = fc.record({ seconds: fc.integer({ min: 1, max: 30 }).map((n) => n / 10), perSecond: fc.nat(500) })
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (curve) => {
      const due = dueTimes(curve)
      const wanted = requestsOf(curve)
      expect(Math.abs(due.length - wanted)).toBeLessThan(1)
      const endMs = curve.reduce((sum, { seconds }) => sum + seconds * 1000, 0)
      const misplaced = due.filter((at, i) => !(at > (due[i - 1] ?? 0) - 1e-6 && at <= endMs + 1e-6))
      expect(misplaced).toEqual(new Float64Array())
    }),
  )
  expect(() => dueTimes([{ seconds: 1, perSecond: Number.NaN }])).toThrow(RangeError)
})

test.each([
  ['whole', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', { status: 200, body: 'ok', closes: false }],
  [
    'closing',
    'HTTP/1.1 503 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n',
    { status: 503, body: '', closes: true },
  ],
  ['no head yet', 'HTTP/1.1 200 OK\r\nContent-', null],
  ['no body yet', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok', null],
])('an answer is read: %s', (_, text, wanted) => {
  expect(parseAnswer(Buffer.from(text))).toEqual(wanted)
})

test.each(['HTTP/1.1 200 OK\r\n\r\nok', 'nonsense\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nok'])(
  'an answer that is none is refused: %j',
  (text) => {
    expect(() => parseAnswer(Buffer.from(text))).toThrow()
  },
)

test('a request is head and body in one', () => {
  const headers = { 'content-type': 'application/json' }
  const bytes = requestBytes('h:1', { method: 'POST', path: '/p', query: 'a=1', headers, body: Buffer.from('货') })
  expect(bytes.toString()).toBe(
    'POST /p?a=1 HTTP/1.1\r\nhost: h:1\r\ncontent-length: 3\r\ncontent-type: application/json\r\n\r\n货',
  )
})

test('quantiles: the smallest value that the share does not exceed', () => {
  const all = quantiles(Array.from({ length: 100 }, (_, i) => 100 - i))
  expect([0, 0.5, 0.99, 0.999, 1].map((q) => all.at(q))).toEqual([1, 50, 99, 100, 100])
  expect(quantiles([]).at(0.5)).toBeNull()
  expect(percentileCurve([])).toEqual([])
  // A tail that fewer than ten values make up is not drawn.
  expect(percentileCurve(Array.from({ length: 200 }, (_, i) => i)).at(-1)![0]).toBe(95)
})

test('a task is visible from the first snapshot that does not hold its transaction for running', () => {
  const seen = ['10:12:10,11', '11:12:11', '11:14:11,13', '14:14:'].map((text, at) => parseSnapshot(text, at * 100))
  expect([9, 10, 11, 12, 13, 14].map((xid) => visibleAtMs(seen, xid))).toEqual([0, 100, 300, 200, 300, null])
})

test('the lean stand-in answers as the other one does, prepared or not', async () => {
  const stream: StreamSettings = { ...settings, mix: { tmall: 0, jd: 0, wechat: 1 } }
  const network = networkOf(stream)
  const plan = planOf(stream, network)
  const shop = network.shops.find(({ channel }) => channel === 'wechat')!
  const prepared = await startLeanStandin({ plan, shop })
  prepared.prepare(3)
  const standins = [prepared, await startWechatStandin({ plan, shop, untouched: 'last' })]
  const { credentials } = shop
  const api = new WechatApi()
  try {
    const [fast, other] = standins.map(({ url: apiBaseUrl }) => ({ shop: shop.shop, apiBaseUrl, credentials }))
    for (const index of [0, 1, 5]) {
      const { orderId } = orderAt(plan, index)
      const answers = [await api.getOrder(fast!, orderId), await api.getOrder(other!, orderId)]
      expect(answers[0]).toEqual(answers[1])
      expect(answers[0]).toMatchObject({ outcome: 'order' })
    }
    expect(await api.getOrder(fast!, '3705115058471208928')).toMatchObject({
      outcome: 'not_found',
      platformCode: 10020051,
    })
    await expect(api.getOrder({ ...fast!, credentials: { ...credentials, appSecret: 'wrong' } }, '1')).rejects.toThrow()
  } finally {
    await api.close()
    for (const standin of standins) await standin.close()
  }
})
