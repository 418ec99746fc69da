/** Bytes that are not HTTP, or only nearly: a clear refusal or a closed connection, never a crash, never a handler. */
import { expect, test } from 'vitest'
import { fc, runs } from '../../router/testing/seed.ts'
import type { RawRoute } from './route.ts'
import { isWhole, post, rawSocket, talk, withServer } from './testing.ts'

let asked = 0
const route: RawRoute = {
  raw: true,
  method: 'POST',
  path: '/x',
  auth: 'webhook',
  tag: 't',
  summary: 's',
  handle: ({ body }) => {
    asked++
    return { status: 200, contentType: 'text/plain', body: String(body.length) }
  },
}
const start = 'POST /x HTTP/1.1\r\nhost: t\r\n'

test.each([
  ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 505],
  ['HTTP/1.0', 'POST /x HTTP/1.0\r\nhost: t\r\n\r\n', 505],
  ['HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['an absolute target', 'POST http://t/x HTTP/1.1\r\nhost: t\r\n\r\n', 505],
  ['both lengths (smuggling)', `${start}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ['two lengths that differ (smuggling)', `${start}content-length: 0\r\ncontent-length: 3\r\n\r\nabc`, 400],
  ['two lengths that agree', `${start}content-length: 3\r\ncontent-length: 3\r\n\r\nabc`, 400],
  [
    'two encodings (smuggling)',
    `${start}transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n`,
    400,
  ],
  ...[
    ...['chunked, identity', 'identity, chunked', 'identity', 'gzip, chunked', 'chunked, chunked', 'chunked;q=1'],
    ...['xchunked', 'chunkedx', '"chunked"', 'chunked,', ',chunked', 'chunked\x0b', 'chunked\tidentity', ''],
  ].map((coding): [string, string, number] => [
    `the encoding ${JSON.stringify(coding)} (smuggling)`,
    `${start}transfer-encoding: ${coding}\r\n\r\n0\r\n\r\n`,
    400,
  ]),
  ['an encoding before a colon that stands apart', `${start}transfer-encoding : chunked\r\n\r\n0\r\n\r\n`, 400],
  ['two lengths in one header', `${start}content-length: 3, 3\r\n\r\nabc`, 400],
  ['a length with a sign', `${start}content-length: +3\r\n\r\nabc`, 400],
  ['a negative length', `${start}content-length: -1\r\n\r\nabc`, 400],
  ['a length that is no number', `${start}content-length: abc\r\n\r\nabc`, 400],
  ['a length beyond counting', `${start}content-length: 99999999999999999999999\r\n\r\nabc`, 400],
  ['a chunk that is no number', `${start}transfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n`, 400],
  ['20,000 headers', start + 'a: b\r\n'.repeat(20_000), 431],
  ['one endless header', `${start}a: ${'b'.repeat(600_000)}`, 431],
])('%s', async (_, bytes, status) => {
  await withServer({ routes: [route] }, async (server) => {
    asked = 0
    const socket = rawSocket(server.port)
    socket.write(Buffer.from(bytes, 'latin1'))
    const answer = await socket.closed()
    expect(answer === '' || answer.startsWith(`HTTP/1.1 ${status} `), answer).toBe(true)
    expect(asked).toBe(0)
    expect(server.inFlight()).toBe(0)
    expect(await talk(server.port, post('/x', 'abc'))).toContain('HTTP/1.1 200 ')
  })
})

test.each(['chunked', 'Chunked', 'CHUNKED', ' chunked '])('the encoding %j is taken', async (coding) => {
  await withServer({ routes: [route] }, async ({ port }) => {
    const bytes = `${start}connection: close\r\ntransfer-encoding: ${coding}\r\n\r\n3\r\nabc\r\n0\r\n\r\n`
    expect(await talk(port, bytes)).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\n3/s)
  })
})

// https://github.com/uNetworking/uWebSockets/issues/1776: mended upstream, not in the binary that this machine's C
// library can load. A request that is answered so was not taken in, and its sender tries again. When this test goes
// red, take the limit out of ARCHITECTURE.
test('a first line that comes in pieces is refused; any other place may be where a packet ends', async () => {
  await withServer({ routes: [route] }, async ({ port }) => {
    const request = post('/x', 'abc')
    const firstLine = request.indexOf('\r\n') + 2
    for (let end = 1; end < request.length; end++) {
      asked = 0
      const socket = rawSocket(port)
      socket.socket.setNoDelay(true)
      socket.write(request.slice(0, end))
      await new Promise((resolve) => setTimeout(resolve, 5))
      socket.write(request.slice(end))
      const answer = await socket.until(isWhole)
      socket.socket.destroy()
      if (end >= firstLine) expect(answer, `cut at ${end}`).toContain('HTTP/1.1 200 ')
      else expect(answer, `cut at ${end}`).toMatch(/HTTP\/1\.1 (200|505) /)
      expect(asked, `cut at ${end}`).toBe(answer.includes(' 200 ') ? 1 : 0)
    }
  })
})

test('headers of 15 KB pass, in one packet or byte by byte', async () => {
  await withServer({ routes: [route] }, async ({ port }) => {
    const request = post('/x', 'abc', `a: ${'b'.repeat(15_000)}\r\n`)
    expect(await talk(port, request)).toContain('HTTP/1.1 200 ')
    const socket = rawSocket(port)
    socket.socket.setNoDelay(true)
    for (let i = 0; i < request.length; i += 1000) {
      socket.write(request.slice(i, i + 1000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await socket.until(isWhole)).toContain('HTTP/1.1 200 ')
    socket.socket.destroy()
  })
})

test('after any bytes at all the server still serves', async () => {
  const pieces = fc.oneof(
    fc.constantFrom(
      'POST /x HTTP/1.1\r\n',
      'host: t\r\n',
      'content-length: 5\r\n',
      '\r\n',
      'transfer-encoding: chunked\r\n',
    ),
    fc.constantFrom('5\r\nabcde\r\n', '0\r\n\r\n', 'GET ', '\0', '\r', '\n\n', ': :', 'expect: 100-continue\r\n'),
    fc.string({ unit: 'binary', maxLength: 20 }),
  )
  await withServer({ routes: [route], bodyMsMax: 100 }, async (server) => {
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 12 }), async (parts) => {
        const socket = rawSocket(server.port)
        socket.write(Buffer.from(parts.join('')))
        socket.socket.end()
        await socket.closed()
        expect(await talk(server.port, post('/x', 'abc'))).toMatch(/200 OK[\s\S]*3$/)
      }),
      { numRuns: runs(200) },
    )
    expect(server.inFlight()).toBe(0)
  })
})
