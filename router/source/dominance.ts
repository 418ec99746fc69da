/**
 * Leaves out nodes that another node replaces in every plan. Y replaces X where Y's tariff `mergesWell`, Y has every line whole
 * of which X has anything, and Y charges less for whatever X would ship: what a plan ships from X then costs less from Y, in
 * Y's parcel or in a parcel of its own. Where both have one tariff, Y has to have as much of each of these lines as X: then Y has
 * more left, or it is as much and Y is nearer.
 */
import { type Tariff, tariffFen } from '../freight.ts'
import { mergesWell } from './optimum.ts'
import { leftMax } from './unit-sets.ts'
import { isNearer, type Walk, type WalkLine } from './walk.ts'

/** A set of lines is the bits of one number. */
const linesMax = 30

interface Group {
  readonly tariff: number
  /** Lines of which the nodes have anything. */
  readonly mask: number
  readonly members: Member[]
  /** Some member has all of `mask` whole. */
  hasWhole: boolean
}

interface Member {
  readonly node: number
  readonly isWhole: boolean
  /** Of each line, as far as it makes a difference. */
  readonly units: readonly number[]
}

export function withoutDominated(walk: Walk, lines: readonly WalkLine[], nodes: readonly number[]): readonly number[] {
  if (lines.length > linesMax) return nodes
  const groups = groupsOf(walk, lines, nodes)
  const { list } = walk.tariffs
  const replacing = groups.filter(({ tariff, hasWhole }) => hasWhole && mergesWell(list[tariff]!))
  const kept: number[] = []
  for (const group of groups) {
    const { tariff, mask, members } = group
    const isReplaced = replacing.some(
      (other) => (other.mask & mask) === mask && isCheaper(list[other.tariff]!, list[tariff]!),
    )
    if (isReplaced) continue
    const front = group.hasWhole && mergesWell(list[tariff]!) ? frontOf(walk, members) : members
    for (const { node } of front) kept.push(node)
  }
  return kept
}

function groupsOf({ tariffs }: Walk, lines: readonly WalkLine[], nodes: readonly number[]): Group[] {
  const groups = new Map<number, Group>()
  for (const node of nodes) {
    let mask = 0
    let isWhole = true
    const units: number[] = []
    for (let line = 0; line < lines.length; line++) {
      const { quantity } = lines[line]!
      const there = Math.min(Math.floor(lines[line]!.unitsAt(node)), quantity + leftMax)
      units.push(there)
      if (there <= 0) continue
      mask |= 1 << line
      if (there < quantity) isWhole = false
    }
    const tariff = tariffs.of[node]!
    const key = tariff * 2 ** linesMax + mask
    let group = groups.get(key)
    if (group === undefined) {
      group = { tariff, mask, members: [], hasWhole: false }
      groups.set(key, group)
    }
    group.members.push({ node, isWhole, units })
    if (isWhole) group.hasWhole = true
  }
  return [...groups.values()]
}

/** Less for any weight. */
function isCheaper(a: Tariff, b: Tariff): boolean {
  return (
    tariffFen(a, 0) < tariffFen(b, 0) &&
    a.baseFen < b.baseFen &&
    a.stepFen <= b.stepFen &&
    a.firstGrams >= b.firstGrams &&
    a.stepGrams >= b.stepGrams
  )
}

/** Members that no whole member replaces. */
function frontOf(walk: Walk, members: readonly Member[]): readonly Member[] {
  let front: Member[] = []
  for (const member of members) {
    if (front.some((other) => replaces(walk, other, member))) continue
    front = front.filter((other) => !replaces(walk, member, other))
    front.push(member)
  }
  return front
}

function replaces(walk: Walk, a: Member, b: Member): boolean {
  if (!a.isWhole) return false
  let isMore = false
  for (let line = 0; line < a.units.length; line++) {
    if (a.units[line]! < b.units[line]!) return false
    if (a.units[line]! > b.units[line]!) isMore = true
  }
  return isMore || isNearer(walk, a.node, b.node)
}
