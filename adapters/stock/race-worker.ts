/**
 * One process of the race in race.test.ts: reserves one unit a call, many calls at once on several connections, and
 * prints its outcomes as JSON. Arguments: socket, epoch, own name, how many, lines as JSON.
 */
import { Stock } from './stock.ts'

const [socket, epoch, name, count, lines] = process.argv.slice(2) as [string, string, string, string, string]
const stocks = Array.from({ length: 4 }, () => new Stock({ redis: socket }))
await Promise.all(stocks.map((stock) => stock.connect()))
const outcomes = await Promise.all(
  Array.from({ length: Number(count) }, async (_, i) => {
    const request = { reservationId: `${name}-${i}`, node: 'n', lines: JSON.parse(lines) }
    const [outcome] = await stocks[i % stocks.length]!.reserve(Number(epoch), 0, [request])
    return outcome!.outcome
  }),
)
for (const stock of stocks) stock.close()
process.stdout.write(JSON.stringify(outcomes))
