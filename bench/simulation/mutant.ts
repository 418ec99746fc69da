/** One deliberate fault inside the compiled code of a stage. */
export interface Change {
  /** Compiled, from the folder of all of them: workers/decide/dispatch.js. */
  readonly file: string
  readonly from: string
  readonly to: string
}

export interface Mutant extends Change {
  readonly name: string
  /** A second guard of the same thing, which would hide that the first one is gone. */
  readonly also?: Change
  /** Noticed by so few seeds, if by any, that `npm test` does not look for one: `npm run simulate -- --mutants` does. */
  readonly isRare?: true
}
