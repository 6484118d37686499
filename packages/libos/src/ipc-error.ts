/**
 * What a failed call throws: the error code as the kernel or the server answered it, and what was tried.
 *
 * `code` is always one of `Err`, below zero.
 */
import { errorName } from "@capos/abi";

/** A call that was answered with an error. In a server's handler, throwing one answers its code to the caller. */
export class IpcError extends Error {
  // A field, not an assignment: in a hardened realm Error.prototype.name cannot be assigned over.
  override readonly name = "IpcError";

  /**
   * @param code one of `Err`, below zero
   * @param what the operation that failed, first word of the message
   * @param detail what the answer said besides, if anything
   */
  constructor(
    readonly code: number,
    what: string,
    detail = "",
  ) {
    super(`${what}: ${errorName(code)}${detail === "" ? "" : `, ${detail}`}`);
  }
}
