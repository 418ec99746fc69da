/**
 * Every command that a database of a Redis is given, heard over MONITOR on a socket of our own. The client library takes the
 * first commands of a busy server for answers, and throws where no test can catch it.
 */
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { createInterface } from 'node:readline'

export interface RedisMonitor {
  /** Commands, one a line, as text. */
  heard(): string
  close(): void
}

/** `url`: the path of a unix socket, `?db=3` behind it. Resolves when every command from now on is heard. */
export async function monitorRedis(url: string): Promise<RedisMonitor> {
  const { pathname, searchParams } = new URL(url, 'redis://socket')
  const ours = ` [${searchParams.get('db') ?? '0'} `
  const socket = createConnection(pathname)
  const lines = createInterface(socket)
  socket.write('MONITOR\r\n')
  const [first] = (await once(lines, 'line')) as [string]
  if (first !== '+OK') throw new Error(`Redis does not take MONITOR: ${first}`)
  let heard = ''
  lines.on('line', (line) => {
    if (line.includes(ours)) heard += `${unescaped(line)}\n`
  })
  // It ends with its server or with the test.
  socket.on('error', () => undefined)
  return { heard: () => heard, close: () => socket.destroy() }
}

/** Redis shows every byte that is not plain ASCII as \\xNN. */
function unescaped(line: string): string {
  const bytes = line.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
