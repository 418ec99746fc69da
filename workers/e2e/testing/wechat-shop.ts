/** For tests: the API of one WeChat shop. It gives orders only for its own token, and that only for its own secret. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface WechatShop {
  readonly url: string
  /** What `/channels/ec/order/get` answers for an order, by its id. */
  readonly answers: Map<string, string>
  /** Calls that were no proper call of the documented API. */
  readonly wrongCalls: string[]
  close(): Promise<void>
}

const token = 'token-of-the-wechat-shop'

export async function startWechatShop(credentials: { appId: string; appSecret: string }): Promise<WechatShop> {
  const answers = new Map<string, string>()
  const wrongCalls: string[] = []
  const answerTo = (path: string, query: URLSearchParams, body: string): string => {
    const given = JSON.parse(body) as Record<string, unknown>
    if (path === '/cgi-bin/stable_token') {
      const { grant_type, appid, secret } = given
      const known = appid === credentials.appId && secret === credentials.appSecret
      if (grant_type === 'client_credential' && known) return JSON.stringify({ access_token: token, expires_in: 7200 })
      wrongCalls.push(`${path}: grant ${String(grant_type)}`)
      return '{"errcode":40125,"errmsg":"invalid appsecret"}'
    }
    if (path !== '/channels/ec/order/get' || query.get('access_token') !== token) {
      wrongCalls.push(path)
      return '{"errcode":40001,"errmsg":"invalid credential"}'
    }
    if (typeof given.order_id !== 'string' || Object.keys(given).length !== 1) wrongCalls.push(`${path}: ${body}`)
    return answers.get(String(given.order_id)) ?? '{"errcode":10020051,"errmsg":"order not found"}'
  }
  const server = createServer((request, response) => {
    void textOf(request).then((body) => {
      const url = new URL(request.url ?? '/', 'http://shop')
      response.setHeader('content-type', 'application/json')
      response.end(answerTo(url.pathname, url.searchParams, body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers,
    wrongCalls,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
