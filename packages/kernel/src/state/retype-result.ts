/**
 * What a retype came to: filled in by `retype`, owned by the core.
 */
export interface RetypeResult {
  /** An `Err`. */
  status: number;
  /** Bytes left where memory ran out. */
  detail: number;
}
