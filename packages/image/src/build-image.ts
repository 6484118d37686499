/**
 * From a guest's file to its image.
 */
import { basename } from "node:path";
import { type ResourceLimits, Worker } from "node:worker_threads";
import type { Image } from "@capos/abi";
import { GuestBuildError } from "./build-error.js";
import { type BundledSource, bundle } from "./bundler.js";
import type { DeepAnswer } from "./deep-worker.js";
import { type Ingredients, makeImage } from "./make-image.js";
import { TOO_DEEP } from "./nesting.js";
import { findEntry } from "./sources.js";

export interface ImageOptions {
  /** What the image is called in messages; the name of the file unless given. */
  readonly name?: string;
  /** The folder that the guest's files are in: it can import none beside or above it. The file's own unless given. */
  readonly root?: string;
}

/** The stack of the thread that reads deep code: acorn takes 300 bytes for each of a hundred thousand `+`. */
const DEEP: ResourceLimits = Object.freeze({ stackSizeMb: 256 });

/** A guest whose files were read. What is left is work for a thread, and takes files in one rare case. */
export interface GuestBundle {
  /** @throws GuestBuildError with one line for whoever wrote the guest */
  makeImage(): Promise<Image>;
}

/**
 * Reads and bundles a guest's TypeScript or JavaScript file. Runs nothing of the guest.
 * @throws GuestBuildError with one line for whoever wrote the guest
 */
export async function bundleGuest(entryFile: string, options: ImageOptions = {}): Promise<GuestBundle> {
  const entry = await findEntry(entryFile, options.root);
  const name = options.name ?? basename(entryFile);
  const make = (source: BundledSource) => makeAtAnyDepth({ source, entryFile: entry.file, name });
  const source = await bundle(entry, false);
  return {
    async makeImage() {
      // esbuild can spell `const {a, ...rest} = text` as a loop.
      const image = (await make(source)) ?? (await make(await bundle(entry, true)));
      if (image === null) throw new Error("esbuild has left an object's rest in the bundle");
      return image;
    },
  };
}

/** Builds the image of a guest from its file: see `bundleGuest`. */
export async function buildImage(entryFile: string, options: ImageOptions = {}): Promise<Image> {
  return (await bundleGuest(entryFile, options)).makeImage();
}

/** On the caller's stack if that will do, as it nearly always does; else on that of a thread for it. */
async function makeAtAnyDepth(ingredients: Ingredients): Promise<Image | null> {
  try {
    return makeImage(ingredients);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const answer = await askDeepWorker(ingredients);
  if ("image" in answer) return answer.image;
  const { reason, place } = answer.error ?? {
    reason: TOO_DEEP,
    place: { file: ingredients.entryFile, line: 1, column: 1 },
  };
  throw new GuestBuildError(reason, place);
}

async function askDeepWorker(ingredients: Ingredients): Promise<DeepAnswer> {
  const worker = new Worker(new URL("./deep-worker.js", import.meta.url), {
    workerData: ingredients,
    resourceLimits: DEEP,
  });
  try {
    return await new Promise<DeepAnswer>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
  } finally {
    await worker.terminate();
  }
}
