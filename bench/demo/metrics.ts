import type { Client } from './client.ts'

/** Webhooks of platforms that the service has counted so far: more than one's own means that others send too. */
export async function webhooksTaken(client: Client): Promise<number> {
  const { text } = await client.get('/metrics')
  let taken = 0
  for (const [, channel, count] of text.matchAll(/^paidan_webhooks_total\{channel="(\w+)"[^}]*\} (\d+)$/gm)) {
    if (channel !== 'kuaidi100') taken += Number(count)
  }
  return taken
}
