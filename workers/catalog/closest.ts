/**
 * The closest of many, at most so many: a heap with the farthest of them on top, so that nearly everything that comes is
 * refused by one comparison. Equally far ones rank by their number, so that the answer does not depend on who came first.
 */
export class Closest {
  readonly #max: number
  readonly #items: number[] = []
  readonly #distances: number[] = []
  /** What is farther away is not wanted. */
  farthest = Number.POSITIVE_INFINITY

  /** `max` is at least 1. */
  constructor(max: number) {
    this.#max = max
  }

  /** Whether it would be among them as things stand. */
  wants(item: number, distance: number): boolean {
    return this.#items.length < this.#max || isBefore(distance, item, this.#distances[0]!, this.#items[0]!)
  }

  /** Only what it wants, and each item once. */
  add(item: number, distance: number): void {
    if (this.#items.length < this.#max) this.#rise(this.#items.length, item, distance)
    else this.#sink(item, distance)
    if (this.#items.length === this.#max) this.farthest = this.#distances[0]!
  }

  /** The closest first. */
  inOrder(): number[] {
    const places = this.#items.map((_, place) => place)
    places.sort((a, b) => this.#distances[a]! - this.#distances[b]! || this.#items[a]! - this.#items[b]!)
    return places.map((place) => this.#items[place]!)
  }

  #rise(from: number, item: number, distance: number): void {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!isBefore(this.#distances[parent]!, this.#items[parent]!, distance, item)) break
      this.#put(place, this.#items[parent]!, this.#distances[parent]!)
      place = parent
    }
    this.#put(place, item, distance)
  }

  /** Takes the place of the farthest. */
  #sink(item: number, distance: number): void {
    const length = this.#items.length
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= length) break
      if (child + 1 < length && this.#isBefore(child, child + 1)) child += 1
      if (!isBefore(distance, item, this.#distances[child]!, this.#items[child]!)) break
      this.#put(place, this.#items[child]!, this.#distances[child]!)
      place = child
    }
    this.#put(place, item, distance)
  }

  #isBefore(a: number, b: number): boolean {
    return isBefore(this.#distances[a]!, this.#items[a]!, this.#distances[b]!, this.#items[b]!)
  }

  #put(place: number, item: number, distance: number): void {
    this.#items[place] = item
    this.#distances[place] = distance
  }
}

/** The order in which everything here is: by distance, then by number. */
export function isBefore(distance: number, item: number, otherDistance: number, otherItem: number): boolean {
  return distance < otherDistance || (distance === otherDistance && item < otherItem)
}
