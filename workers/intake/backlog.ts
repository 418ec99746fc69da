/**
 * How many acknowledged events are not decided yet: those of the database as of its last count, and those in memory.
 */
export class Backlog {
  #inMemory: () => number = () => 0
  #inDatabase = 0

  /** `inMemory`: events that this process holds. They are in the database as well. */
  watch(inMemory: () => number): void {
    this.#inMemory = inMemory
  }

  get inDatabase(): number {
    return this.#inDatabase
  }

  get size(): number {
    return Math.max(this.#inDatabase, this.#inMemory())
  }

  count(inDatabase: number): void {
    this.#inDatabase = inDatabase
  }

  /** `count` events left memory for the database. Holds until the next count. */
  leave(count: number): void {
    this.#inDatabase += count
  }
}
