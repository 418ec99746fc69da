/**
 * Every error that an API caller can meet: its status and what to do about it. The caller sees the code and the
 * advice, never a detail of ours; details go to the log. Add a code here and it is in the OpenAPI document too.
 */
export const errorTable = {
  malformed_json: [400, 'The body is not JSON in UTF-8. Send one JSON object.'],
  malformed_path: [400, 'A part of the path is not valid percent-encoded UTF-8 text. Encode it again.'],
  malformed_query: [400, 'The query string is not valid percent-encoded UTF-8 text, or names a key twice.'],
  invalid_request: [400, 'The request does not have the documented shape. Correct the named field.'],
  unauthorized: [401, 'Send "Authorization: Bearer <token>" with a valid token.'],
  not_found: [404, 'There is nothing here that this token may see. Check the path.'],
  unknown_parcel: [404, 'There is no such parcel here. Read the order for its parcels.'],
  method_not_allowed: [405, 'This path does not take this method. See the Allow header.'],
  body_too_slow: [408, 'The body did not arrive in time. Send it again, without pauses.'],
  conflict: [409, 'This contradicts what is already known. Read the current state first.'],
  ref_reused: [409, 'This ref was used before with other lines. Use a new ref for a new posting.'],
  stale_count: [409, 'The goods were counted later than that, or it is over a week ago. Count them again.'],
  node_key_taken: [409, 'Another node uses this apiKey. Choose another.'],
  stale_fence: [409, 'The lease was lost: the fence is not the current one. Pull again and drop this work.'],
  lease_lapsed: [409, 'The lease has run out. Pull again.'],
  wrong_task_state: [409, 'The task is not in a state that allows this. Read it again by pulling.'],
  intercept_requested: [409, 'The buyer cancelled: do not ship. Confirm with /intercept, or reject.'],
  task_changed: [
    409,
    'The receiver changed after the pull. Pull again, print the new label, and send its change with accept or ship; or reject.',
  ],
  nothing_to_intercept: [409, 'No intercept was asked for this task. Go on with it.'],
  lines_do_not_match: [409, 'SKUs or quantities do not fit the task. Send at most what the task holds.'],
  units_do_not_add_up: [409, 'The units to ship, to hold and to cancel are not all that the line has. Read the order.'],
  order_not_held: [409, 'Only a held order can be approved. Read the order first.'],
  order_already_shipped: [409, 'Something of this order has been shipped. Use an after-sale instead of a cancel.'],
  order_closed: [409, 'The order is closed: its parcels have arrived. Take the goods back by an after-sale.'],
  parcel_moved: [409, 'The carrier has this parcel already: it cannot be voided. Have the carrier stop it.'],
  units_in_hand: [
    409,
    'A warehouse has a task of these units in hand and could ship them as well. It has to hand the task back first.',
  ],
  wrong_return_state: [409, 'The return is not in a state that allows this. Read it first.'],
  units_do_not_fit: [
    409,
    'More units than the order sent and has not back, or than the return expects. Read it first.',
  ],
  refund_above_paid: [409, 'With that, more would go back than the buyer paid. Read the order and its returns.'],
  body_too_large: [413, 'The body is larger than this path takes. Send it in parts.'],
  too_many_attempts: [429, 'Too many wrong tokens from this address. Wait for Retry-After seconds.'],
  internal: [500, 'This is our fault and has been logged. Try again; if it stays, report the x-request-id.'],
  try_again: [503, 'The service cannot take this now. Send the same request again shortly.'],
  shutting_down: [503, 'This process is stopping. Send the same request again on a new connection.'],
} as const satisfies Record<string, readonly [status: number, advice: string]>

export type ErrorCode = keyof typeof errorTable

export const errorCodes = Object.keys(errorTable) as ErrorCode[]

/** An answer other than success, thrown by a handler: `message` is for the caller and must not hold personal data. */
export class ApiError extends Error {
  readonly code: ErrorCode
  readonly status: number
  /** Seconds after which trying again makes sense; becomes the Retry-After header. */
  readonly retryAfterSeconds: number | null

  constructor(code: ErrorCode, message: string = errorTable[code][1], retryAfterSeconds: number | null = null) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.status = errorTable[code][0]
    this.retryAfterSeconds = retryAfterSeconds
  }
}
