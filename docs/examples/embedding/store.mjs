/** A store, served to whoever looks up the name "store". */
import { Err, IpcError, start } from "capos/guest";
import { Store } from "./store-protocol.mjs";

const PIECE_BYTES = 360;

export default function* main(sys) {
  const os = start(sys);
  const endpoint = yield* os.endpoint();
  yield* os.names.register("store", endpoint);
  const values = new Map();
  const file = [];
  yield* Store.serve(sys, endpoint, {
    put({ key, value }) {
      values.set(key, value);
    },
    get({ key }) {
      const value = values.get(key);
      if (value === undefined) throw new IpcError(Err.NOT_FOUND, "get");
      return { value };
    },
    append({ data }) {
      for (const byte of data) file.push(byte);
    },
    next: () => ({ data: file.splice(0, PIECE_BYTES) }),
  });
  return 0;
}
