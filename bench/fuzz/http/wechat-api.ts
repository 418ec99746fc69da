/** The API that WeChat orders are pulled from, which answers nearly what it should. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mutateJson } from '../mutate-json.ts'
import { Random } from '../random.ts'
import { wechatOrderSamples } from '../targets/platforms.ts'

export async function startWechatApi(seed: number): Promise<{ readonly url: string; close(): Promise<void> }> {
  let answers = 0
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      response.setHeader('content-type', 'application/json')
      if (request.url?.startsWith('/cgi-bin/')) response.end('{"access_token":"a-token","expires_in":7200}')
      else response.end(mutateJson(new Random(seed, 'wechat-api', answers++), wechatOrderSamples))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
