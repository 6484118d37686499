/** A store under the name "kv", a counter behind it, and files under "files". */
import { Err, Right, type Sys } from "@capos/abi";
import { DEFERRED, IpcError, Objects, spawnThread, start } from "@capos/libos";
import { Counter, Files, Kv } from "./kv-protocol.js";

export default function* main(sys: Sys) {
  const os = start(sys);
  const { slots } = os;
  if (os.threadIndex === 1) {
    let value = 0;
    return yield* Counter.serve(sys, os.handed[0]!, {
      add({ amount }) {
        value += amount;
        return { value };
      },
    });
  }
  if (os.threadIndex === 2) {
    const files = new Objects<typeof Files, string>(os.cspace, Files, os.handed[0]!);
    yield* os.names.register("files", yield* files.entrance());
    return yield* Files.serve(
      sys,
      os.handed[0]!,
      {
        *open({ name }) {
          return { file: yield* files.mint(name, ["read"]) };
        },
        read: (_, { object }) => ({ text: `contents of ${object}` }),
        write() {},
        same: ({ file }) => ({ name: files.get(file) }),
      },
      { slots, objects: files },
    );
  }
  const counter = yield* os.endpoint();
  yield* spawnThread(os, { handed: [counter] });
  yield* spawnThread(os, { handed: [yield* os.endpoint()], slots: 32 });
  const endpoint = yield* os.endpoint();
  yield* os.names.register("kv", endpoint);
  const store = new Map<number, string>();
  yield* Kv.serve(
    sys,
    endpoint,
    {
      put({ key, value }) {
        store.set(key, value);
      },
      get({ key }) {
        const value = store.get(key);
        if (value === undefined) throw new IpcError(Err.NOT_FOUND, "get");
        return { value };
      },
      *hang(_, context) {
        yield* context.defer();
        return DEFERRED;
      },
      die() {
        throw new Error("died as it was asked to");
      },
      echo: ({ data }) => ({ data }),
      numbers: ({ values }) => ({ values }),
      *counter() {
        return { counter: yield* os.copy(counter, Right.SEND | Right.GRANT) };
      },
      *addTo({ counter: given, amount }) {
        const { value } = yield* Counter.client(sys, given).add({ amount });
        yield* os.drop(given);
        return { value };
      },
    },
    { slots },
  );
  return 0;
}
