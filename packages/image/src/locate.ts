/**
 * From a place in an image's code back to the guest's own file.
 */
import type { Image } from "@capos/abi";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import type { Place } from "./build-error.js";

/**
 * The place in the guest's files of a place in its image, as a fault reports it. Lines and columns count
 * from 1, on both sides. Null for code that is not the guest's (checks, the bundler's helpers).
 */
export function locate(image: Image, line: number, column: number): Place | null {
  if (line < 1 || column < 1) return null;
  const found = originalPositionFor(new TraceMap(image.map), { line, column: column - 1 });
  if (found.source === null) return null;
  return { file: found.source, line: found.line, column: found.column + 1 };
}
