/** What the host does not give a machine, as applications are told. */
import { HostError } from "@capos/hal/host";
import { ExitStatus, MachineError } from "./errors.js";

/**
 * Does what needs something of the host's.
 * @throws MachineError with one line if the host does not give it
 */
export async function fromHost<Result>(work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof HostError ? new MachineError(error.message, ExitStatus.USAGE) : error;
  }
}
