/**
 * The images that a machine's host has loaded: each once, and kept for the next run as long as there is room.
 *
 * A run uses its images until it has ended. When the store is full, the image that was used longest ago is let go
 * of; a process that outlives its run may still hold it, so its room is free a moment later, or not at all.
 */
import type { Image } from "@capos/abi";
import { ModuleStoreFullError, ModuleTooLargeError } from "@capos/hal";
import type { Machine } from "@capos/hal/host";
import { UsageError } from "./errors.js";

/** How often the host looks whether an image's room is free, a millisecond apart. */
const LOOKS = 50;

/** Loads an image. Throws UsageError if there is no room for it. */
export function load(machine: Machine, image: Image): number {
  try {
    return machine.load(image.name, image.code);
  } catch (error) {
    throw asUsage(error);
  }
}

function asUsage(error: unknown): unknown {
  const isFull = error instanceof ModuleStoreFullError || error instanceof ModuleTooLargeError;
  return isFull ? new UsageError(error.message) : error;
}

interface Loaded {
  readonly number: number;
  /** Runs that use it. */
  users: number;
}

export class LoadedImages {
  /** In the order of their last use. */
  readonly #loaded = new Map<Image, Loaded>();

  constructor(private readonly machine: Machine) {}

  /** The numbers of images, each loaded if it is not there, until `release`. Throws UsageError if there is no room. */
  async use(images: readonly Image[]): Promise<number[]> {
    const numbers: number[] = [];
    try {
      for (const image of images) numbers.push(await this.#useOne(image));
      return numbers;
    } catch (error) {
      this.release(images.slice(0, numbers.length));
      throw error;
    }
  }

  /** They are used once less. */
  release(images: readonly Image[]): void {
    for (const image of images) this.#loaded.get(image)!.users--;
  }

  async #useOne(image: Image): Promise<number> {
    for (;;) {
      const known = this.#loaded.get(image);
      if (known !== undefined) {
        known.users++;
        this.#loaded.delete(image);
        this.#loaded.set(image, known);
        return known.number;
      }
      try {
        this.#loaded.set(image, { number: this.machine.load(image.name, image.code), users: 0 });
      } catch (error) {
        // For one that fits nowhere no other has to go.
        if (!(error instanceof ModuleStoreFullError && (await this.#makeRoom()))) throw asUsage(error);
      }
    }
  }

  /** Lets go of the image that was used longest ago. False if all are in use. */
  async #makeRoom(): Promise<boolean> {
    for (const [image, { number, users }] of this.#loaded) {
      if (users > 0) continue;
      this.#loaded.delete(image);
      this.machine.unload(number);
      for (let look = 0; look < LOOKS && this.machine.isLoaded(number); look++)
        await new Promise((resolve) => setTimeout(resolve, 1));
      return true;
    }
    return false;
  }
}
