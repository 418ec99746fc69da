/**
 * Which signatures came lately, and with what. The platforms' signatures join names and values without separators and
 * do not cover the URL, so one that was seen could be sent again with its bytes cut elsewhere, or to another shop of the
 * same app. Both are another content under a known signature: refused. The same content again is no matter of this
 * memory: the inbox knows the event, and it is acknowledged as the duplicate that it is, without a second effect.
 *
 * A signature is only taken inside its platform's time window, so nothing has to be forgotten by time; memory is a table
 * of fixed size in which newer entries overwrite older ones. What it has forgotten, and what another process saw, is
 * still caught by the inbox when it is the same event. Only verified signatures are noted, so only callers that know a
 * secret can fill it.
 */
import { hash } from 'node:crypto'

// 16 bytes each: 8 MiB hold the signatures of four minutes at 2,000 a second.
const slotsDefault = 2 ** 19

export type Replay = 'first' | 'same_content' | 'other_content'

export class ReplayMemory {
  readonly #slots: number
  readonly #table: Uint32Array

  /** `slots`: a power of two. */
  constructor(slots: number = slotsDefault) {
    this.#slots = slots
    this.#table = new Uint32Array(slots * 4)
  }

  /** `signatureHex` and `contentHash` have at least 16 digits; `place` names the shop that it was sent to. */
  note(signatureHex: string, place: string, contentHash: string): Replay {
    const [high, low] = [wordAt(signatureHex, 0), wordAt(signatureHex, 8)]
    const [first, second] = [wordAt(contentHash, 0), (wordAt(contentHash, 8) ^ placeNumber(place)) >>> 0]
    const at = (low & (this.#slots - 1)) * 4
    const table = this.#table
    if (table[at] === high && table[at + 1] === low)
      return table[at + 2] === first && table[at + 3] === second ? 'same_content' : 'other_content'
    table[at] = high
    table[at + 1] = low
    table[at + 2] = first
    table[at + 3] = second
    return 'first'
  }
}

/** Eight hex digits. */
function wordAt(hex: string, from: number): number {
  return Number.parseInt(hex.slice(from, from + 8), 16)
}

const placeNumbers = new Map<string, number>()

/** Places are shops that the operator made: few, and remembered. */
function placeNumber(place: string): number {
  let number = placeNumbers.get(place)
  if (number === undefined) {
    number = wordAt(hash('sha256', place), 0)
    placeNumbers.set(place, number)
  }
  return number
}
