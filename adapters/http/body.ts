/**
 * Collects a body of unknown length without ever holding more than its limit. Chunks belong to the socket and vanish
 * after the callback, so they are copied; the result's memory belongs to the caller alone (it may be transferred).
 */
export interface BodyBuffer {
  /** False when the body is now larger than the limit: what was kept is dropped and nothing more is kept. */
  add(chunk: ArrayBuffer): boolean
  /** Counts bytes and throws them away. */
  drop(bytes: number): void
  received(): number
  /** Bytes of memory that it takes now. */
  held(): number
  take(): Uint8Array
}

// Thousands may send a byte a second: what they hold is to be in proportion to what they sent.
const firstBytes = 1024

export function bodyBuffer(bytesMax: number): BodyBuffer {
  let kept: Uint8Array<ArrayBuffer> | null = null
  let length = 0
  let over = false
  return {
    add(chunk) {
      const before = length
      length += chunk.byteLength
      if (over || length > bytesMax) {
        over = true
        kept = null
        return false
      }
      if (kept === null) {
        // Most bodies come in one chunk: an exact copy. The slice is exclusive, unlike Buffer's pool.
        kept = new Uint8Array(chunk.slice(0))
        return true
      }
      if (length > kept.length) {
        // Grows by what has come, not by what a header announces: announcing much costs us nothing.
        const grown = new Uint8Array(Math.min(bytesMax, Math.max(firstBytes, length * 2)))
        grown.set(kept.subarray(0, before))
        kept = grown
      }
      kept.set(new Uint8Array(chunk), before)
      return true
    },
    drop(bytes) {
      length += bytes
      over = true
      kept = null
    },
    received: () => length,
    held: () => kept?.length ?? 0,
    take() {
      const whole: Uint8Array<ArrayBuffer> = kept ?? new Uint8Array(0)
      const exact = whole.length === length ? whole : whole.slice(0, length)
      return Buffer.from(exact.buffer, 0, exact.length)
    },
  }
}
