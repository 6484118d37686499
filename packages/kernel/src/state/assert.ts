/** Assertions: what the code below relies on. In a kernel that is checked only, and there a panic. */
import { CHECKED } from "./build.js";
import { KernelPanic } from "./kernel-panic.js";

/** @param tag two or three words that say what must hold */
export function assert(condition: boolean, tag: string): void {
  if (CHECKED && !condition) throw new KernelPanic(`assertion failed: ${tag}`);
}
