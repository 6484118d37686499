/** Nothing of the environment and of Node's options reaches a core; what cannot be kept out is refused. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { caposSmp, node } from "../support/cli-process.js";

const GUEST = "test/fixtures/cli/realm.ts";
const RUN = ["run", "--cores", "2", "--memory", "64", GUEST];
/** Newer Nodes do not know the first; with the second older ones say something of their own. */
const WITHOUT_WASM =
  (await node(["--no-expose-wasm", "--eval", ""])).status === 0 ? "--no-expose-wasm" : "--jitless";

// Each core makes sure of its heap: one that Node had cut to 300 MiB would not start.
t.test("a guest finds the same realm whatever Node is told", async (t) => {
  const folder = t.testdir({});
  const intruder = join(folder, "intruder.cjs");
  writeFileSync(intruder, "Array.prototype.intruder = 1; globalThis.intruder = 1;\n");
  const plain = await caposSmp(RUN, { env: { NODE_OPTIONS: "" } });
  t.equal(plain.status, 0, plain.stderr);
  const common = `--require ${intruder} --import ${intruder} --max-old-space-size=300 --max-semi-space-size=1 --expose-gc`;
  for (const options of [
    `${common} --disable-proto=delete --stack-trace-limit=0`,
    `${common} --disable-proto=throw --enable-source-maps`,
  ]) {
    const run = await caposSmp(RUN, {
      node: ["--stack-size=500"],
      env: {
        ...{
          NODE_OPTIONS: options,
          NODE_V8_COVERAGE: join(folder, "coverage"),
          NODE_PENDING_DEPRECATION: "1",
        },
        ...{
          LOCKDOWN_HARDEN_TAMING: "unsafe",
          LOCKDOWN_LOCALE_TAMING: "?",
          LOCKDOWN_ERROR_TRAPPING: "abort",
        },
      },
    });
    t.equal(run.status, 0, `${options}: ${run.stderr}`);
    t.equal(run.stdout, plain.stdout, options);
  }
});

t.test("a Node that cannot be a machine's host is one line and status 2", async (t) => {
  for (const [option, expected] of [
    [
      "--disallow-code-generation-from-strings",
      /^capos-smp: this process compiles no code from text: start Node without --disallow/,
    ],
    [
      WITHOUT_WASM,
      /^capos-smp: this Node has no WebAssembly: start it without --jitless and --no-expose-wasm/,
    ],
    [
      "--frozen-intrinsics",
      /^capos-smp: this process's intrinsics are frozen: start Node without --frozen-intrinsics/,
    ],
  ] as const) {
    const run = await caposSmp(RUN, { node: ["--no-warnings", option] });
    t.equal(run.status, 2, run.stderr);
    t.match(run.stderr, expected);
    t.equal(run.stderr.trimEnd().split("\n").length, 1, run.stderr);
  }
});
