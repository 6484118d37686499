/** A key-value server, and a client on each of the other cores: processes that share one capability, and no memory. */
import { Endpoint, Err, IpcError, type Os, protocol, type Sys, spawnProcess, start, text } from "capos/guest";

const Kv = protocol("kv", {
  put: { request: { key: text, value: text }, reply: {} },
  /** `NOT_FOUND` if nobody has put anything there. */
  get: { request: { key: text }, reply: { value: text } },
  /** Says that a client needs the server no more. */
  leave: { request: {}, reply: {} },
});

const KEYS = 100;

function* client(os: Os) {
  const kv = Kv.client(os.sys, os.handed[0]!);
  for (let i = 0; i < KEYS; i++) yield* kv.put({ key: `${os.core}.${i}`, value: "x".repeat(i) });
  const { value } = yield* kv.get({ key: `${os.core}.42` });
  yield* kv.put({ key: `from core ${os.core}`, value: `${value.length} characters` });
  try {
    yield* kv.get({ key: "nothing" });
  } catch (error) {
    if (!(error instanceof IpcError) || error.code !== Err.NOT_FOUND) throw error;
  }
  yield* kv.leave();
}

export default function* main(sys: Sys) {
  const os = start(sys);
  if (os.name === "client") return yield* client(os);

  const endpoint = yield* os.cspace.make(Endpoint);
  let clients = 0;
  // Core 0 is the system's own.
  for (let core = 1; core < os.cores; core++) {
    if (core === os.core) continue;
    // The badge says which client a request is from.
    const kv = yield* os.cspace.offer(Kv, endpoint, core);
    yield* spawnProcess(os, { name: "client", core, gifts: [kv] });
    clients++;
  }

  const values = new Map<string, string>();
  const puts = new Map<number, number>();
  yield* Kv.serve(sys, endpoint, {
    put({ key, value }, { badge }) {
      values.set(key, value);
      puts.set(badge, (puts.get(badge) ?? 0) + 1);
    },
    get({ key }) {
      const value = values.get(key);
      if (value === undefined) throw new IpcError(Err.NOT_FOUND, "get");
      return { value };
    },
    leave(_, context) {
      if (--clients === 0) context.end();
    },
  });

  for (const [badge, count] of [...puts].sort(([a], [b]) => a - b))
    yield* os.print(`client ${badge}: ${count} puts, read back ${values.get(`from core ${badge}`)}`);
  yield* os.print(`${values.size} keys`);
  return 0;
}
