/** Bytes on the service's sockets that are not HTTP, or only nearly. */
import { connect } from 'node:net'
import { mutateBytes } from '../mutate-bytes.ts'
import type { Random } from '../random.ts'
import { expectThat } from '../target.ts'

const requests = [
  'GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n',
  'POST /webhooks/tmall/x?sign=A HTTP/1.1\r\nhost: t\r\ncontent-length: 5\r\n\r\nabcde',
  'POST /webhooks/jd/x HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n',
  'POST /v1/bills/generic/a HTTP/1.1\r\nhost: t\r\nauthorization: Bearer x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\nabc',
  'POST /x HTTP/1.1\r\nhost: t\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n',
  'GET / HTTP/1.0\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
].map((text) => Buffer.from(text, 'latin1'))

export interface Garbage {
  readonly parts: readonly Uint8Array[]
}

export function drawGarbage(random: Random): Garbage {
  const parts = Array.from({ length: 1 + random.below(4) }, () => {
    const base = random.pick(requests)
    return random.oneIn(3) ? base : mutateBytes(random, base, requests)
  })
  return { parts }
}

const socketMsMax = 30_000

/** Sends the parts, half-closes, waits for the other side's end. */
export async function throwGarbage(port: number, { parts }: Garbage): Promise<void> {
  const said = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    const late = setTimeout(() => {
      socket.destroy()
      reject(new Error(`the socket was still open after ${socketMsMax / 1000} s`))
    }, socketMsMax)
    socket.setEncoding('latin1').on('data', (piece: string) => {
      // Enough to see what it is; answers of the metrics are long.
      if (text.length < 65_536) text += piece
    })
    // A reset is an end like any other.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(late)
      resolve(text)
    })
    for (const part of parts) socket.write(part)
    socket.end()
  })
  if (said === '') return
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(said)?.[1])
  expectThat(
    status >= 100 && (status < 500 || status === 503 || status === 505),
    `no fault of ours: ${said.slice(0, 100)}`,
  )
  const all = [...said.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((found) => found[1])
  expectThat(!all.includes('500'), 'no fault of ours in any answer')
}
