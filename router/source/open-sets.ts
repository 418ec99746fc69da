/**
 * Plans for many lines, from the nodes that are open in them: every node, pair and triple of the most promising nodes is
 * tried. Each line goes to the open node where its weight costs least, and what no open node has goes wherever that
 * is cheapest. A few of the best plans come back, to be improved.
 */
import { tariffFen } from '../freight.ts'
import type { Assignment, Instance } from './instance.ts'
import { type Load, loadOf, placeCheapest, put, spare } from './load.ts'

/** 8 nodes are 92 sets of up to three. */
const openMax = 8
/** Plans that come back. */
const plansMax = 2
const startsWithin = 0.02

export function openSets(instance: Instance): Assignment[] {
  const nodes = promising(instance)
  const found: { assignment: Assignment; costFen: number }[] = []
  const take = (open: readonly number[]) => {
    const load = planWith(instance, open)
    const costFen = costOf(instance, load)
    if (found.length === plansMax && costFen >= found.at(-1)!.costFen) return
    if (found.some((each) => each.costFen === costFen)) return
    found.push({ assignment: load.assignment, costFen })
    found.sort((a, b) => a.costFen - b.costFen)
    found.length = Math.min(found.length, plansMax)
  }
  for (let a = 0; a < nodes.length; a++) {
    take([nodes[a]!])
    for (let b = a + 1; b < nodes.length; b++) {
      take([nodes[a]!, nodes[b]!])
      for (let c = b + 1; c < nodes.length; c++) take([nodes[a]!, nodes[b]!, nodes[c]!])
    }
  }
  // A start that is much dearer seldom ends better.
  const limit = (found[0]?.costFen ?? 0) * (1 + startsWithin)
  return found.filter(({ costFen }) => costFen <= limit).map(({ assignment }) => assignment)
}

/** By what the node's share of the order costs from it, per share: a node that has all of it first. */
function promising(instance: Instance): number[] {
  const { lineCount, nodeCount, have, need, grams, offers } = instance
  const prices: number[] = []
  for (let node = 0; node < nodeCount; node++) {
    let share = 0
    let weight = 0
    for (let line = 0; line < lineCount; line++) {
      const units = have[node * lineCount + line]!
      if (units === 0) continue
      share += units / need[line]!
      weight += units * grams[line]!
    }
    prices.push(share === 0 ? Number.POSITIVE_INFINITY : (tariffFen(offers[node]!.tariff, weight) + 1) / share)
  }
  const nodes = prices.map((_, node) => node).filter((node) => Number.isFinite(prices[node]!))
  return nodes.sort((a, b) => prices[a]! - prices[b]! || a - b).slice(0, openMax)
}

function planWith(instance: Instance, open: readonly number[]): Load {
  const load = loadOf(instance)
  const { offers } = instance
  const rate = (node: number) => offers[node]!.tariff.stepFen / offers[node]!.tariff.stepGrams
  const byRate = [...open].sort((a, b) => rate(a) - rate(b) || a - b)
  for (let line = 0; line < instance.lineCount; line++) {
    for (const node of byRate) {
      const units = Math.min(load.left[line]!, spare(instance, load, node, line))
      if (units > 0) put(instance, load, node, line, units)
    }
  }
  for (let line = 0; line < instance.lineCount; line++) {
    if (load.left[line]! > 0) placeCheapest(instance, load, line, load.left[line]!, -1)
  }
  return load
}

function costOf(instance: Instance, load: Load): number {
  let costFen = 0
  for (let node = 0; node < instance.nodeCount; node++) {
    if (load.used[node]) costFen += tariffFen(instance.offers[node]!.tariff, load.grams[node]!)
  }
  return costFen
}
