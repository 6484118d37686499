/** What an application gave: a callback that fails, one that is slow, one that is asked. */
import { type BootOptions, boot } from "@capos/machine";
import t from "tap";
import { node, ROOT } from "../support/cli-process.js";

const fixture = (name: string): string => `${ROOT}/test/fixtures/cli/${name}`;
const SMALL = { cores: 2, memoryMiB: 64, logLevel: "silent" } as const;

/** Every callback there is, and one run in which each is called. */
const FAILING = `
import { boot } from ${JSON.stringify(`${ROOT}/packages/machine/dist/index.js`)};
const seen = new Set();
process.on("uncaughtException", (error) => seen.add(error.message));
const failing = (name) => () => { if (HOW === "throws") throw new Error(name); return Promise.reject(new Error(name)); };
const options = {
  cores: 2, memoryMiB: 64, logLevel: "info", logDestination: { write: failing("logDestination") },
  onConsole: failing("onConsole"), onInput: failing("onInput"), onMachine: failing("onMachine"),
};
const guest = (name) => ${JSON.stringify(`${ROOT}/test/fixtures/cli/`)} + name;
const first = await boot({ ...options, onKernel: failing("onKernel") });
const results = [await first.run(guest("greet.ts")), await first.run(guest("greet.ts"))];
await first.halt();
const second = await boot({ ...options, onPanic: failing("onPanic") });
const error = await second.run(guest("panics.ts"), { debug: true }).catch((it) => it);
await second.ended();
await new Promise(setImmediate);
console.log(JSON.stringify({ statuses: results.map(({ status }) => status), error: error.name, seen: [...seen].sort() }));
`;

for (const how of ["throws", "rejects"]) {
  t.test(
    `a callback that ${how} harms no machine, and its error reaches the process's handlers`,
    async (t) => {
      const run = await node(["--input-type=module", "-e", FAILING.replace("HOW", JSON.stringify(how))]);
      t.same(
        JSON.parse(run.stdout),
        {
          statuses: [7, 7],
          error: "MachineError",
          seen: ["logDestination", "onConsole", "onInput", "onKernel", "onMachine", "onPanic"],
        },
        run.stderr,
      );
    },
  );
}

t.test("a console that is not taken holds the guests that write, and loses nothing", async (t) => {
  const lines: string[] = [];
  let release!: () => void;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let taken!: () => void;
  const first = new Promise<void>((resolve) => {
    taken = resolve;
  });
  const machine = await boot({
    ...SMALL,
    onConsole(line) {
      lines.push(line);
      taken();
      return held;
    },
  });
  const count = 20_000;
  const run = machine.run(fixture("prints.ts"), { args: [String(count)] });
  await first;
  // Another run of the whole system's, so that the guest had time for all that it can do.
  await machine.inspect();
  const before = lines.length;
  // No more than what was on its way: the device is of 16 KiB.
  t.ok(before * "line 0\n".length <= 16_384 + 7, `${before} lines were handed over`);
  release();
  t.match(await run, { status: 0 });
  t.equal(lines.length, count);
  t.equal(lines.at(-1), `line ${count - 1}`);
  await machine.halt();
});

t.test("a machine whose console is never taken halts all the same", async (t) => {
  const machine = await boot({ ...SMALL, onConsole: () => new Promise(() => {}) });
  const run = machine.run(fixture("prints.ts"), { args: ["100000"] }).catch((error: Error) => error.name);
  t.match(await machine.halt(), { panicked: false });
  t.equal(await run, "MachineError");
});

t.test("input is asked for when a guest reads, and no further", async (t) => {
  let asked = 0;
  const lines: string[] = [];
  const options: BootOptions = {
    ...SMALL,
    onConsole: (line) => void lines.push(line),
    onInput: () => (++asked > 4 ? null : Buffer.from(asked === 3 ? "c" : `${asked}a\n${asked}b\n`)),
  };
  const machine = await boot(options);
  await machine.run(fixture("prints.ts"), { args: ["3"] });
  t.equal(asked, 0, "who reads nothing asks for nothing");
  lines.length = 0;
  await machine.run(fixture("reads.ts"), { args: ["1"] });
  t.equal(asked, 1);
  await machine.run(fixture("reads.ts"), { args: ["1"] });
  t.equal(asked, 1, "what is left is given first");
  await machine.run(fixture("reads.ts"), { args: ["3"] });
  t.equal(asked, 4, "a line without its end is asked for on");
  await machine.run(fixture("reads.ts"), { args: ["3"] });
  t.equal(asked, 5, "after the end nobody is asked");
  t.same(
    lines,
    ["1a", "1b", "2a", "2b", "c4a", "4b", "null", "null"].map((line) => `read ${line}`),
  );
  await machine.halt();
});
