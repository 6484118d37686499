/** Builds the guests' files of a command, their types being checked meanwhile. */
import { type Image, visibleLines } from "@capos/abi";
import { readGuest } from "@capos/machine/compile-guest";
import type { Output } from "./session.js";
import { checkTypes } from "./type-check.js";

/** What commands that build guests take. */
export interface GuestFlags {
  /** Where their files are; each one's folder unless told. */
  readonly root?: string;
  /** False if types are not to be checked. */
  readonly check?: boolean;
  readonly quiet?: boolean;
}

/** What it began goes on by itself: it fails whoever waits for it. */
export class GuestBuild {
  /** Makes the images. Mistakes in the files' syntax and imports are known by then. */
  readonly read: Promise<() => Promise<Image[]>>;
  /** Why types could not be checked; null if they are as they should be, or are not to be checked. */
  readonly checked: Promise<string | null>;

  /** Begins at once: the bundler and the compiler are processes, and start while this one does something else. */
  constructor(
    files: readonly string[],
    private readonly flags: GuestFlags,
    signal: AbortSignal,
  ) {
    const { root } = flags;
    this.read = Promise.all(files.map((file) => readGuest(file, { root, signal }))).then(inTurn);
    this.checked = flags.check === false ? Promise.resolve(null) : checkTypes(files, signal);
    this.read.catch(() => {});
    this.checked.catch(() => {});
  }

  /** Says why types could not be checked, if so. */
  tellUnchecked(why: string | null, stderr: Output): void {
    if (why !== null && this.flags.quiet !== true)
      stderr.write(`capos-smp: types are not checked: ${visibleLines(why)}\n`);
  }
}

function inTurn(makers: readonly (() => Promise<Image>)[]): () => Promise<Image[]> {
  return async () => {
    const images: Image[] = [];
    for (const make of makers) images.push(await make());
    return images;
  };
}
