/**
 * Fen, whole and exact. Amounts are safe integers; the only division is by largest remainder, so that what was split
 * sums to what there was. Currency is always CNY; rounding to yuan is none of this file's business (router/yuan.ts).
 */

/** Throws when the value is not a whole number of fen: an amount with a fraction is a bug upstream, not an outcome. */
export function assertFen(valueFen: number, what: string): void {
  if (!Number.isSafeInteger(valueFen)) throw new RangeError(`${what} has to be a safe integer of fen`)
}

/** Sum of amounts; may hold negative ones. Throws when an amount or the sum leaves the safe integers. */
export function addFen(...amountsFen: readonly number[]): number {
  let sumFen = 0
  for (const amountFen of amountsFen) {
    assertFen(amountFen, 'amount')
    sumFen += amountFen
    assertFen(sumFen, 'sum')
  }
  return sumFen
}

/**
 * Shares `totalFen` by `weights` (non-negative safe integers of any unit). The shares sum to the total exactly and
 * each is its exact share rounded down or up; the fen that rounding down leaves over go to the largest remainders,
 * one each, earlier indexes first among equals. All weights zero: shared equally. Throws when there is something to
 * share and no weight to share it by.
 */
export function shareByLargestRemainder(totalFen: number, weights: readonly number[]): number[] {
  assertNotNegative(totalFen, 'total')
  if (weights.length === 0) {
    if (totalFen !== 0) throw new RangeError('an amount cannot be shared over no weights')
    return []
  }
  if (weights.length === 1) {
    assertNotNegative(weights[0]!, 'weight')
    return [totalFen]
  }
  let sum = 0
  let weightMax = 0
  for (const weight of weights) {
    assertNotNegative(weight, 'weight')
    sum += weight
    if (weight > weightMax) weightMax = weight
  }
  if (weightMax === 0) return shareByLargestRemainder(totalFen, new Array<number>(weights.length).fill(1))
  // Doubles multiply exactly below 2^53 only.
  if (sum > Number.MAX_SAFE_INTEGER || totalFen * weightMax > Number.MAX_SAFE_INTEGER)
    return shareBig(totalFen, weights)

  const shares: number[] = []
  const remainders: number[] = []
  let leftFen = totalFen
  for (const weight of weights) {
    const product = totalFen * weight
    const remainder = product % sum
    const shareFen = (product - remainder) / sum
    shares.push(shareFen)
    remainders.push(remainder)
    leftFen -= shareFen
  }
  handOut(shares, leftFen, (a, b) => remainders[b]! - remainders[a]! || a - b)
  return shares
}

/** The same where a product of amount and weight would not be exact as a double. */
function shareBig(totalFen: number, weights: readonly number[]): number[] {
  const total = BigInt(totalFen)
  const sum = weights.reduce((soFar, weight) => soFar + BigInt(weight), 0n)
  const shares: number[] = []
  const remainders: bigint[] = []
  let leftFen = totalFen
  for (const weight of weights) {
    const product = total * BigInt(weight)
    const shareFen = Number(product / sum)
    shares.push(shareFen)
    remainders.push(product % sum)
    leftFen -= shareFen
  }
  handOut(shares, leftFen, (a, b) => {
    const difference = remainders[b]! - remainders[a]!
    return difference > 0n ? 1 : difference < 0n ? -1 : a - b
  })
  return shares
}

/** One fen each to the first `leftFen` indexes in the given order. There are always fewer fen left than shares. */
function handOut(shares: number[], leftFen: number, order: (a: number, b: number) => number): void {
  if (leftFen === 0) return
  if (leftFen < 0 || leftFen >= shares.length) throw new Error('rounding down left more fen than there are shares')
  const byRemainder = shares.map((_, index) => index).sort(order)
  for (let rank = 0; rank < leftFen; rank++) shares[byRemainder[rank]!]!++
}

function assertNotNegative(value: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${what} has to be a non-negative safe integer`)
}
