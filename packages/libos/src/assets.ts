/**
 * Images that a guest imports: `import worker from "./worker.ts" with { type: "image" }`.
 *
 * The type of `worker` is that of the file's default export. What it is in a guest is a marker that the image builder puts
 * there: the number of the image among those that came with the importer's own, and the numbers of those that this image imports
 * in turn. A number names a slot of one's own CSpace, so a marker that somebody makes up gives nothing that he has not.
 */
import { Err, type Main, SlotState, type Sys } from "@capos/abi";
import type { Environment } from "./environment.js";
import { IpcError } from "./ipc-error.js";
import { cnode } from "./kernel-calls.js";
import type { Steps } from "./steps.js";

/** An image that can be run: a handle, and handles of the images that it imports, as it numbers them. */
export interface ProgramImage {
  readonly handle: number;
  readonly assets: readonly number[];
}

/** What the image builder makes of an import: see `assets.ts` there. */
interface Marker {
  readonly image: string;
  readonly index: number;
  readonly assets: readonly number[];
}

/** The name of an imported image's file; null for what is no imported image. */
export function assetName(program: unknown): string | null {
  return isMarker(program) ? program.image : null;
}

/**
 * The capabilities by which an image is run: one that was imported, or what a handle names, with what that imports if it is
 * the process's own or was handed over with it.
 * @throws TypeError for what is no number and was not imported as an image; `IpcError`: `NOT_FOUND` if whoever started this
 * process did not give it what its image imports
 */
export function* imageOf(sys: Sys, environment: Environment, program: Main | number): Steps<ProgramImage> {
  if (typeof program === "number")
    return { handle: program, assets: yield* broughtBy(sys, environment, program) };
  const marker: unknown = program;
  if (!isMarker(marker))
    throw new TypeError('no image: import the program with { type: "image" }, or give a handle of its image');
  const [handle, ...assets] = yield* assetHandles(
    sys,
    environment,
    [marker.index, ...marker.assets],
    marker.image,
  );
  return { handle: handle!, assets };
}

/** Handles of what came with the image that a handle names. */
function* broughtBy(sys: Sys, environment: Environment, handle: number): Steps<number[]> {
  const { cnode: own, assets, image, name } = environment;
  if (handle === image)
    return yield* assetHandles(
      sys,
      environment,
      Array.from({ length: assets.count }, (_, i) => i),
      name,
    );
  const end = assets.first + assets.count + assets.brought;
  for (let slot = assets.first + assets.count; slot < end; slot++) {
    const head = yield* cnode.inspect(sys, own, slot);
    const handles: number[] = [];
    for (slot++; slot < end; slot++) {
      const one = yield* cnode.inspect(sys, own, slot);
      if (one.state !== SlotState.LIVE) break;
      handles.push(one.handle);
    }
    if (head.handle === handle) return handles;
  }
  return [];
}

/** Handles of what one's own image imports: those with the given numbers. */
function* assetHandles(
  sys: Sys,
  { cnode: own, assets }: Environment,
  numbers: readonly number[],
  name: string,
): Steps<number[]> {
  const handles: number[] = [];
  for (const number of numbers) {
    const slot = isOf(number, assets.count) ? yield* cnode.inspect(sys, own, assets.first + number) : null;
    if (slot?.state !== SlotState.LIVE)
      throw new IpcError(
        Err.NOT_FOUND,
        `image ${name}`,
        "this process was started without the images that its own imports",
      );
    handles.push(slot.handle);
  }
  return handles;
}

function isOf(number: number, count: number): boolean {
  return Number.isInteger(number) && number >= 0 && number < count;
}

function isMarker(value: unknown): value is Marker {
  return typeof value === "object" && value !== null && typeof (value as Partial<Marker>).image === "string";
}
