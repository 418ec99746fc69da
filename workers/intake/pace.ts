/**
 * How long the intake waits between two commits. A sender that waits for an ACK before it sends the next event is
 * slowed down to the rate of the decisions: events that wait fit into memory, and taking new ones in leaves the threads
 * the time to decide. A sender with a clock of its own is taken in as before, some tenths of a second later.
 */

// A tenth of what the least patient platform waits.
const pauseMsMax = 400

/**
 * `unhurried`: up to this number of events in memory the intake does not wait. `memoryMax`: from here on the longest
 * pause.
 */
export function pauseMs(eventsInMemory: number, unhurried: number, memoryMax: number): number {
  const share = (eventsInMemory - unhurried) / Math.max(1, memoryMax - unhurried)
  return Math.round(Math.min(1, Math.max(0, share)) * pauseMsMax)
}
