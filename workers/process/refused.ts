/** A verb that a person or a program asked for and that was not carried out, with the reason in the words of the error table. */
import type { ErrorCode } from '../../adapters/http/errors.ts'

export interface Refused {
  readonly outcome: 'refused'
  readonly code: ErrorCode
  /** For the caller; absent: what the table says of the code. Holds no personal data. */
  readonly message?: string
}

export interface Done {
  readonly outcome: 'done'
}

export const done: Done = { outcome: 'done' }

export function refused(code: ErrorCode, message?: string): Refused {
  return { outcome: 'refused', code, ...(message === undefined ? {} : { message }) }
}
