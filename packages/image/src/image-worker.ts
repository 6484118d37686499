/**
 * The thread that makes an image of deep code, which it has the stack for, or of much. Answers with one message.
 */
import { parentPort, workerData } from "node:worker_threads";
import type { Image } from "@capos/abi";
import { GuestBuildError, type Place } from "./build-error.js";
import { type Ingredients, makeImage } from "./make-image.js";

/** An image, or why there is none; without a reason if this stack is not deep enough either. */
export type WorkerAnswer =
  | { readonly image: Image | null }
  | { readonly error: { readonly reason: string; readonly place: Place | null } | null };

function answer(ingredients: Ingredients): WorkerAnswer {
  try {
    return { image: makeImage(ingredients) };
  } catch (error) {
    if (error instanceof GuestBuildError) return { error: { reason: error.reason, place: error.place } };
    if (error instanceof RangeError) return { error: null };
    throw error;
  }
}

parentPort!.postMessage(answer(workerData as Ingredients));
