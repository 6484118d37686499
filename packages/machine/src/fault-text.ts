/** A guest's fault, in words for whoever wrote the guest. */
import { relative } from "node:path";
import process from "node:process";
import { type FaultRecord, type Image, visible } from "@capos/abi";
import { type Located, locateAll } from "@capos/image";

/** What a fault is to people. */
export interface FaultText {
  /** One line: where, and what. */
  readonly fault: string;
  /** A line for each function of the guest's own that was being run, the innermost first: `at name (file:line:column)`. */
  readonly stack: readonly string[];
}

/**
 * Describes a fault.
 * @param places lines and columns in the image, in turn: of what faulted, then of its callers
 */
export function describeFault(image: Image, text: string, places: readonly number[]): FaultText {
  const frames = locateAll(image, places);
  return {
    fault: visible(`${frames.length === 0 ? image.name : placeText(frames[0]!)}: ${text}`),
    stack: frames.map(frameText),
  };
}

/** What is logged of a process whose end nobody else tells the host of. `image` is undefined if the host let go of it. */
export function crashText({ fault, places }: FaultRecord, image: Image | undefined): string {
  if (image === undefined) return `faulted: ${fault}`;
  const described = describeFault(image, fault, places);
  return [`faulted: ${described.fault}`, ...(described.stack.length > 1 ? described.stack : [])].join(", ");
}

function frameText(frame: Located): string {
  const place = placeText(frame);
  return visible(frame.functionName === "" ? `at ${place}` : `at ${frame.functionName} (${place})`);
}

/** A path as its user would write it: relative, where it is below the current folder. */
function placeText({ file, line, column }: Located): string {
  const path = relative(process.cwd(), file);
  return `${path.startsWith("..") ? file : path}:${line}:${column}`;
}
