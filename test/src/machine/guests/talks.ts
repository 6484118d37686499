/**
 * Reads lines and prints what it read, from threads of its own where it is told so; `handed` names what else it is to
 * use: a store to ask, and a program to start.
 */
import type { Sys } from "@capos/abi";
import { start } from "@capos/libos";
import { Kv } from "./kv-protocol.js";

export default function* main(sys: Sys): Generator<number, number, number> {
  const os = start(sys);
  const [what = "echo"] = os.args;
  if (what === "prints") {
    for (let i = 0; i < Number(os.args[1]); i++) yield* os.print(`line ${i}`);
    return 0;
  }
  if (what === "long") {
    yield* os.print("x".repeat(Number(os.args[1])));
    return 0;
  }
  if (what === "asks") {
    const { value } = yield* Kv.client(sys, os.handed[0]!, os.slots).get({ key: 7 });
    yield* os.print(value);
    return 0;
  }
  for (;;) {
    const line = yield* os.readLine();
    if (line === null) break;
    yield* os.print(`${what} ${line}`);
  }
  yield* os.print("the end");
  return 0;
}
