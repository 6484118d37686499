/**
 * A client and a server on one endpoint of the fake kernel.
 */
import type { Sys } from "@capos/abi";
import { IpcError, Slots, type Steps } from "@capos/libos";
import { type CSpace, Endpoint, type FakeThread, World } from "./fake.js";

export interface Pair {
  world: World;
  client: FakeThread;
  server: FakeThread;
  endpoint: Endpoint;
}

export const CLIENT_BADGE = 77;
export const SLOTS = 8;

/** A server and a client on one endpoint, run until both are done or wait. Slot 1 is the endpoint, 2 the CNode, 10 ... are free. */
export function connect(
  serve: (sys: Sys, endpoint: number, slots: Slots) => Steps<unknown>,
  use: (sys: Sys, endpoint: number, slots: Slots) => Steps<unknown>,
  expectThrows = false,
): Pair {
  const world = new World();
  const endpoint = new Endpoint();
  const begin = (badge: number, body: typeof serve) => {
    const cspace: CSpace = new Map();
    let handles = [0, 0];
    const thread = world.thread(function* (sys) {
      return yield* body(sys, handles[0], new Slots(handles[1], 10, SLOTS));
    }, cspace);
    handles = [thread.put(1, endpoint, badge), thread.put(2, world.cnode(cspace))];
    return thread;
  };
  const server = begin(0, serve);
  const client = begin(CLIENT_BADGE, use);
  world.run(expectThrows);
  return { world, client, server, endpoint };
}

export function* expectError(
  t: { ok(value: unknown, message: string): unknown; fail(message: string): unknown },
  steps: Steps<unknown>,
  code: number,
  name: string,
): Steps<void> {
  try {
    yield* steps;
    t.fail(`${name}: no error`);
  } catch (error) {
    t.ok(error instanceof IpcError && error.code === code, `${name}: ${String(error)}`);
  }
}

export const finished = (thread: FakeThread) => thread.ended !== undefined && "value" in thread.ended;
