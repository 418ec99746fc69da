/**
 * The stand-in of the WeChat API as a load test needs it: the answers of server.ts in its best mood, for a fraction of
 * the CPU, so that a small machine spends itself on the service. Answers of the first orders lie ready as bytes;
 * requests are read no further than needed. It knows no misbehaviour and no control calls: server.ts has those.
 */
import { createServer, type Socket } from 'node:net'
import type { DemoShop } from '../../workers/process/demo-network/network.ts'
import { orderAt } from '../traffic/generator.ts'
import type { TrafficPlan } from '../traffic/plan.ts'
import { wellBehaved } from './misbehaviour.ts'
import { standinOrders } from './orders.ts'
import { type TokenRequest, tokenIssuer } from './tokens.ts'

export interface LeanStandinOptions {
  readonly plan: TrafficPlan
  /** The WeChat shop whose credentials are asked for. */
  readonly shop: DemoShop
}

export interface LeanStandin {
  readonly url: string
  /** Makes the answers for orders 0 … count − 1; no request is answered meanwhile. */
  prepare(count: number): void
  close(): Promise<void>
}

const notFound = answerBytes('{"errcode":10020051,"errmsg":"order not exist"}')
const malformed = answerBytes('{"errcode":47001,"errmsg":"data format error"}')
const headBytesMax = 16 * 1024
const bodyBytesMax = 64 * 1024

/** Whatever the push is about, the fetched order is as after all of its story: no fetch waits for a later one. */
export async function startLeanStandin({ plan, shop }: LeanStandinOptions): Promise<LeanStandin> {
  const orders = standinOrders(plan, 'last')
  const ready = new Map<string, Buffer>()
  const tokens = tokenIssuer(shop.credentials.appId ?? '', shop.credentials.appSecret ?? '', plan.seed)

  function fetch(query: string, body: string): Buffer {
    const errcode = tokens.check(/(?:^|&)access_token=([^&]*)/.exec(query)?.[1] ?? null, Date.now())
    if (errcode !== 0) return answerBytes(`{"errcode":${errcode},"errmsg":"access_token"}`)
    const orderId = /^\{"order_id":"(\d+)"\}$/.exec(body)?.[1]
    if (orderId === undefined) return malformed
    const found = ready.get(orderId)
    if (found !== undefined) return found
    const text = orders.answer(orderId, false)
    return text === null ? notFound : answerBytes(text)
  }

  function issue(body: string): Buffer {
    try {
      const issued = tokens.issue(JSON.parse(body) as TokenRequest, Date.now(), wellBehaved.tokenSeconds * 1000)
      if ('errcode' in issued) return answerBytes(`{"errcode":${issued.errcode},"errmsg":"refused"}`)
      return answerBytes(`{"access_token":"${issued.token}","expires_in":${issued.expiresIn}}`)
    } catch {
      return malformed
    }
  }

  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    readRequests(socket, ({ path, query, body }) => {
      if (path === '/channels/ec/order/get') socket.write(fetch(query, body))
      else if (path === '/cgi-bin/stable_token') socket.write(issue(body))
      else socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${port}`,
    prepare(count) {
      for (let index = 0; index < count; index++) {
        const { channel, orderId } = orderAt(plan, index)
        if (channel === 'wechat') ready.set(orderId, answerBytes(orders.answer(orderId, false)!))
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

interface Asked {
  readonly path: string
  readonly query: string
  readonly body: string
}

/** One POST after the other, each with a content-length; anything else ends the connection. */
function readRequests(socket: Socket, take: (asked: Asked) => void): void {
  let rest: Buffer | null = null
  socket.on('data', (bytes) => {
    let left = rest === null ? bytes : Buffer.concat([rest, bytes])
    for (;;) {
      const headEnd = left.indexOf('\r\n\r\n')
      if (headEnd === -1) break
      const head = left.toString('latin1', 0, headEnd)
      const [, path, query = ''] = /^POST ([^ ?]+)(?:\?([^ ]*))? HTTP\/1\.1\r\n/.exec(head) ?? []
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1])
      if (path === undefined || !(length <= bodyBytesMax)) return void socket.destroy()
      const end = headEnd + 4 + length
      if (left.length < end) break
      take({ path, query, body: left.toString('utf8', headEnd + 4, end) })
      left = left.subarray(end)
    }
    if (left.length > headBytesMax + bodyBytesMax) socket.destroy()
    rest = left.length === 0 ? null : left
  })
}

function answerBytes(text: string): Buffer {
  const length = Buffer.byteLength(text)
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json; encoding=utf-8\r\ncontent-length: ${length}\r\n\r\n${text}`,
  )
}
