/**
 * The point of no return. Between `beginCommit` and `endCommit` an operation changes state and cannot
 * fail; a worker that dies in there leaves the machine inconsistent, so the host panics instead of
 * recovering the core. Nothing in a commit allocates.
 */

import { assert } from "./assert.js";
import { CHECKED } from "./build.js";
import type { Core } from "./core.js";
import { KernelCore } from "./layout.js";

export function beginCommit(k: Core): void {
  if (CHECKED) assert(k.i32[k.area + KernelCore.COMMIT] === 0, "commit closed");
  k.i32[k.area + KernelCore.COMMIT] = 1;
}

export function endCommit(k: Core): void {
  if (CHECKED) assert(k.i32[k.area + KernelCore.COMMIT] === 1, "commit open");
  k.i32[k.area + KernelCore.COMMIT] = 0;
}
