/**
 * The plan for an order over a whole network, with the candidates that its trace keeps.
 *
 * Most orders end at their first step: one node has everything, and two parcels cannot cost less. The others walk the nodes
 * that have something of the order and solve over all of them. The trace keeps the nodes of the plan and the nearest others,
 * and the plan is made again from what the trace keeps: so a replay has the same result by construction.
 */
import { tariffFen } from '../freight.ts'
import { nodesInPlay } from './in-play.ts'
import { type Assignment, type Instance, instanceOf, isUsed, type Offer, planOf, rankOf } from './instance.ts'
import { kmTo, type Network, pointOf, rulesFor, type SourcingRequest } from './network.ts'
import type { Candidate, DemandLine, Plan, SourcingRule } from './plan.ts'
import { isSmall, type Solution, solve } from './solve.ts'
import { offersOf, sourceFrom } from './source.ts'
import { bestSingleNode, type Single, type Walk, walkOf } from './walk.ts'

export interface Sourced {
  readonly plan: Plan
  /** What the trace keeps: those of the plan and the nearest others, nearest first; refused ones behind them. */
  readonly candidates: readonly Candidate[]
  readonly offers: readonly Offer[]
}

/** Nodes that a trace shows beside those of the plan: enough to see what the neighbourhood would have cost. */
const shownMax = 12
/** Refused nodes that a trace shows: enough to see why the nearest nodes were passed over. */
const refusedMax = 10
/** For both, at most this many of the nearest nodes are looked at. */
const nearbyMax = 28
/** Nodes that the searches for large orders look at. A trace has to keep all of them. */
const searchedMax = 16
/** At most this many of the nearest nodes are shown, and searched, beside those of `searchedMax`. */
const shownOfSearchedMax = 4
/** More nodes in play than these are cut to the cheapest: then nothing is proven, and the method says so. */
const inPlayMax = 1_500

export function sourceOrder(request: SourcingRequest, network: Network): Sourced {
  const point = pointOf(request)
  const { demand } = request
  const walk = walkOf(network, point, rulesFor(request, network), demand)
  const shown = showNearby(walk, network)
  const single = bestSingleNode(walk)
  const proven = single?.isProven === true ? fromOne(walk, demand, single, shown) : null
  if (proven !== null) return proven
  const { nodes: inPlay, isSingleProven } = nodesInPlay(walk, single)
  const cheapest = single !== null && isSingleProven ? fromOne(walk, demand, single, shown) : null
  return cheapest ?? solveOver(walk, demand, inPlay, shown)
}

/**
 * Null: other threads took or gave back units since the walk looked at them, so that what the trace keeps says otherwise. Then
 * the order is solved over what is there now.
 */
function fromOne(walk: Walk, demand: readonly DemandLine[], { node, costFen }: Single, shown: Shown): Sourced | null {
  const candidates = candidatesOf(walk, [node, ...shown.found])
  const offers = offersOf(demand, candidates)
  const again = sourceFrom(demand, offers)
  const soldOut = walk.lines.filter(({ holders }) => holders.numbers.length === 0).length
  if (again.parcels.length !== 1 || again.costFen !== costFen || again.missing.length !== soldOut) return null
  return { plan: { ...again, method: 'exact', boundFen: costFen }, ...kept(candidates, offers, shown) }
}

function kept(candidates: readonly Candidate[], offers: readonly Offer[], { refused }: Shown) {
  return { candidates: [...candidates, ...refusedWithin(refused, candidates)], offers }
}

/** Over all nodes in play where that is exact; over the most promising of them where only a search can go on. */
function solveOver(walk: Walk, demand: readonly DemandLine[], inPlay: readonly number[], shown: Shown): Sourced {
  const isCut = inPlay.length > inPlayMax
  const all = isCut ? promising(walk, demand, inPlay, inPlayMax) : inPlay
  const instance = instanceOf(demand, offersOf(demand, candidatesOf(walk, all)))
  if (!isSmall(instance)) return searchOver(walk, demand, all, shown)
  const solved = solve(instance)
  const solution = isCut ? unproven(solved) : solved
  const chosen = nodesOf(walk, instance, solution.assignment, all)
  const candidates = candidatesOf(walk, [...chosen, ...shown.found])
  const offers = offersOf(demand, candidates)
  return { plan: planAgain(demand, instance, solution, offers), ...kept(candidates, offers, shown) }
}

/** The trace keeps all nodes that were searched. */
function searchOver(walk: Walk, demand: readonly DemandLine[], all: readonly number[], shown: Shown): Sourced {
  const isAll = all.length <= searchedMax
  const nodes = isAll ? all : promising(walk, demand, all, searchedMax)
  const candidates = candidatesOf(walk, [...nodes, ...shown.found.slice(0, shownOfSearchedMax)])
  const offers = offersOf(demand, candidates)
  const instance = instanceOf(demand, offers)
  const { assignment, method, boundFen } = isAll ? solve(instance) : unproven(solve(instance))
  return { plan: planOf(instance, demand, assignment, method, boundFen), ...kept(candidates, offers, shown) }
}

/** What was proven over some nodes is not proven over all. */
function unproven({ assignment }: Solution): Solution {
  return { assignment, method: 'heuristic', boundFen: 0 }
}

/** The plan that a replay finds: over what the trace keeps, with what was proven over everything. */
function planAgain(
  demand: readonly DemandLine[],
  instance: Instance,
  solution: Solution,
  offers: readonly Offer[],
): Plan {
  const { method, boundFen } = solution
  const again = instanceOf(demand, offers)
  const { assignment } = solve(again)
  const { costFen } = rankOf(again, assignment)
  // A search over fewer nodes may end elsewhere. Then the plan is the one that a replay finds, and says no more than it can.
  const isAsGood = costFen <= rankOf(instance, solution.assignment).costFen
  const proven = costFen <= boundFen ? 'exact' : isAsGood ? method : 'heuristic'
  return planOf(again, demand, assignment, proven, boundFen)
}

/** The nodes that a plan uses. */
function nodesOf({ network }: Walk, instance: Instance, assignment: Assignment, nodes: readonly number[]): number[] {
  const used = new Set(instance.offers.filter((_, node) => isUsed(instance, assignment, node)).map(({ node }) => node))
  return nodes.filter((node) => used.has(network.nodes[node]!.node))
}

/**
 * The nodes that a search should look at: for every line the node where its weight costs least and the nodes that have most of
 * it, until there is enough; then those whose share of the order is cheapest.
 */
function promising({ tariffs, lines }: Walk, demand: readonly DemandLine[], nodes: readonly number[], count: number) {
  const chosen = new Set<number>()
  const units = nodes.map((node) =>
    lines.map((line, at) => Math.min(demand[at]!.quantity, Math.floor(line.unitsAt(node)))),
  )
  const price = nodes.map((node, n) => {
    let share = 0
    let grams = 0
    for (const [at, { quantity, grams: unitGrams }] of demand.entries()) {
      share += units[n]![at]! / quantity
      grams += units[n]![at]! * unitGrams
    }
    return tariffFen(tariffs.list[tariffs.of[node]!]!, grams) / share
  })
  const byPrice = nodes.map((_, n) => n).sort((a, b) => price[a]! - price[b]! || nodes[a]! - nodes[b]!)
  for (const [at, { quantity }] of demand.entries()) {
    const cost = (n: number) => tariffFen(tariffs.list[tariffs.of[nodes[n]!]!]!, units[n]![at]! * demand[at]!.grams)
    const holders = byPrice.filter((n) => units[n]![at]! > 0)
    holders.sort((a, b) => units[b]![at]! - units[a]![at]! || cost(a) - cost(b))
    let there = 0
    for (const n of byPrice) if (chosen.has(n)) there += units[n]![at]!
    for (let next = 0; next < holders.length && (there < quantity || next === 0); next++) {
      if (chosen.has(holders[next]!)) continue
      chosen.add(holders[next]!)
      there += units[holders[next]!]![at]!
    }
  }
  for (let next = 0; next < byPrice.length && chosen.size < count; next++) chosen.add(byPrice[next]!)
  return [...chosen].map((n) => nodes[n]!)
}

interface Shown {
  /** Nodes that have something and may serve, nearest first. */
  readonly found: readonly number[]
  readonly refused: readonly Candidate[]
}

function showNearby({ lines, ruleFor, point }: Walk, network: Network): Shown {
  const found: number[] = []
  const refused: Candidate[] = []
  const near = network.nearest(point, nearbyMax)
  for (let at = 0; at < near.length && found.length < shownMax; at++) {
    const index = near[at]!
    const rule: SourcingRule | null = ruleFor(index) ?? (hasAny(lines, index) ? null : 'insufficient_stock')
    if (rule === null) found.push(index)
    else if (refused.length < refusedMax) {
      refused.push({ node: network.nodes[index]!, km: kmTo(network, point, index), available: [], refusedBy: rule })
    }
  }
  return { found, refused: refused.sort(byDistance) }
}

function hasAny(lines: Walk['lines'], index: number): boolean {
  for (let line = 0; line < lines.length; line++) {
    if (lines[line]!.holders.numbers.length > 0 && lines[line]!.unitsAt(index) >= 1) return true
  }
  return false
}

/** Of each node once, nearest first. */
function candidatesOf({ network, point, lines }: Walk, nodes: readonly number[]): Candidate[] {
  const candidates = [...new Set(nodes)].map((index) => ({
    node: network.nodes[index]!,
    km: kmTo(network, point, index),
    available: lines.map((line) => line.unitsAt(index)),
    refusedBy: null,
  }))
  return candidates.sort(byDistance)
}

/** No farther than the farthest that was found: why those were not taken instead. */
function refusedWithin(refused: readonly Candidate[], candidates: readonly Candidate[]): readonly Candidate[] {
  const kmMax = candidates.at(-1)?.km ?? Number.POSITIVE_INFINITY
  return refused.filter(({ km }) => km <= kmMax)
}

function byDistance(a: Candidate, b: Candidate): number {
  return a.km - b.km || (a.node.node < b.node.node ? -1 : a.node.node > b.node.node ? 1 : 0)
}
