/**
 * Names: how guests find each other's endpoints.
 *
 * A name is at most 32 bytes of UTF-8 and stands for one capability. Looking a name up gives a copy of
 * the capability that was registered; what that permits, its rights say.
 */
import { Err, MAX_NAME_BYTES, type Sys } from "@capos/abi";
import { capability, textUpTo, u32 } from "./fields.js";
import type { Carried } from "./held.js";
import { IpcError } from "./ipc-error.js";
import { protocol } from "./protocol.js";
import type { Slots } from "./slots.js";
import type { Steps } from "./steps.js";

/** The name service's protocol; guests use `Os.names`. */
export const Names = /* @__PURE__ */ protocol("names", {
  /** Gives an endpoint a name. `BUSY` if the name stands for another one already. */
  register: { request: { name: textUpTo(MAX_NAME_BYTES), endpoint: capability }, reply: {} },
  /** `NOT_FOUND` if nobody registered the name. */
  lookup: { request: { name: textUpTo(MAX_NAME_BYTES) }, reply: { endpoint: capability } },
  /** The name at an index from 0 on; `NOT_FOUND` behind the last. */
  list: { request: { index: u32 }, reply: { name: textUpTo(MAX_NAME_BYTES) } },
  /** As `lookup`, once somebody has registered the name. `NO_RESOURCE` if too many wait. */
  await: { request: { name: textUpTo(MAX_NAME_BYTES) }, reply: { endpoint: capability } },
});

/** A guest's view of the names server. */
export interface NamesClient {
  /** Gives an endpoint a name. Needs GRANT on it, which is what lets others be given copies. */
  register(name: string, endpoint: number | Carried<"grant">): Steps<void>;
  /** The endpoint that has a name, as a handle in a slot of this thread's own; `Os.drop` gives it up. */
  lookup(name: string): Steps<number>;
  /** As `lookup`, but waits until somebody has registered the name: for programs that start beside each other. */
  wait(name: string): Steps<number>;
  /** All names. One that comes or goes meanwhile may be missed. */
  list(): Steps<string[]>;
}

/** The names server behind an endpoint capability; what is looked up goes into `slots`. */
export function namesClient(sys: Sys, handle: number, slots: Slots): NamesClient {
  const names = Names.client(sys, handle, slots);
  return {
    *register(name, endpoint) {
      yield* names.register({ name, endpoint });
    },
    *lookup(name) {
      return (yield* names.lookup({ name })).endpoint;
    },
    *wait(name) {
      return (yield* names.await({ name })).endpoint;
    },
    *list() {
      const found: string[] = [];
      for (;;) {
        try {
          found.push((yield* names.list({ index: found.length })).name);
        } catch (error) {
          if (error instanceof IpcError && error.code === Err.NOT_FOUND) return found;
          throw error;
        }
      }
    },
  };
}
