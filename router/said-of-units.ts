/** What the platform and a person say of single units of a line. Units are those of the line as it was ordered. */

/** Units of one line. Σ ≤ the line's quantity. */
export interface RefundUnits {
  readonly requested: number
  readonly refunded: number
}

/**
 * What a person said of the units of one line: so many go, so many wait, so many are not wanted any more. Σ = the
 * line's quantity when it was said.
 */
export interface LineWord {
  readonly lineId: string
  readonly ship: number
  readonly hold: number
  readonly cancel: number
}
