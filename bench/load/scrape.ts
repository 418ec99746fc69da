/** Prometheus' text format, as far as prom-client writes it: one `name{labels} value` a line. */

/** By the whole text before the value, labels included. */
export type Scrape = ReadonlyMap<string, number>

export async function scrape(url: string): Promise<Scrape> {
  const answer = await fetch(`${url}/metrics`)
  if (!answer.ok) throw new Error(`${url}/metrics answered ${answer.status}`)
  return parseScrape(await answer.text())
}

export function parseScrape(text: string): Scrape {
  const values = new Map<string, number>()
  for (const line of text.split('\n')) {
    const at = line.lastIndexOf(' ')
    if (at > 0 && !line.startsWith('#')) values.set(line.slice(0, at), Number(line.slice(at + 1)))
  }
  return values
}

/** How much a counter grew. */
export function grown(before: Scrape, after: Scrape, key: string): number {
  return (after.get(key) ?? 0) - (before.get(key) ?? 0)
}

/** How much every series of a counter with one label grew, by that label. */
export function grownByLabel(before: Scrape, after: Scrape, name: string, label: string): Record<string, number> {
  const found: Record<string, number> = {}
  for (const key of after.keys()) {
    if (!key.startsWith(`${name}{`)) continue
    const value = new RegExp(`[{,]${label}="([^"]*)"`).exec(key)?.[1]
    const more = grown(before, after, key)
    if (value !== undefined && more !== 0) found[value] = (found[value] ?? 0) + more
  }
  return found
}

/**
 * A quantile of what a histogram without labels of its own took in between, evenly spread within its bucket; Infinity
 * above the last one, null when it took in nothing.
 */
export function quantile(before: Scrape, after: Scrape, name: string, q: number): number | null {
  const buckets: { readonly upTo: number; readonly count: number }[] = []
  for (const key of after.keys()) {
    const upTo = new RegExp(`^${name}_bucket\\{le="([^"]+)"\\}$`).exec(key)?.[1]
    if (upTo !== undefined)
      buckets.push({
        upTo: upTo === '+Inf' ? Number.POSITIVE_INFINITY : Number(upTo),
        count: grown(before, after, key),
      })
  }
  buckets.sort((a, b) => a.upTo - b.upTo)
  const all = buckets.at(-1)?.count ?? 0
  if (all === 0) return null
  let from = 0
  let below = 0
  for (const { upTo, count } of buckets) {
    if (count >= q * all) {
      return upTo === Number.POSITIVE_INFINITY ? upTo : from + ((upTo - from) * (q * all - below)) / (count - below)
    }
    from = upTo
    below = count
  }
  return from
}
