/** The host as a peer of guests: it calls what they serve, they call what it serves, and each holds what it was given. */
import { Err } from "@capos/abi";
import { boot, type CaposMachine, compileGuest, IpcError, Reference } from "@capos/machine";
import t from "tap";
import { ROOT } from "../support/cli-process.js";
import { Counter, Files, Kv } from "./guests/kv-protocol.js";

t.setTimeout(600_000);

const fixture = (name: string): string => `${ROOT}/test/src/machine/guests/${name}`;
/** Whoever builds a guest on a busy host may take long. */
const PATIENT = { registeredMs: 500_000 } as const;

/** What a call fails with. */
async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

/** Waits until a signal aborts; gives its reason. */
async function aborted(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  return signal.reason;
}

for (const process of ["this", "own"] as const) {
  const boots = async (onConsole: (line: string) => void = () => {}): Promise<CaposMachine> =>
    boot({ cores: 2, memoryMiB: 64, process, logLevel: "silent", onConsole });

  t.test(`an application calls what a guest on a machine in ${process} process serves`, async (t) => {
    const machine = await boots();
    machine.spawn(fixture("kv.ts"));
    const kv = machine.client(Kv, "kv", PATIENT);
    await kv.put({ key: 1, value: "one" });
    t.same(await kv.get({ key: 1 }), { value: "one" });
    const missing = await failure(kv.get({ key: 2 }));
    t.ok(missing instanceof IpcError);
    t.match(missing, { code: Err.NOT_FOUND, message: "test-kv.get: ERR_NOT_FOUND" });
    t.match(await failure(kv.get({ key: -1 })), { name: "RangeError", message: /^test-kv.get: key must be/ });

    const data = Array.from({ length: 360 }, (_, i) => (i % 3 === 0 ? 255 : i % 256));
    t.same(await kv.echo({ data: Uint8Array.from(data) }), { data }, "bytes");
    const values = [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, -3, 2 ** 60, -(2 ** 53 - 1), 1e-300];
    const { values: came } = await kv.numbers({ values });
    t.ok(
      values.every((value, i) => Object.is(value, came[i])),
      "every number arrives as it was",
    );
    const many = await Promise.all(Array.from({ length: 200 }, () => kv.get({ key: 1 })));
    t.ok(
      many.every(({ value }) => value === "one"),
      "more calls than can be under way wait their turn",
    );
    await machine.halt();
  });

  t.test(
    `a call on a machine in ${process} process that nobody answers is given up when it is to be`,
    async (t) => {
      const machine = await boots();
      machine.spawn(fixture("kv.ts"));
      const kv = machine.client(Kv, "kv", { ...PATIENT, outstanding: 1 });
      await kv.put({ key: 1, value: "one" });
      t.match(await failure(kv.hang({}, { timeoutMs: 1 })), { name: "IpcError", code: Err.TIMEOUT });
      const abort = new AbortController();
      const hanging = failure(kv.hang({}, { signal: abort.signal }));
      // Behind it: it has the one turn that there is.
      const waiting = new AbortController();
      const behind = failure(kv.get({ key: 1 }, { signal: waiting.signal }));
      waiting.abort(new Error("not that long"));
      t.match(await behind, { message: "not that long" });
      const reason = new Error("enough");
      abort.abort(reason);
      t.equal(await hanging, reason);
      t.same(await kv.get({ key: 1 }), { value: "one" }, "the turn was given back");
      const impatient = machine.client(Kv, "kv", { timeoutMs: 1 });
      t.match(
        await failure(impatient.hang()),
        { code: Err.TIMEOUT },
        "a client may have a bound for all its calls",
      );
      await machine.halt();
      t.match(await failure(kv.get({ key: 1 })), { name: "MachineError", message: "the machine was halted" });
    },
  );

  t.test(
    `what an application holds on a machine in ${process} process it was given, and can give up`,
    async (t) => {
      const machine = await boots();
      machine.spawn(fixture("kv.ts"));
      const kv = machine.client(Kv, "kv", PATIENT);
      const { counter } = await kv.counter();
      t.ok(counter instanceof Reference);
      const adder = machine.client(Counter, counter);
      t.same(await adder.add({ amount: 3 }), { value: 3 });
      t.same(await kv.addTo({ counter, amount: 4 }), { value: 7 }, "a reference is given on");
      t.match(await failure(kv.addTo({ counter: 9 as never, amount: 4 })), {
        message: /must be a reference/,
      });
      t.match(await failure(machine.client(Kv, counter).get({ key: 1 })), { code: Err.UNSUPPORTED });
      const moved = { capability: counter, move: true } as const;
      t.same(await kv.addTo({ counter: moved, amount: 1 }), { value: 8 });
      t.match(await failure(adder.add({ amount: 1 })), { code: Err.BAD_CAP }, "it was given away");

      const files = machine.client(Files, "files", PATIENT);
      const { file } = await files.open({ name: "notes" });
      t.same(await file.read(), { text: "contents of notes" });
      t.match(
        await failure(file.write()),
        { code: Err.DENIED },
        "the host can do what its capability permits",
      );
      t.same(await files.same({ file }), { name: "notes" }, "the server knows its own object again");
      file[Symbol.dispose]();
      t.match(await failure(file.read()), { code: Err.BAD_CAP });
      await machine.halt();
    },
  );

  t.test(`a guest on a machine in ${process} process calls what the application serves`, async (t) => {
    const lines: string[] = [];
    const machine = await boots((line) => void lines.push(line));
    const asks = await compileGuest(fixture("asks.ts"));
    machine.spawn(fixture("kv.ts"));
    const kv = machine.client(Kv, "kv", PATIENT);
    const { counter } = await kv.counter();
    const store = new Map<number, string>();
    const serving = await machine.serve(
      Kv,
      {
        put({ key, value }) {
          store.set(key, value);
        },
        async get({ key }) {
          const value = store.get(key);
          if (value === undefined) throw new IpcError(Err.NOT_FOUND, "get");
          return { value };
        },
        hang: (_, { signal }) =>
          new Promise((_, reject) =>
            signal.addEventListener("abort", () => reject(new IpcError(Err.REVOKED, ""))),
          ),
        die() {
          throw new IpcError(Err.BUSY, "die");
        },
        echo: (request) => request,
        numbers: (request) => request,
        counter: () => ({ counter }),
        async addTo({ counter: given, amount }) {
          using theirs = machine.client(Counter, given);
          return await theirs.add({ amount });
        },
      },
      { name: "host" },
    );
    const run = (...args: string[]) => machine.runImage(asks, { args });
    t.match(await run("put", "50"), { status: 0 });
    t.equal(store.size, 50);
    await run("get", "7");
    await run("get", "99");
    await run("die");
    await run("counter");
    t.same(lines, ["value 7", "ERR_NOT_FOUND", "ERR_BUSY", "5", "5"]);
    t.match(await failure(machine.serve(Kv, {} as never, { name: "x" })), {
      message: /test-kv.put: a handler is needed/,
    });
    t.match(await failure(machine.serve(Files, {} as never, { name: "x" })), {
      message: /no objects to serve/,
    });
    t.match(await failure(machine.serve(Counter, { add: () => ({ value: 1 }) }, { name: "kv" })), {
      code: Err.BUSY,
    });

    const hangs = run("hang");
    serving.close();
    t.match(await hangs, { state: /exited|faulted/ }, "a handler that waits is told");
    t.match(await run("get", "7"), { state: "faulted", fault: /NOT_FOUND/ }, "the name is gone");
    await machine.halt();
  });

  t.test(
    `the death of a server, and of the bridge, on a machine in ${process} process is what a guest would see`,
    async (t) => {
      const lines: string[] = [];
      const machine = await boots((line) => void lines.push(line));
      const asks = await compileGuest(fixture("asks.ts"));
      t.match(await failure(machine.killService("bridge")), { message: 'no service "bridge" runs' });
      machine.spawn(fixture("kv.ts"));
      const kv = machine.client(Kv, "kv", PATIENT);
      const { counter } = await kv.counter();
      await machine.serve(Counter, { add: ({ amount }) => ({ value: amount + 1 }) }, { name: "other" });
      await machine.serve(Kv, { ...unused, get: () => ({ value: "still here" }) }, { name: "host" });
      const hanging = failure(kv.hang());
      await machine.killService("bridge");
      t.match(await hanging, { name: "IpcError", code: Err.PEER_DIED });
      t.match(await failure(machine.client(Counter, counter).add({ amount: 1 })), { code: Err.BAD_CAP });
      await kv.put({ key: 1, value: "one" });
      t.same(await kv.get({ key: 1 }), { value: "one" }, "a client by name goes on");
      t.same(
        await machine.client(Counter, "other", PATIENT).add({ amount: 1 }),
        { value: 2 },
        "it is served again",
      );
      t.match(await machine.runImage(asks, { args: ["get", "1"] }), { status: 0 });
      t.same(lines, ["still here"]);
      t.match(await failure(kv.die()), { name: "IpcError", code: Err.PEER_DIED });
      t.match(await failure(kv.get({ key: 1 })), { name: "IpcError" });
      await machine.halt();
    },
  );

  t.test(
    `a handler for a machine in ${process} process is told when its caller has gone, and no other is`,
    async (t) => {
      const lines: string[] = [];
      const machine = await boots((line) => void lines.push(line));
      const asks = await compileGuest(fixture("asks.ts"));
      const answers: ((value?: unknown) => void)[] = [];
      const signals: AbortSignal[] = [];
      let onCalled = (): void => {};
      await machine.serve(
        Kv,
        {
          ...unused,
          get: () => ({ value: "still served" }),
          hang: (_, context) => {
            const { signal } = { ...context };
            signals.push(signal);
            const answered = new Promise<void>((resolve, reject) => {
              // What is answered to nobody: values, reasons, errors of what was given the signal.
              const late = [
                resolve,
                () => reject(signal.reason),
                () => reject(new DOMException("", "AbortError")),
              ];
              answers.push(late[answers.length % 3] as () => void);
            });
            onCalled();
            return answered;
          },
        },
        { name: "host" },
      );
      const callers = [];
      for (let i = 0; i < 4; i++) {
        const called = new Promise<void>((resolve) => {
          onCalled = resolve;
        });
        callers.push(machine.spawn(asks, { args: ["hang"] }));
        await called;
      }
      for (const [i, caller] of callers.slice(0, 3).entries()) {
        const told = aborted(signals[i]!);
        await caller.kill();
        t.match(await told, {
          name: "IpcError",
          code: Err.PEER_DIED,
          message: "test-kv.hang: ERR_PEER_DIED, its caller is gone",
        });
        answers[i]!();
      }
      t.equal(signals[3]!.aborted, false, "the caller that lives is waited for");
      answers[3]!();
      t.match(await callers[3]!.status, { status: 0 }, "and is answered");
      t.match(await machine.runImage(asks, { args: ["get", "1"] }), { status: 0 });
      t.same(lines, ["still served"]);
      await machine.halt();
    },
  );

  t.test(`a handler for a machine in ${process} process is told why nobody waits for it`, async (t) => {
    const machine = await boots();
    const begins: ((signal: AbortSignal) => void)[] = [];
    const begun = (): Promise<AbortSignal> => new Promise((resolve) => begins.push(resolve));
    let gets = 0;
    const serve = () =>
      machine.serve(
        Kv,
        {
          ...unused,
          get: () => ({ value: String(++gets) }),
          hang: async (_, { signal }) => {
            begins.shift()!(signal);
            throw await aborted(signal);
          },
        },
        { outstanding: 1 },
      );
    const first = await serve();
    const kv = machine.client(Kv, first.reference);
    const abort = new AbortController();
    const givenUp = begun();
    const hanging = failure(kv.hang({}, { signal: abort.signal }));
    const signal = await givenUp;
    abort.abort(new Error("enough"));
    t.match(await hanging, { message: "enough" });
    t.match(await aborted(signal), { code: Err.PEER_DIED }, "the caller has given up");

    const closed = begun();
    const last = failure(kv.hang());
    const closing = await closed;
    const behind = failure(kv.get({ key: 1 }));
    first.close();
    t.match(await aborted(closing), { code: Err.REVOKED });
    t.match(await last, { name: "IpcError" });
    t.match(await behind, { name: "IpcError" });
    t.equal(gets, 0, "whoever waits for a turn is not served any more");

    const second = await serve();
    const orphaned = begun();
    const other = failure(machine.client(Kv, second.reference).hang());
    const orphan = await orphaned;
    await machine.killService("bridge");
    t.match(await aborted(orphan), { code: Err.PEER_DIED }, "the bridge has ended");
    t.match(await other, { code: Err.PEER_DIED });

    const halted = begun();
    const third = await serve();
    const end = failure(machine.client(Kv, third.reference).hang());
    const halting = await halted;
    await machine.halt();
    t.match(await aborted(halting), { name: "MachineError", message: "the machine was halted" });
    t.match(await end, { name: "MachineError" });
  });
}

/** Handlers that nobody calls. */
const unused = {
  put() {},
  hang() {},
  die() {},
  get: () => ({ value: "" }),
  echo: (request: { data: number[] }) => request,
  numbers: (request: { values: number[] }) => request,
  counter(): never {
    throw new IpcError(Err.UNSUPPORTED, "counter");
  },
  addTo: () => ({ value: 0 }),
};

t.test("what a client or a server of the host's cannot be is refused at once", async (t) => {
  const machine = await boot({ cores: 2, memoryMiB: 64, logLevel: "silent" });
  t.throws(() => machine.client(Kv, ""), { name: "UsageError", message: /^name: a text of 1 to 32 bytes/ });
  t.throws(() => machine.client(Kv, "é".repeat(17)), { message: /^name:/ });
  t.throws(() => machine.client(Kv, "kv", { outstanding: 33 }), {
    message: /outstanding: 33 is out of range/,
  });
  t.throws(() => machine.client(Kv, "kv", { timeoutMs: 0 }), { message: /timeoutMs: 0 is out of range/ });
  t.throws(() => machine.client(Kv, "kv", { timeout: 5 } as never), {
    message: /no option timeout, there are/,
  });
  const nobody = machine.client(Kv, "nobody", { registeredMs: 0 });
  t.match(await failure(nobody.get({ key: 1 })), {
    message: "nobody: ERR_NOT_FOUND, nobody has registered the name",
  });
  await machine.halt();
});
