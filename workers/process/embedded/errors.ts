/** What can go wrong while the embedded servers start. The message says what to do; `code` is stable. */
export type EmbeddedErrorCode =
  | 'data_dir_in_use'
  | 'data_dir_not_ours'
  | 'data_dir_not_reachable'
  | 'server_missing'
  | 'server_did_not_start'
  | 'earlier_server_does_not_stop'

export class EmbeddedError extends Error {
  readonly code: EmbeddedErrorCode

  constructor(code: EmbeddedErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
