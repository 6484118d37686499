/**
 * The images that a machine's host has loaded: each once, whoever made it, and kept for the next run as long as there is
 * room. One that was loaded with a text is one run's, and is let go of after it.
 *
 * A run uses its images until it has ended. When the store is full, the image that was used longest ago is let go
 * of; a process that outlives its run may still hold it, so its room is free a moment later, or not at all.
 */
import { createHash } from "node:crypto";
import type { Image } from "@capos/abi";
import { ModuleStoreFullError, ModuleTooLargeError } from "@capos/hal";
import type { Machine } from "@capos/hal/host";
import { UsageError } from "./errors.js";

/** How many images are remembered that were let go of: a process may outlive the run that it came with. */
const MAX_REMEMBERED = 256;

/** The images that an image imports, as it numbers them. */
export function assetsOf({ assets }: Image): readonly Image[] {
  return assets ?? [];
}

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

/** An image, and a text for whoever runs it; empty is none. */
export interface Wanted {
  readonly image: Image;
  readonly text: string;
}

/** An image that is loaded, until `release`. */
export interface Loaded {
  readonly key: string;
  readonly number: number;
  readonly isKept: boolean;
  /** Runs that use it. */
  users: number;
}

export class LoadedImages {
  /** By what is loaded, in the order of their last use. */
  readonly #loaded = new Map<string, Loaded>();
  readonly #keys = new WeakMap<Image, string>();
  /** By number, in the order in which they were loaded: for who wants to know where something in one stands. */
  readonly #remembered = new Map<number, Image>();

  constructor(private readonly machine: Machine) {}

  /** Images, each loaded if it is not there, until `release`. Throws UsageError if there is no room. */
  async use(wanted: readonly Wanted[]): Promise<Loaded[]> {
    const used: Loaded[] = [];
    try {
      for (const one of wanted) used.push(await this.#useOne(one));
      return used;
    } catch (error) {
      this.release(used);
      throw error;
    }
  }

  /** The image that was loaded as a number; undefined if that is long ago. */
  imageOf(number: number): Image | undefined {
    return this.#remembered.get(number);
  }

  /** They are used once less. */
  release(used: readonly Loaded[]): void {
    for (const one of used) {
      one.users--;
      if (one.users > 0 || one.isKept) continue;
      this.#loaded.delete(one.key);
      this.machine.unload(one.number);
    }
  }

  async #useOne({ image, text }: Wanted): Promise<Loaded> {
    const key = this.#keyOf(image) + text;
    for (;;) {
      const known = this.#loaded.get(key);
      if (known !== undefined) {
        known.users++;
        this.#loaded.delete(key);
        this.#loaded.set(key, known);
        return known;
      }
      try {
        const number = this.machine.load(image.name, image.code, text);
        this.#loaded.set(key, { key, number, isKept: text === "", users: 0 });
        this.#remember(number, image);
      } catch (error) {
        // For one that fits nowhere no other has to go.
        if (!(error instanceof ModuleStoreFullError && (await this.#makeRoom()))) throw asUsage(error);
      }
    }
  }

  #remember(number: number, image: Image): void {
    this.#remembered.set(number, image);
    if (this.#remembered.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#remembered.keys()) {
      const inUse = [...this.#loaded.values()].some((one) => one.number === oldest);
      if (inUse) continue;
      this.#remembered.delete(oldest);
      return;
    }
  }

  #keyOf(image: Image): string {
    let key = this.#keys.get(image);
    if (key === undefined) {
      key = createHash("sha256").update(`${image.name}\0${image.code}`).digest("base64");
      this.#keys.set(image, key);
    }
    return key;
  }

  /** Lets go of the image that was used longest ago. False if all are in use. */
  async #makeRoom(): Promise<boolean> {
    for (const [key, { number, users }] of this.#loaded) {
      if (users > 0) continue;
      this.#loaded.delete(key);
      this.machine.unload(number);
      for (let look = 0; look < LOOKS && this.machine.isLoaded(number); look++)
        await new Promise((resolve) => setTimeout(resolve, 1));
      return true;
    }
    return false;
  }
}
