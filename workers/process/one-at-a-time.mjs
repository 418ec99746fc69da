// @ts-check
/** One of several processes of a machine at a time. Plain JavaScript without packages: the set-up takes turns by it. */
import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { say } from './set-up-tools.mjs'

/**
 * Runs `work` while no other process does so under this name. The turn is a socket in the kernel's own name space, so it
 * ends with its holder. Linux only; elsewhere no process waits.
 * @param {string} name
 * @param {() => void | Promise<void>} work
 */
export async function oneAtATime(name, work) {
  const path = `\0${createHash('sha256').update(name).digest('hex')}`
  let claim = await listen(path)
  if (claim === null) say('waiting for another set-up to finish')
  while (claim === null) {
    await delay(200)
    claim = await listen(path)
  }
  try {
    await work()
  } finally {
    claim.close()
  }
}

/**
 * null: another process holds it.
 * @param {string} path
 * @returns {Promise<{ close(): void } | null>}
 */
function listen(path) {
  if (process.platform !== 'linux') return Promise.resolve({ close: () => undefined })
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    )
    server.listen({ path }, () => resolve(server))
  })
}
