/** Mutants of images. */
import { preemptions } from "../scenarios/plans.js";
import type { Mutant } from "./mutant.js";

export const IMAGE_MUTANTS: readonly Mutant[] = [
  {
    name: "run-without-recheck",
    breaks: "A process is configured with an image only if its capability is still alive under the lock.",
    scenario: "image-configure-vs-delete",
    strategy: preemptions(2),
    edits: [{ function: "begin", find: "|| !isLive(k, image)", replace: "" }],
  },
  {
    name: "take-before-put-aside",
    breaks: "An image is taken again only when its reaper has put it aside.",
    scenario: "image-take-vs-end",
    strategy: preemptions(2),
    edits: [{ function: "isAtRest", find: "&& k.i32[header + ObjectHeader.REAP_CORE] === 0", replace: "" }],
  },
];
