/** Which kind of context an image is for. */
import type { ContextKind } from "@capos/engine";
import { moduleKind } from "@capos/hal";
import type { Core } from "./core.js";
import { KernelPanic } from "./kernel-panic.js";
import { Image } from "./layout.js";
import type { ImageRef } from "./references.js";

/** The kind of guest that an image is. One of an unknown kind never becomes an object. */
export function kindOf(k: Core, image: ImageRef): ContextKind {
  const number = moduleKind(k.memory, k.i32[image + Image.MODULE]);
  const kind = k.engine!.kinds[number];
  if (kind === undefined) throw new KernelPanic(`no engine of core ${k.id} runs images of kind ${number}`);
  return kind;
}
