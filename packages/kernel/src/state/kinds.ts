/** Which kind of context an image is for. */
import type { ContextKind } from "@capos/engine";
import { moduleKind } from "@capos/hal";
import type { Core } from "./core.js";
import { KernelPanic } from "./kernel-panic.js";

/** The kind of guest that an image is: whoever loaded it, or made the core's program, chose it. */
export function kindOf(k: Core, image: number): ContextKind {
  const kind = k.engine!.kinds[moduleKind(k.memory, image)];
  if (kind === undefined)
    throw new KernelPanic(`no engine of core ${k.id} runs images of kind ${moduleKind(k.memory, image)}`);
  return kind;
}
