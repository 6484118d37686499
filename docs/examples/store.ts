/** A server of numbers by name: what docs/shell.md talks to. */
import { Err, IpcError, protocol, type Sys, start, textUpTo, u32 } from "capos/guest";

const Store = protocol("store", {
  put: { request: { key: textUpTo(32), value: u32 }, reply: {} },
  get: { request: { key: textUpTo(32) }, reply: { value: u32 } },
});

export default function* main(sys: Sys) {
  const os = start(sys);
  const endpoint = yield* os.endpoint();
  yield* os.names.register("store", endpoint);
  yield* os.print("the store is open");
  const values = new Map<string, number>();
  yield* Store.serve(sys, endpoint, {
    put: ({ key, value }) => void values.set(key, value),
    get({ key }) {
      const value = values.get(key);
      if (value === undefined) throw new IpcError(Err.NOT_FOUND, key);
      return { value };
    },
  });
  return 0;
}
