/** Starts wechat-shop.ts beside the demo, and ends it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { DemoStopped } from './client.ts'

export interface WechatShop {
  readonly url: string
  /** The shop's next answers about this order are as after the event. */
  advance(orderId: string, event: string): Promise<void>
  stop(): Promise<void>
}

/** On the wanted port, or on any free one when another process has it. */
export async function startWechatShop(second: number, port: number): Promise<WechatShop> {
  const started = (await start(second, port)) ?? (await start(second, 0))
  if (started === null) throw new DemoStopped('The stand-in for WeChat did not start.')
  const { url, child } = started
  return {
    url,
    advance: async (orderId, event) => {
      const body = JSON.stringify({ order_id: orderId, event })
      const answer = await fetch(`${url}/control/state`, { method: 'POST', body })
      if (!answer.ok) throw new DemoStopped(`The stand-in for WeChat does not know order ${orderId}.`)
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** null when the process ended before it listened, as it does on a port that is taken. */
async function start(second: number, port: number): Promise<{ url: string; child: ChildProcess } | null> {
  const file = fileURLToPath(new URL('./wechat-shop.js', import.meta.url))
  // The channel is only there to break: the child ends with its parent, however that ends.
  const child = spawn(process.execPath, [file, String(second), String(port)], {
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
  })
  const line = await Promise.race([
    once(createInterface({ input: child.stdout! }), 'line').then(([text]) => String(text)),
    once(child, 'exit').then(() => null),
  ])
  return line === null ? null : { url: (JSON.parse(line) as { url: string }).url, child }
}
