/** Code that the transformation refuses: the place becomes one of a source file where the error leaves it. */
import type { Tree } from "./syntax-tree.js";

export class Refusal extends Error {
  override readonly name = "Refusal";

  /** `reason` says what to write instead. */
  constructor(
    readonly node: Tree,
    readonly reason: string,
  ) {
    super(reason);
  }
}
