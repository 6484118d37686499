/** How the kernel tells the host of a fault: a line on its console, this mark and then JSON. */

/** No text of the kernel's begins with it: a record separator, as before the texts of a JSON sequence. */
export const FAULT_MARK = "\x1e";

/** What a fault is to the host. */
export interface FaultRecord {
  /** Name of the process. */
  readonly process: string;
  /** The number of its image, as the host knows it. */
  readonly image: number;
  readonly fault: string;
  /** Lines and columns in the image, in turn: of what faulted, then of its callers. Zeros where nothing is known. */
  readonly places: readonly number[];
}
