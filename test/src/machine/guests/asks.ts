/** Asks whoever serves the name "host": as its arguments say. */
import { errorName, Right, type Sys } from "@capos/abi";
import { IpcError, spawnThread, start } from "@capos/libos";
import { Counter, Kv } from "./kv-protocol.js";

export default function* main(sys: Sys) {
  const os = start(sys);
  if (os.threadIndex > 0)
    return yield* Counter.serve(sys, os.handed[0]!, { add: ({ amount }) => ({ value: amount + 1 }) });
  const host = Kv.client(sys, yield* os.names.lookup("host"), os.slots);
  const [what, count] = os.args;
  try {
    if (what === "put")
      for (let key = 0; key < Number(count); key++) yield* host.put({ key, value: `value ${key}` });
    else if (what === "get") yield* os.print((yield* host.get({ key: Number(count) })).value);
    else if (what === "counter") {
      const endpoint = yield* os.endpoint();
      yield* spawnThread(os, { handed: [endpoint] });
      const given = yield* os.copy(endpoint, Right.SEND | Right.GRANT);
      yield* os.print(String((yield* host.addTo({ counter: given, amount: 4 })).value));
      const { counter } = yield* host.counter();
      yield* os.print(String((yield* Counter.client(sys, counter).add({ amount: 5 })).value));
    } else if (what === "hang") yield* host.hang();
    else if (what === "die") yield* host.die();
  } catch (error) {
    if (!(error instanceof IpcError)) throw error;
    yield* os.print(errorName(error.code));
    return 3;
  }
  return 0;
}
