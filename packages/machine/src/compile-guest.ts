/** From a guest's file to its image, for applications: needs no machine, and loads nothing of one. */
import type { Image } from "@capos/abi";
import { bundleGuest, GuestBuildError } from "@capos/image";
import { UsageError } from "./errors.js";

export interface CompileOptions {
  /** The folder that the guest's files are in: it can import none beside or above it. The file's own unless given. */
  readonly root?: string | undefined;
  /** Ends the work at once when it aborts. */
  readonly signal?: AbortSignal;
}

/**
 * Makes the image of a guest that was read.
 * @throws UsageError with one line that names file and place; the signal's reason
 */
export type MakeImage = () => Promise<Image>;

/**
 * Reads and bundles a guest's file, which finds most mistakes; the rest of the work is what it answers.
 * @throws UsageError with one line that names file and place; the signal's reason
 */
export async function readGuest(file: string, { root, signal }: CompileOptions = {}): Promise<MakeImage> {
  const bundle = await asUsage(() =>
    bundleGuest(file, { ...(root !== undefined && { root }), ...(signal !== undefined && { signal }) }),
  );
  return () => asUsage(() => bundle.makeImage());
}

/** Bundles and instruments a guest's file: see `readGuest`. */
export async function compileGuest(file: string, options: CompileOptions = {}): Promise<Image> {
  return (await readGuest(file, options))();
}

async function asUsage<Result>(build: () => Promise<Result>): Promise<Result> {
  try {
    return await build();
  } catch (error) {
    if (error instanceof GuestBuildError) throw new UsageError(error.message);
    throw error;
  }
}
