/**
 * From a guest's file to its image.
 */
import { basename } from "node:path";
import { type ResourceLimits, Worker } from "node:worker_threads";
import type { Image } from "@capos/abi";
import { type BundledProgram, programsOf } from "./assets.js";
import { GuestBuildError } from "./build-error.js";
import type { BundledSource } from "./bundler.js";
import type { WorkerAnswer } from "./image-worker.js";
import { type Ingredients, makeImage } from "./make-image.js";
import { TOO_DEEP } from "./nesting.js";
import { findEntry, withImporter } from "./sources.js";

export interface ImageOptions {
  /** What the image is called in messages; the name of the file unless given. */
  readonly name?: string;
  /** The folder that the guest's files are in: it can import none beside or above it. The file's own unless given. */
  readonly root?: string;
  /** Its abort ends the build at once, with its reason. */
  readonly signal?: AbortSignal;
}

/** Characters of a bundle that are worked through in some tens of milliseconds: more is done beside the caller's thread. */
const MUCH = 2 ** 18;
/** The stack of the thread that reads deep code: acorn takes 300 bytes for each of a hundred thousand `+`. */
const DEEP: ResourceLimits = Object.freeze({ stackSizeMb: 256 });

/** A guest whose files were read. What is left is work for a thread, and takes files in one rare case. */
export interface GuestBundle {
  /** @throws GuestBuildError with one line for whoever wrote the guest */
  makeImage(): Promise<Image>;
}

/**
 * Reads and bundles a guest's TypeScript or JavaScript file. Runs nothing of the guest.
 * @throws GuestBuildError with one line for whoever wrote the guest; the signal's reason
 */
export async function bundleGuest(entryFile: string, options: ImageOptions = {}): Promise<GuestBundle> {
  const entry = await findEntry(entryFile, options.root);
  const name = options.name ?? basename(entryFile);
  const { signal } = options;
  const programs = await programsOf(entry, signal);
  return {
    async makeImage() {
      const image = await make(programs.entry, name, signal);
      if (programs.assets.length === 0) return image;
      const assets: Image[] = [];
      for (const asset of programs.assets) assets.push(await make(asset, basename(asset.entry.file), signal));
      return withAssets(image, assets);
    },
  };
}

async function make(program: BundledProgram, name: string, signal: AbortSignal | undefined): Promise<Image> {
  const makeFrom = async (source: BundledSource): Promise<Image | null> => {
    try {
      return await makeOfAny({ source, entryFile: program.entry.file, name }, signal);
    } catch (error) {
      throw error instanceof GuestBuildError ? withImporter(error, source.libraries) : error;
    }
  };
  // esbuild can spell `const {a, ...rest} = text` as a loop.
  const image = (await makeFrom(program.source)) ?? (await makeFrom(await program.lowered()));
  if (image === null) throw new Error("esbuild has left an object's rest in the bundle");
  return image;
}

/** Its map is made for who asks first. */
function withAssets(image: Image, assets: readonly Image[]): Image {
  return {
    name: image.name,
    code: image.code,
    get map() {
      return image.map;
    },
    assets,
  };
}

/** Builds the image of a guest from its file: see `bundleGuest`. */
export async function buildImage(entryFile: string, options: ImageOptions = {}): Promise<Image> {
  return (await bundleGuest(entryFile, options)).makeImage();
}

/** On the caller's thread if its time and its stack will do, as they nearly always do; else on one for it. */
async function makeOfAny(ingredients: Ingredients, signal: AbortSignal | undefined): Promise<Image | null> {
  if (ingredients.source.code.length <= MUCH) {
    try {
      return makeImage(ingredients);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  const answer = await askWorker(ingredients, signal);
  if ("image" in answer) return answer.image;
  const { reason, place } = answer.error ?? {
    reason: TOO_DEEP,
    place: { file: ingredients.entryFile, line: 1, column: 1 },
  };
  throw new GuestBuildError(reason, place);
}

async function askWorker(ingredients: Ingredients, signal: AbortSignal | undefined): Promise<WorkerAnswer> {
  signal?.throwIfAborted();
  const worker = new Worker(new URL("./image-worker.js", import.meta.url), {
    workerData: ingredients,
    resourceLimits: DEEP,
  });
  let abandon = (): void => {};
  try {
    return await new Promise<WorkerAnswer>((resolve, reject) => {
      abandon = () => reject(signal!.reason);
      signal?.addEventListener("abort", abandon);
      worker.once("message", resolve);
      worker.once("error", reject);
    });
  } finally {
    signal?.removeEventListener("abort", abandon);
    await worker.terminate();
  }
}
