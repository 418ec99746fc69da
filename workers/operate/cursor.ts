import { ApiError } from '../../adapters/http/errors.ts'

/** Lists go by our own ids, and so do their cursors. Throws ApiError on any other. */
export function idOfCursor(cursor: string | undefined): string {
  if (cursor === undefined) return '0'
  if (!/^\d{1,18}$/.test(cursor))
    throw new ApiError('invalid_request', 'cursor: must be a nextCursor from an earlier answer.')
  return cursor
}
