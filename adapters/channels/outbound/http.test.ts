import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { OutboundError } from './errors.ts'
import { HttpClient, type HttpLimits, jsonContent } from './http.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function server(answer: (response: ServerResponse) => void) {
  const calls: { path: string | undefined; type: string | undefined; body: string }[] = []
  const listening = createServer(async (request: IncomingMessage, response) => {
    let body = ''
    for await (const piece of request) body += piece
    calls.push({ path: request.url, type: request.headers['content-type'], body })
    answer(response)
  })
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    listening.closeAllConnections()
    return new Promise((resolve) => listening.close(resolve))
  })
  return { calls, url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}` }
}

const limits: HttpLimits = {
  connectTimeoutMs: 3_000,
  headersTimeoutMs: 5_000,
  bodyTimeoutMs: 5_000,
  callTimeoutMs: 5_000,
  answerBytesMax: 1_000,
  connectionsMax: 2,
}

function client(changed: Partial<HttpLimits> = {}): HttpClient {
  const http = new HttpClient('shop_api', { ...limits, ...changed })
  closing.push(() => http.close())
  return http
}

const errorOf = async (call: Promise<unknown>): Promise<OutboundError> => {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof OutboundError)) throw new Error(`expected an OutboundError, got ${String(error)}`)
  return error
}

test('what is sent is what was given, in its own content type, behind the base path', async () => {
  const { calls, url } = await server((response) => response.end('fine'))
  const http = client()
  const { status, body } = await http.post(`${url}/relay//`, '/a?b=1', { type: 'text/plain', body: Buffer.from('c') })
  expect([status, Buffer.from(body).toString()]).toEqual([200, 'fine'])
  await http.post(url, '/d', jsonContent({ e: 1 }))
  expect(calls).toEqual([
    { path: '/relay/a?b=1', type: 'text/plain', body: 'c' },
    { path: '/d', type: 'application/json', body: '{"e":1}' },
  ])
})

test('a redirect is an answer, and no other host is asked', async () => {
  const elsewhere = await server((response) => response.end('never'))
  const { url } = await server((response) => response.writeHead(307, { location: `${elsewhere.url}/x` }).end())
  expect((await client().post(url, '/', jsonContent({}))).status).toBe(307)
  expect(elsewhere.calls).toEqual([])
})

describe('an answer of many bytes', () => {
  test.each([
    [1_000, 'taken'],
    [1_001, 'shop_api_answer_too_large'],
  ])('%i: %s', async (bytes, outcome) => {
    const { url } = await server((response) => {
      response.on('error', () => {})
      response.end('x'.repeat(bytes))
    })
    const call = client().post(url, '/', jsonContent({}))
    expect(
      await call.then(
        () => 'taken',
        (error: OutboundError) => error.code,
      ),
    ).toBe(outcome)
  })
})

test('an answer that drips on and on is over when the call is', async () => {
  const { url } = await server((response) => {
    const timer = setInterval(() => response.write(' '), 5)
    response.on('close', () => clearInterval(timer))
  })
  const error = await errorOf(client({ callTimeoutMs: 50 }).post(url, '/', jsonContent({})))
  expect({ code: error.code, retryable: error.retryable, cause: error.cause }).toEqual({
    ...{ code: 'shop_api_unreachable', retryable: true, cause: 'TimeoutError' },
  })
})

test('no error says what was sent or where to', async () => {
  const error = await errorOf(client().post('http://127.0.0.1:1', '/?token=secret', jsonContent({ buyer: 'secret' })))
  expect(`${error.message} ${String(error.cause)}`).not.toMatch(/secret|127\.0\.0\.1/)
  expect(error).toMatchObject({ code: 'shop_api_unreachable', reason: 'unreachable', status: null, platformCode: null })
})

test.each(['', 'x', 'file:///etc/passwd'])('base URL %j: denied', async (baseUrl) => {
  expect((await errorOf(client().post(baseUrl, '/', jsonContent({})))).code).toBe('shop_api_denied')
})

test('the caller gives up before, and meanwhile', async () => {
  const controller = new AbortController()
  const { calls, url } = await server(() => controller.abort())
  const http = client()
  expect((await errorOf(http.post(url, '/', jsonContent({}), AbortSignal.abort()))).reason).toBe('aborted')
  expect(calls).toEqual([])
  expect((await errorOf(http.post(url, '/', jsonContent({}), controller.signal))).reason).toBe('aborted')
})
